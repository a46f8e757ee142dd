package import Platform

/// The settings of what appends events to a shared log.
package struct AppendSettings: Sendable {
    /// The bounds of waits and memory, each with its reason.
    enum Limits {
        /// The time that events wait for the log before they go to the spill. A database that fails over is away for
        /// longer, and LiveKit waits for an answer.
        static let patience = Duration.milliseconds(300)
        /// The wait between attempts to reach a log that cannot be reached.
        static let backoff = Backoff(from: .milliseconds(100), to: .seconds(1), jitter: .none)
        /// The bytes of a group. A larger one would hold up those of other replicas.
        static let group_bytes = 1 << 20
        /// The groups of one append.
        static let groups = 8
        /// The least time between two attempts to use a spill that does not work.
        static let spillPace = Duration.seconds(1)
    }

    /// The most bytes that the spill may take: `JOURNAL_MAX_BYTES`.
    package let maxSpill: ByteCount

    /// The numbers of the log that this machine saw; nil where nothing is kept on it.
    package let marks: LogMarks?

    package init(maxSpill: ByteCount, marks: LogMarks? = nil) {
        self.maxSpill = maxSpill
        self.marks = marks
    }
}
