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

/// A row with samples, as it was read.
struct SampleRow {
    let head: SampleRowHead
    /// What is said of the samples is right.
    let isHeadIntact: Bool
    /// The samples are right, too.
    let isIntact: Bool
    let body: [UInt8]

    var samples: PackedBlock {
        PackedBlock(
            base: Timestamp(milliseconds: head.base), count: Int(head.count),
            oldest: Timestamp(milliseconds: head.oldest), newest: Timestamp(milliseconds: head.newest), body: body)
    }
}

/// A row with samples without the samples.
struct SampleRowHead {
    let number: Int64
    let shard: Int64
    let base: Int64
    let count: Int64
    let oldest: Int64
    let newest: Int64
    /// The checksum of the samples, and their bytes.
    let crc: Int64
    let bytes: Int64

    init(number: Int64, shard: Int, _ samples: PackedBlock) {
        self.number = number
        self.shard = Int64(shard)
        base = samples.base.milliseconds
        count = Int64(samples.count)
        oldest = samples.oldest.milliseconds
        newest = samples.newest.milliseconds
        crc = Int64(Checksum.crc32c(samples.body.span))
        bytes = Int64(samples.body.count)
    }

    /// Reads the columns 0 to 5, 7 and 8 of a row.
    init(_ row: Statement) {
        number = row.int64(at: 0)
        shard = row.int64(at: 1)
        base = row.int64(at: 2)
        count = row.int64(at: 3)
        oldest = row.int64(at: 4)
        newest = row.int64(at: 5)
        crc = row.int64(at: 7)
        bytes = row.int64(at: 8)
    }

    /// The numbers are some that a writer can have. A sample takes a byte at least, before compression.
    var isPlausible: Bool {
        Self.isPlausible(count: count) && oldest <= newest && shard >= 0 && shard <= Int64(Int32.max) && bytes >= 0
    }

    static func isPlausible(count: Int64) -> Bool { count >= 0 && count <= Int64(PackedBlock.Limits.raw_bytes) }

    func checksum(_ kind: UInt8) -> Int64 {
        var fields: [UInt8] = []
        fields.reserveCapacity(48)
        for value in [shard, base, oldest, newest, crc, bytes] {
            for place in 0..<8 { fields.append(UInt8(truncatingIfNeeded: value >> Int64(8 * place))) }
        }
        return RowChecksum.of(kind: kind, number: number, count: count, fields.span)
    }

    /// What a caller sees of it.
    var header: SpoolContents.Header {
        SpoolContents.Header(
            number: number, shard: Int(shard), count: Int(count), oldest: Timestamp(milliseconds: oldest),
            newest: Timestamp(milliseconds: newest), bytes: Int(bytes))
    }
}
