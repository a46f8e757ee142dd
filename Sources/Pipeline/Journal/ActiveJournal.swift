import Journal
import Wire

/// The open journal, with the thread that writes its snapshots. It belongs to the journal thread.
struct ActiveJournal {
    let journal: any StateJournal
    let saver: SnapshotThread
    /// The newest snapshot. The journal keeps what follows the snapshot before it.
    private(set) var current: SnapshotHeader?
    /// The highest number that any snapshot had.
    var lastNumber: Int64 = 0

    init(journal: any StateJournal, saver: SnapshotThread) {
        self.journal = journal
        self.saver = saver
    }

    /// Makes the header of the next snapshot. `isExact` says that the journal has whatever follows it.
    mutating func header(of snapshot: RecorderSnapshot, isExact: Bool, at now: Timestamp) -> SnapshotHeader {
        lastNumber += 1
        return SnapshotHeader(
            journalID: journal.numbers.id, number: lastNumber, eventsApplied: snapshot.events,
            inputsApplied: snapshot.inputs, rowsEmitted: snapshot.rows, takenAt: now,
            isCleanStop: isExact || snapshot.isLast)
    }

    /// Notes that a snapshot was restored or saved. Returns the header up to which the journal is no longer needed.
    mutating func note(_ header: SnapshotHeader) -> SnapshotHeader? {
        defer { current = header }
        return current?.journalID == header.journalID ? current : nil
    }

    func close() { journal.close() }
}
