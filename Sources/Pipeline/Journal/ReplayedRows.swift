import Journal
import Storage

/// The rows that a replay makes again. Few stay in memory; many go to the journal's outbox as they come, under the
/// numbers that they had.
struct ReplayedRows {
    /// The bounds of the rows in memory, each with its reason.
    enum Limits {
        /// Rows that go to disk in one commit: some 5 MB, for which the fsync hardly matters.
        static let portion = 10_000
    }

    /// The rows that are not on disk: the last ones that were made.
    private(set) var inMemory: [NumberedRow] = []
    /// The number of the newest row.
    private(set) var last: Int64
    /// Some of the rows are on disk.
    private(set) var isSpilling = false
    /// Rows may go to disk: their numbers are those of the process before, and there is room.
    private var canSpill: Bool

    init(first: Int64, canSpill: Bool) {
        last = first - 1
        self.canSpill = canSpill
    }

    /// Takes the next rows. More than a few go to disk.
    mutating func take(_ rows: [NumberedRow], to journal: any StateJournal) throws(JournalError) {
        inMemory += rows
        last = rows.last?.number ?? last
        if canSpill && inMemory.count >= Limits.portion { try spill(to: journal) }
    }

    /// Takes the last rows. They go to disk where earlier ones are, so that one order is read from one place.
    mutating func takeLast(_ rows: [NumberedRow], to journal: any StateJournal) throws(JournalError) {
        try take(rows, to: journal)
        if canSpill && isSpilling && !inMemory.isEmpty { try spill(to: journal) }
    }

    private mutating func spill(to journal: any StateJournal) throws(JournalError) {
        var commit = Commit()
        commit.outboxRows = inMemory.map { OutboxRow($0) }
        do throws(JournalError) {
            try journal.commit(commit)
        } catch {
            // A full disk is no reason not to start. Webhooks are refused until it has room, and the rows wait here.
            guard error.kind == .full, journal.isOpen else { throw error }
            canSpill = false
            return
        }
        isSpilling = true
        inMemory.removeAll()
    }
}
