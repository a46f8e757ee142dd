import Journal
import Platform
import SQLite

/// Takes over into a new file what can be read of one or several spills: row by row, and only rows with the right
/// checksum.
struct SpillRecovery {
    private enum Limits {
        /// Bytes of one transaction: enough to be fast, few enough that the log stays small.
        static let bytesPerCommit = 2 << 20
    }

    /// The events that were taken over. They count only after the last copy succeeded.
    private(set) var keptEvents = 0
    /// The events that are gone, as far as is known: each place that cannot be read counts as one.
    private(set) var lostEvents = 0
    /// Everything could be read.
    private(set) var isComplete = true
    /// The highest place that was read.
    private(set) var lastPlace: Int64 = 0

    /// Copies everything that can be read. Rows keep their places, unless these are damaged or belong to rows that were
    /// copied before: those come behind the others, under producers of their own. Damage of `source` is a loss; any other
    /// error is thrown, and nothing counts.
    ///
    /// - Parameter source: nil where it is so damaged that it cannot be opened.
    mutating func copy(from source: Connection?, into fresh: Connection) throws(SQLiteError) {
        guard let source else {
            isComplete = false
            return
        }
        var last = lastPlace
        let holes = try DamagedTable.copy(into: fresh, weightPerCommit: Limits.bytesPerCommit) {
            place throws(SQLiteError) -> SpillRow? in
            let statement = try source.statement("\(SpillRow.selection) WHERE place > ?1 ORDER BY place LIMIT 1")
            try statement.bind(place, at: 1)
            defer { statement.reset() }
            guard try statement.step() else { return nil }
            let row = SpillRow(statement)
            if row.place <= place { throw .outOfOrder("groups") }
            return row
        } key: {
            $0.place
        } write: { row throws(SQLiteError) in
            guard row.isIntact else {
                lostEvents += row.events
                isComplete = false
                return 0
            }
            var group = row.group
            let isSound = row.place > last && row.place <= SpillRow.mostPlaces
            // Behind higher numbers of its producer, the log would take the group for a repeated one.
            if !isSound { group.producer = RandomID.make() }
            last = max(last, try fresh.insert(group, place: isSound ? row.place : nil))
            keptEvents += row.group.count
            return row.group.bytes.count
        }
        lostEvents += holes
        if holes > 0 { isComplete = false }
        lastPlace = max(last, lastPlace)
    }
}

/// A row of the table of a spill.
struct SpillRow {
    static let selection = "SELECT place, producer, number, count, crc, bytes FROM groups"
    /// The events of a row. The number may be wrong where the row is damaged, so it is held to what the bytes can have.
    static let eventsOfRow = "MAX(1, MIN(count, LENGTH(bytes)))"
    /// More places than a spill can come to. A higher one is damaged.
    static let mostPlaces: Int64 = 1 << 53

    let place: Int64
    let group: ProducedGroup
    /// The row has its checksum.
    let isIntact: Bool

    init(_ statement: Statement) {
        place = statement.int64(at: 0)
        group = ProducedGroup(
            producer: statement.text(at: 1), number: statement.int64(at: 2),
            count: Int(statement.int64(at: 3)), bytes: statement.bytes(at: 5))
        isIntact = group.spillChecksum == statement.int64(at: 4)
    }

    /// The same as `eventsOfRow`.
    var events: Int { max(1, min(group.count, group.bytes.count)) }
}

/// The events and bytes of rows of a spill together.
struct SpillTotals {
    let events: Int
    let size_bytes: Int

    init(of connection: Connection, upTo place: Int64 = .max) throws(SQLiteError) {
        let statement = try connection.statement(
            "SELECT SUM(\(SpillRow.eventsOfRow)), SUM(LENGTH(bytes)) FROM groups WHERE place <= ?1")
        defer { statement.reset() }
        try statement.bind(place, at: 1)
        let isThere = try statement.step()
        events = isThere ? Int(statement.int64(at: 0)) : 0
        size_bytes = isThere ? Int(statement.int64(at: 1)) : 0
    }
}

extension Connection {
    /// Inserts a row, by default behind all others. Returns its place.
    func insert(_ group: ProducedGroup, place: Int64? = nil) throws(SQLiteError) -> Int64 {
        let statement = try statement(
            """
            INSERT INTO groups (place, producer, number, count, crc, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            RETURNING place
            """)
        defer { statement.reset() }
        try statement.bind(place.map { .integer($0) } ?? .null, at: 1)
        try statement.bind(group.producer, at: 2)
        try statement.bind(group.number, at: 3)
        try statement.bind(Int64(group.count), at: 4)
        try statement.bind(group.spillChecksum, at: 5)
        try statement.bind(group.bytes.span, at: 6)
        guard try statement.step() else { return 0 }
        let inserted = statement.int64(at: 0)
        _ = try statement.step()
        return inserted
    }

    /// Gives rows that are inserted later higher places. https://www.sqlite.org/autoinc.html
    func raiseSequence(to place: Int64) throws(SQLiteError) {
        let now = try number("SELECT seq FROM sqlite_sequence WHERE name = 'groups'") ?? 0
        if now >= place { return }
        try run(
            """
            INSERT INTO sqlite_sequence (name, seq) SELECT 'groups', 0
            WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'groups')
            """)
        try run("UPDATE sqlite_sequence SET seq = MAX(seq, ?1) WHERE name = 'groups'", .integer(place))
    }
}

extension ProducedGroup {
    /// The checksum of a row of the spill. It covers the producer, too.
    var spillChecksum: Int64 {
        let text = Array(producer.utf8) + bytes
        return RowChecksum.of(kind: 1, number: number, count: Int64(count), text.span)
    }
}
