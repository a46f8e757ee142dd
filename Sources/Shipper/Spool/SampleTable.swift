import RemoteWrite
import SQLite
import Wire

/// The two tables of a spool whose rows hold samples. They have the same columns.
enum SampleTable: String, CaseIterable {
    case blocks
    case batches

    private var kind: UInt8 { (self == .blocks ? SpoolRowKind.block : SpoolRowKind.batch).rawValue }

    // The SQL texts are constants, so that a prepared statement is found again.
    private var insertion: String { "INSERT INTO \(self) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" }

    private var headerQuery: String {
        "SELECT number, shard, base, count, oldest, newest, head_crc, crc, length(body) FROM \(self) "
            + "WHERE number > ?1 ORDER BY number"
    }

    private var query: String {
        "SELECT number, shard, base, count, oldest, newest, head_crc, crc, length(body), body FROM \(self) "
            + "WHERE number = ?1"
    }

    private var nextQuery: String {
        "SELECT number, shard, base, count, oldest, newest, head_crc, crc, length(body), body FROM \(self) "
            + "WHERE number > ?1 ORDER BY number LIMIT 1"
    }

    // MARK: Writing

    func insert(
        _ samples: PackedBlock, number: Int64, shard: Int, into connection: Connection
    ) throws(SQLiteError) {
        let head = SampleRowHead(number: number, shard: shard, samples)
        let statement = try connection.statement(insertion)
        try statement.bind(head.number, at: 1)
        try statement.bind(head.shard, at: 2)
        try statement.bind(head.base, at: 3)
        try statement.bind(head.count, at: 4)
        try statement.bind(head.oldest, at: 5)
        try statement.bind(head.newest, at: 6)
        try statement.bind(head.checksum(kind), at: 7)
        try statement.bind(head.crc, at: 8)
        try statement.bind(samples.body.span, at: 9)
        try statement.run()
    }

    /// Deletes a row, and takes it off the totals. Returns false if there is none.
    @discardableResult
    func remove(_ number: Int64, _ totals: inout SpoolTotals, in connection: Connection) throws(SQLiteError) -> Bool {
        let statement = try connection.statement("SELECT count FROM \(self) WHERE number = ?1")
        try statement.bind(number, at: 1)
        guard try statement.step() else { return false }
        let count = statement.int64(at: 0)
        statement.reset()
        guard try connection.run("DELETE FROM \(self) WHERE number = ?1", .integer(number)) > 0 else { return false }
        totals.add(self, -1, samples: SampleRowHead.isPlausible(count: count) ? Int(count) : 0)
        return true
    }

    // MARK: Reading

    /// Calls `body` with every row above `number`, in order, without its samples.
    func forEachHead(
        above number: Int64 = .min, in connection: Connection,
        _ body: (SampleRowHead, _ isIntact: Bool) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        let statement = try connection.statement(headerQuery)
        try statement.bind(number, at: 1)
        try statement.forEachRow { row throws(SQLiteError) in
            let head = SampleRowHead(row)
            try body(head, isIntact(head, row))
        }
    }

    /// Returns the samples of a row; nil if it is not there or damaged.
    func samples(_ number: Int64, in connection: Connection) throws(SQLiteError) -> PackedBlock? {
        let statement = try connection.statement(query)
        try statement.bind(number, at: 1)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let row = row(statement)
        return row.isIntact && row.head.number == number ? row.samples : nil
    }

    /// Returns the next row above `number`, with its samples.
    func row(above number: Int64, in connection: Connection) throws(SQLiteError) -> SampleRow? {
        let statement = try connection.statement(nextQuery)
        try statement.bind(number, at: 1)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let row = row(statement)
        // Only a damaged page gives a row that was not asked for. Reading would never end if it were accepted.
        if row.head.number <= number { throw .outOfOrder("\(self)") }
        return row
    }

    private func row(_ statement: Statement) -> SampleRow {
        let head = SampleRowHead(statement)
        let body = statement.bytes(at: 9)
        return SampleRow(
            head: head, isHeadIntact: isIntact(head, statement),
            isIntact: isIntact(head, statement) && Int64(Checksum.crc32c(body.span)) == head.crc
                && Int64(body.count) == head.bytes, body: body)
    }

    private func isIntact(_ head: SampleRowHead, _ row: Statement) -> Bool {
        head.isPlausible && head.checksum(kind) == row.int64(at: 6)
    }
}
