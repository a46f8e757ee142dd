/// The snapshots of a journal, as they were found.
package struct LoadedSnapshots: Sendable, Equatable {
    /// The newest snapshot that can be used.
    package var newest: Snapshot?
    /// The snapshot before it. The journal may be truncated up to this one.
    package var older: SnapshotHeader?
    /// The names that damaged files have now that they were moved aside.
    package var damaged: [String] = []
    /// The names that files of a newer program have now that they were moved aside.
    package var ofNewerProgram: [String] = []
    /// The highest number of any file, also of one that was moved aside now. The next snapshot gets a higher number.
    package var highestNumber: Int64 = 0
    /// Sentences for the log.
    package var notes: [String] = []

    package init() {}
}
