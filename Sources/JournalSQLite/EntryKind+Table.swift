import Journal
import SQLite
import Wire

/// A group that was read.
struct GroupRow {
    let first: Int64
    let count: Int64
    let bytes: [UInt8]
    /// The checksum is right, and the numbers are plausible.
    let isIntact: Bool

    /// The number of the last entry. Only an intact group has one.
    var last: Int64 { first + count - 1 }
}

/// The table of groups of a kind of entries. The SQL texts are constants, so that running a prepared statement
/// allocates nothing.
extension EntryKind {
    var checksumKind: RowChecksum.Kind { self == .events ? .events : .inputs }
    var base: MetaKey { self == .events ? .eventsBase : .inputsBase }

    private var insertion: String {
        switch self {
        case .events: "INSERT INTO events VALUES (?1, ?2, ?3, ?4)"
        case .inputs: "INSERT INTO inputs VALUES (?1, ?2, ?3, ?4)"
        }
    }

    private var query: String {
        switch self {
        case .events: "SELECT first, count, crc, bytes FROM events WHERE first > ?1 ORDER BY first LIMIT 1"
        case .inputs: "SELECT first, count, crc, bytes FROM inputs WHERE first > ?1 ORDER BY first LIMIT 1"
        }
    }

    private var lastQuery: String {
        switch self {
        case .events: "SELECT first, count, crc, bytes FROM events ORDER BY first DESC LIMIT 1"
        case .inputs: "SELECT first, count, crc, bytes FROM inputs ORDER BY first DESC LIMIT 1"
        }
    }

    private var startQuery: String {
        switch self {
        case .events: "SELECT first FROM events WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
        case .inputs: "SELECT first FROM inputs WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
        }
    }

    private var truncation: String {
        switch self {
        case .events:
            """
            DELETE FROM events WHERE first IN
            (SELECT first FROM events WHERE first + count - 1 <= ?1 AND first <= ?1 ORDER BY first LIMIT ?2)
            """
        case .inputs:
            """
            DELETE FROM inputs WHERE first IN
            (SELECT first FROM inputs WHERE first + count - 1 <= ?1 AND first <= ?1 ORDER BY first LIMIT ?2)
            """
        }
    }

    private var excess: String {
        switch self {
        case .events: "DELETE FROM events WHERE first > ?1"
        case .inputs: "DELETE FROM inputs WHERE first > ?1"
        }
    }

    func insert(_ group: Group, into connection: Connection) throws(SQLiteError) {
        try insert(first: group.first, count: Int64(group.count), group.bytes, into: connection)
    }

    /// Inserts a group as it was read from another file.
    func insert(_ row: GroupRow, into connection: Connection) throws(SQLiteError) {
        try insert(first: row.first, count: row.count, row.bytes, into: connection)
    }

    private func insert(
        first: Int64, count: Int64, _ bytes: [UInt8], into connection: Connection
    ) throws(SQLiteError) {
        let statement = try connection.statement(insertion)
        try statement.bind(first, at: 1)
        try statement.bind(count, at: 2)
        try statement.bind(RowChecksum.of(checksumKind, number: first, count: count, bytes.span), at: 3)
        try statement.bind(bytes.span, at: 4)
        try statement.run()
    }

    /// Returns the next group whose first number is above `key`.
    func row(above key: Int64, in connection: Connection) throws(SQLiteError) -> GroupRow? {
        let statement = try connection.statement(query)
        try statement.bind(key, at: 1)
        guard let row = try read(statement) else { return nil }
        // Only a damaged page gives a row that was not asked for. Reading would never end if it were accepted.
        if row.first <= key { throw .outOfOrder("\(self)") }
        return row
    }

    /// Returns the group with the highest first number.
    func lastRow(in connection: Connection) throws(SQLiteError) -> GroupRow? {
        try read(try connection.statement(lastQuery))
    }

    /// Returns the first number of the group that holds `number`, or would hold it.
    func start(of number: Int64, in connection: Connection) throws(SQLiteError) -> Int64? {
        let statement = try connection.statement(startQuery)
        try statement.bind(number, at: 1)
        defer { statement.reset() }
        return try statement.step() ? statement.int64(at: 0) : nil
    }

    /// Deletes groups that end at or before `base`, the oldest first, at most `most`. Returns how many.
    func truncate(to base: Int64, most: Int, in connection: Connection) throws(SQLiteError) -> Int {
        let statement = try connection.statement(truncation)
        try statement.bind(base, at: 1)
        try statement.bind(Int64(most), at: 2)
        try statement.run()
        return connection.changes
    }

    /// Deletes the groups that begin after `last`.
    func removeExcess(after last: Int64, in connection: Connection) throws(SQLiteError) {
        try connection.run(excess, .integer(last))
    }

    private func read(_ statement: Statement) throws(SQLiteError) -> GroupRow? {
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let first = statement.int64(at: 0)
        let count = statement.int64(at: 1)
        let bytes = statement.bytes(at: 3)
        let isPlausible = first > 0 && count > 0 && count <= Int64(bytes.count) && first <= Int64.max - count
        let crc = RowChecksum.of(checksumKind, number: first, count: count, bytes.span)
        return GroupRow(
            first: first, count: count, bytes: bytes, isIntact: isPlausible && crc == statement.int64(at: 2))
    }
}
