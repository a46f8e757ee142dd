package import Journal
import SQLite
import Wire

extension JournalFile {
    /// Reads the entries after `number`, in order.
    package func entries(_ kind: EntryKind, after number: Int64) -> GroupCursor {
        GroupCursor(self, kind, after: number)
    }

    // MARK: Outbox

    /// Returns the next rows of the outbox after `sequence`, at most `limit`. Fewer rows mean that there are no more.
    package func outbox(after sequence: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow> {
        try page(after: sequence, limit: limit) { connection, key throws(SQLiteError) in
            try connection.outboxRow(above: key).map { ($0.row.sequence, $0.row, $0.isIntact) }
        }
    }

    /// Returns the lowest and the highest number of the rows in the outbox; nil where it is empty.
    package func outboxExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)? {
        try use { connection throws(SQLiteError) in
            guard let oldest = try connection.number("SELECT MIN(sequence) FROM outbox"),
                let newest = try connection.number("SELECT MAX(sequence) FROM outbox")
            else { return nil }
            return (oldest, newest)
        }
    }

    // MARK: Dead letters, ids, series

    /// Returns the next dead letters after `sequence`, the oldest first, at most `limit`.
    package func deadLetters(after sequence: Int64, limit: Int) throws(JournalError) -> JournalPage<DeadLetter> {
        try page(after: sequence, limit: limit) { connection, key throws(SQLiteError) in
            try connection.deadLetter(above: key).map { ($0.row.sequence, $0.row, $0.isIntact) }
        }
    }

    /// Calls `body` with each id segment, in the order of their commits. Returns how many could not be read.
    package func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int {
        var position = Int64.min
        var damaged = 0
        while true {
            let key = position
            let found = try use { connection throws(SQLiteError) in
                try DamagedTable.row(above: key) { key throws(SQLiteError) in try connection.segment(above: key) }
            }
            if found.isDamaged { damaged += 1 }
            guard let row = found.row else { return damaged }
            position = row.key
            if row.isIntact { body(row.segment) } else { damaged += 1 }
        }
    }

    /// Returns the keys of all series that are pushed to any destination, in no particular order.
    package func shipped() throws(JournalError) -> JournalPage<[UInt8]> {
        try page(after: .min, limit: .max) { connection, key throws(SQLiteError) in
            try connection.series(above: key).map { ($0.number, $0.key, $0.isIntact) }
        }
    }

    private func page<Element: Sendable>(
        after sequence: Int64, limit: Int,
        _ read: (Connection, Int64) throws(SQLiteError) -> (key: Int64, element: Element, isIntact: Bool)?
    ) throws(JournalError) -> JournalPage<Element> {
        var page = JournalPage<Element>()
        var position = sequence
        while page.elements.count < limit {
            let key = position
            let found = try use { connection throws(SQLiteError) in
                try DamagedTable.row(above: key) { key throws(SQLiteError) in try read(connection, key) }
            }
            if found.isDamaged { page.damaged += 1 }
            guard let row = found.row else { break }
            position = row.key
            if row.isIntact { page.elements.append(row.element) } else { page.damaged += 1 }
        }
        return page
    }
}

extension Connection {
    func outboxRow(above key: Int64) throws(SQLiteError) -> (row: OutboxRow, isIntact: Bool)? {
        let statement = try statement("SELECT sequence, crc, bytes FROM outbox WHERE sequence > ?1 ORDER BY 1 LIMIT 1")
        guard try seek(statement, key, "outbox") else { return nil }
        defer { statement.reset() }
        let row = OutboxRow(sequence: statement.int64(at: 0), bytes: statement.bytes(at: 2))
        let crc = RowChecksum.of(.outbox, number: row.sequence, row.bytes.span)
        return (row, crc == statement.int64(at: 1))
    }

    func segment(above key: Int64) throws(SQLiteError) -> (key: Int64, segment: JournalIDSegment, isIntact: Bool)? {
        let statement = try statement(
            "SELECT number, snapshot, kind, latest, crc, bytes FROM ids WHERE number > ?1 ORDER BY 1 LIMIT 1")
        guard try seek(statement, key, "ids") else { return nil }
        defer { statement.reset() }
        let segment = JournalIDSegment(
            snapshot: statement.int64(at: 1), kind: Int(statement.int64(at: 2)),
            latest: Timestamp(milliseconds: statement.int64(at: 3)), bytes: statement.bytes(at: 5))
        return (statement.int64(at: 0), segment, segment.checksum == statement.int64(at: 4))
    }

    func deadLetter(above key: Int64) throws(SQLiteError) -> (row: DeadLetter, isIntact: Bool)? {
        let statement = try statement(
            "SELECT sequence, at, crc, reason, row FROM set_aside WHERE sequence > ?1 ORDER BY 1 LIMIT 1")
        guard try seek(statement, key, "set_aside") else { return nil }
        defer { statement.reset() }
        let row = DeadLetter(
            sequence: statement.int64(at: 0), at: Timestamp(milliseconds: statement.int64(at: 1)),
            reason: statement.text(at: 3), row: statement.text(at: 4))
        return (row, row.checksum == statement.int64(at: 2))
    }

    func series(above key: Int64) throws(SQLiteError) -> (number: Int64, key: [UInt8], isIntact: Bool)? {
        let statement = try statement("SELECT number, crc, key FROM shipped WHERE number > ?1 ORDER BY 1 LIMIT 1")
        guard try seek(statement, key, "shipped") else { return nil }
        defer { statement.reset() }
        let bytes = statement.bytes(at: 2)
        return (statement.int64(at: 0), bytes, RowChecksum.of(.shipped, bytes.span) == statement.int64(at: 1))
    }

    /// Goes to the first row above `key`; false where there is none.
    private func seek(_ statement: Statement, _ key: Int64, _ table: String) throws(SQLiteError) -> Bool {
        try statement.bind(key, at: 1)
        guard try statement.step() else { return false }
        // Only a damaged page gives a row that was not asked for. Reading would never end if it were accepted.
        if statement.int64(at: 0) <= key {
            statement.reset()
            throw .outOfOrder(table)
        }
        return true
    }
}
