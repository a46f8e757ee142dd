import Journal
import Postgres
import Storage
import Wire

extension PostgresJournal {
    func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor {
        let base = kind == .events ? numbers.eventsBase : numbers.inputsBase
        let last = kind == .events ? numbers.lastEvent : numbers.lastInput
        return LogCursor(connection, kind, from: max(number, base) + 1, to: last)
    }

    func appended(after number: Int64, limit: Int) throws(JournalError) -> any EntryCursor {
        let start = max(number, numbers.eventsBase) + 1
        let groups = try JournalError.ofDatabase { () throws(StoreError) in
            try EntryKind.events.groups(from: start, to: .max, entries: limit, over: connection)
        }
        return LogCursor(connection, from: start, in: groups)
    }

    // MARK: Outbox

    func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow> {
        try page(
            "read the outbox",
            """
            SELECT sequence, checksum, bytes FROM (
                SELECT e.*, sum(octet_length(bytes)) OVER w - octet_length(bytes) AS bytes_before
                FROM (SELECT sequence, checksum, bytes FROM lkpush_journal_outbox
                    WHERE log = $1 AND sequence > $2 ORDER BY sequence LIMIT $3) e
                WINDOW w AS (ORDER BY sequence ROWS UNBOUNDED PRECEDING)) p
            WHERE bytes_before < \(LogSettings.Limits.portion_bytes) ORDER BY sequence
            """, after: .integer(number), limit: limit
        ) { row in
            let sequence = row[0].asInteger ?? 0
            let bytes = row[2].asBytes ?? []
            let isIntact = LogChecksum.of(.outbox, number: sequence, bytes) == row[1].asInteger
            return isIntact ? OutboxRow(sequence: sequence, bytes: bytes) : nil
        }
    }

    func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)? {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.query(
                "read the outbox",
                LogCall("SELECT min(sequence), max(sequence) FROM lkpush_journal_outbox WHERE log = $1", log))
        }
        guard let oldest = rows.first?[0].asInteger, let newest = rows.first?[1].asInteger else { return nil }
        return (oldest, newest)
    }

    // MARK: Ids, series

    func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int {
        var position: Int64 = .min
        var damaged = 0
        while true {
            let key = position
            // A segment may be large, so each one is read by itself.
            let rows = try JournalError.ofDatabase { () throws(StoreError) in
                try connection.query(
                    "read ids",
                    LogCall(
                        """
                        SELECT number, snapshot, kind, latest, checksum, bytes FROM lkpush_journal_ids
                        WHERE log = $1 AND number > $2 ORDER BY number LIMIT 1
                        """, log, .integer(key)))
            }
            guard let row = rows.first, let number = row[0].asInteger, number > key else { return damaged }
            position = number
            let segment = JournalIDSegment(
                snapshot: row[1].asInteger ?? 0, kind: Int(row[2].asInteger ?? 0),
                latest: Timestamp(milliseconds: row[3].asInteger ?? 0), bytes: row[5].asBytes ?? [])
            if segment.checksum == row[4].asInteger { body(segment) } else { damaged += 1 }
        }
    }

    func shipped() throws(JournalError) -> JournalPage<[UInt8]> {
        try page(
            "read the pushed series",
            """
            SELECT hash, checksum, key FROM lkpush_journal_shipped WHERE log = $1 AND hash > $2 ORDER BY hash LIMIT $3
            """, after: .bytes([]), limit: .max
        ) { row in
            let key = row[2].asBytes ?? []
            return LogChecksum.of(.shipped, key) == row[1].asInteger ? key : nil
        }
    }

    /// Reads rows in portions, in the order of the first column.
    private func page<Element: Sendable>(
        _ operation: String, _ sql: String, after start: BinaryValue, limit: Int,
        _ read: ([BinaryValue]) -> Element?
    ) throws(JournalError) -> JournalPage<Element> {
        var page = JournalPage<Element>()
        var position = start
        while page.elements.count < limit {
            let key = position
            let most = min(limit - page.elements.count, LogSettings.Limits.portion_rows)
            let rows = try JournalError.ofDatabase { () throws(StoreError) in
                try connection.query(operation, LogCall(sql, log, key, .integer(Int64(most))))
            }
            guard let last = rows.last, last[0] != key else { break }
            position = last[0]
            for row in rows {
                if let element = read(row) { page.elements.append(element) } else { page.damaged += 1 }
            }
        }
        return page
    }

    // MARK: Size

    /// The size of the tables of all logs in this database, with the room in them that is free. The server knows it without
    /// reading them.
    func size_bytes() throws(JournalError) -> Int {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.query("look at the size", LogCall(Self.size))
        }
        return Int(rows.first?[0].asInteger ?? 0)
    }

    private static var size: String {
        let tables = [
            "events", "producers", "inputs", "state", "texts", "shipped", "outbox", "dead_letters", "ids", "snapshots",
            "snapshot_parts", "deaths",
        ]
        let sizes = tables.map { "pg_total_relation_size('lkpush_journal_\($0)')" }
        return "SELECT (\(sizes.joined(separator: " + ")))::bigint"
    }
}
