package import Journal
import Postgres
import Storage
import Wire

/// The end of a log, and its content, for whoever moves a journal.
extension PostgresLog {
    /// Makes the end of a log that is being moved. Others cannot append to it.
    package func eventLogOfMove() -> any EventLog { PostgresEventLog(place, ignoresMark: true) }

    /// Opens the journal under an epoch that was taken for a move.
    package func movableJournal(epoch: Int64, snapshotFormat: Int) throws(JournalError) -> any MovableJournal {
        try PostgresJournal(place, epoch: epoch, snapshotFormat: snapshotFormat, hasLost: false)
    }

    /// Removes everything from a log but its id, its lease, and the last number of each producer: a group that is repeated
    /// late stays known. The log must be marked (`LogMark`), so that nobody appends meanwhile.
    package func clear(epoch: Int64) throws(JournalError) {
        let connection = LogConnection(place)
        defer { connection.close() }
        let log = BinaryValue.text(place.name)
        let tables = [
            "events", "inputs", "texts", "shipped", "outbox", "dead_letters", "ids", "snapshots", "snapshot_parts",
            "deaths",
        ]
        do throws(StoreError) {
            _ = try connection.transaction(
                "clear the log",
                [
                    LogCall(PostgresJournal.fence, log, .integer(epoch)), LogCall(PostgresJournal.stateLock, log),
                    LogCall(PostgresEventLog.lock, log), LogCall(Self.keptProducers, log),
                ] + tables.map { LogCall("DELETE FROM lkpush_journal_\($0) WHERE log = $1", log) } + [
                    LogCall("UPDATE lkpush_journal_trims SET events_base = 0, inputs_base = 0 WHERE log = $1", log),
                    LogCall(Self.emptyState, log),
                ])
        } catch {
            throw error.code == JournalError.fenceCode
                ? JournalError(.replaced, "epoch \(epoch) is over: another move, or a replica, has the log")
                : JournalError(error)
        }
    }

    private static let keptProducers = """
        INSERT INTO lkpush_journal_producers AS p
        SELECT $1, producer, max(number), clock_timestamp() FROM lkpush_journal_events WHERE log = $1 GROUP BY producer
        ON CONFLICT (log, producer) DO UPDATE SET trimmed_at = excluded.trimmed_at,
            last_number = GREATEST(p.last_number, excluded.last_number)
        """

    private static let emptyState = """
        UPDATE lkpush_journal_state SET has_lost = false, event_applied = 0, event_finished = 0, rows_applied = 0,
            input_applied = 0, last_reading = NULL, unjournaled_after = NULL, dead_letters_dropped = 0
        WHERE log = $1
        """
}

extension PostgresJournal: MovableJournal {
    func deadLetters(after sequence: Int64, limit: Int) throws(JournalError) -> JournalPage<DeadLetter> {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.query(
                "read dead letters",
                LogCall(
                    """
                    SELECT sequence, at, checksum, reason, row_text FROM lkpush_journal_dead_letters
                    WHERE log = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
                    """, log, .integer(sequence), .integer(Int64(limit))))
        }
        var page = JournalPage<DeadLetter>()
        for row in rows {
            let letter = DeadLetter(
                sequence: row[0].asInteger ?? 0, at: Timestamp(milliseconds: row[1].asInteger ?? 0),
                reason: String(decoding: row[3].asBytes ?? [], as: UTF8.self),
                row: String(decoding: row[4].asBytes ?? [], as: UTF8.self))
            if letter.checksum == row[2].asInteger { page.elements.append(letter) } else { page.damaged += 1 }
        }
        return page
    }
}
