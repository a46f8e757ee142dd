import Journal
import Platform
import Status
import Storage
import Synchronization
import Wire

// What the thread publishes for people. Nobody else may look at what it owns.

extension JournalWorker {
    /// Publishes that the journal can be written, or that there is none and nothing has failed.
    func publishGood(isUp: Bool?) {
        inbox.published.withLock { published in
            published.condition.isUp = isUp
            published.condition.error = ""
            published.condition.since = nil
            published.condition.advice = nil
        }
    }

    /// Publishes why the journal cannot be opened or written.
    func publish(_ error: any Error, _ advice: Advice) {
        let now = time.now()
        inbox.published.withLock { published in
            published.condition.isUp = false
            published.condition.error = "\(error)"
            published.condition.since = published.condition.since ?? now
            published.condition.advice = advice
        }
    }

    /// Publishes what became of a snapshot.
    func publish(snapshotError: String?) {
        inbox.published.withLock { $0.condition.snapshotError = snapshotError ?? "" }
    }

    /// Publishes a row that the database refused. The reason has no value of the row.
    func publish(_ row: RefusedRow, at now: Timestamp) {
        let reason = row.error.description
        inbox.published.withLock { $0.deadLetters.note(at: now, table: row.row.table, reason: reason) }
    }

    /// Publishes how many rows that the database refused are in the journal.
    func publishDeadLetters() {
        guard let numbers = files?.journal.numbers else { return }
        inbox.published.withLock { published in
            published.deadLetters.kept = numbers.deadLetterCount
            published.deadLetters.dropped = Int(numbers.deadLettersDropped)
        }
    }

    /// Publishes what waits here, at most once a second.
    func publishTablesIfDue() {
        let now = time.monotonic()
        guard now >= nextStatus else { return }
        nextStatus = now + JournalSettings.Limits.statusPace
        let tables = [
            TableMemory("journal_inputs", commit.inputs.count, size_bytes: commit.inputs.size_bytes),
            TableMemory("journal_rows_held", held.count),
            TableMemory("journal_rows_pending", backlog.pending.count, max: RowBacklog.Limits.pending),
            TableMemory("journal_dead_letters", commit.deadLetters.count, max: Commit.Limits.deadLetters),
        ]
        inbox.published.withLock { $0.tables = tables }
    }
}
