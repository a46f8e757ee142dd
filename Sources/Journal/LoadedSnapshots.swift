/// The snapshots of a journal as they were found.
package struct LoadedSnapshots: Sendable, Equatable {
    /// The newest that can be used.
    package var newest: Snapshot?
    /// The one before it: up to there the journal may be truncated.
    package var older: SnapshotHeader?
    /// Files that are damaged, where they were moved to.
    package var damaged: [String] = []
    /// Files of a newer program, where they were moved to.
    package var ofNewerProgram: [String] = []
    /// The highest number that any file had, also one that was moved aside now: the next snapshot comes after it.
    package var highestNumber: Int64 = 0
    /// Sentences for the log.
    package var notes: [String] = []

    package init() {}
}
