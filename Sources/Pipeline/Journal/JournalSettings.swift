package import Journal
package import Platform

/// Where the state is kept, and how carefully.
package struct JournalSettings: Sendable {
    /// What `DURABILITY` says.
    package enum Durability: String, Sendable, CaseIterable {
        /// A webhook is answered when its event is on disk.
        case commit
        /// A webhook is answered when its event is queued: for a pod without a disk.
        case memory
    }

    /// The bounds of its waits, each with its reason.
    enum Limits {
        /// Between attempts to write a journal that cannot be written: soon enough that a sender's next attempt finds it
        /// well again, seldom enough that a full disk is left in peace.
        static let backoff = Backoff(from: .milliseconds(100), to: .seconds(1), jitter: .none)
        /// Between looks at a directory that another process holds.
        static let lockPace = Duration.milliseconds(250)
        /// A commit with so many events comes from a crowd: the next ones are on their way, and wait for each other.
        static let crowd = 8
        /// So many events need no more company: a commit costs as much as a few of them.
        static let company = 96
        /// The longest that events wait for company, however long the commit before took: it must not show in an answer.
        static let gathering = Duration.milliseconds(1)
        /// How long a reading waits for the journal: then it leaves anyway, because silence would be worse.
        static let readingPatience = Duration.seconds(1)
        /// Inputs that wait for a journal that cannot be written: answers and reports of many hours.
        static let inputs_bytes = 16 << 20
    }

    /// Opens the journal; nil where nothing is kept at all.
    package let open: OpenJournal?
    package let durability: Durability
    /// `JOURNAL_MAX_BYTES`.
    package let maxBytes: ByteCount
    /// `SNAPSHOT_INTERVAL`.
    package let snapshotInterval: Duration

    package init(
        open: OpenJournal?, durability: Durability = .commit, maxBytes: ByteCount = .mebibytes(1_024),
        snapshotInterval: Duration = .seconds(30)
    ) {
        self.snapshotInterval = snapshotInterval
        self.open = open
        self.durability = durability
        self.maxBytes = maxBytes
    }
}
