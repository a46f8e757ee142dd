import Journal
import SQLite

/// Takes over into another file what can be read of a spill: row by row, and only rows with the right checksum.
struct SpillRecovery {
    private enum Limits {
        /// Bytes of one transaction: enough to be fast, few enough that the log stays small.
        static let bytesPerCommit = 2 << 20
    }

    /// The events that were taken over.
    private(set) var keptEvents = 0
    /// The events that are known to be gone. A group whose number of events cannot be read counts as one.
    private(set) var lostEvents = 0
    /// Everything could be read.
    private(set) var isComplete = true

    /// Copies everything that can be read, behind what `target` has. Errors of `source` are losses; errors of `target` are
    /// thrown.
    mutating func copy(from source: Connection?, into target: Connection) throws(SQLiteError) {
        guard let source else {
            isComplete = false
            return
        }
        var last: Int64?
        let holes = try DamagedTable.copy(into: target, weightPerCommit: Limits.bytesPerCommit) {
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
            // Places are given one after the other, and only the lowest are removed.
            if let last { lostEvents += Int(clamping: row.place - last - 1) }
            last = row.place
            guard row.isIntact else {
                lostEvents += row.events
                return 0
            }
            try target.insert(row.group)
            keptEvents += row.group.count
            return row.group.bytes.count
        }
        if let last, let end = try? source.number("SELECT seq FROM sqlite_sequence WHERE name = 'groups'") {
            lostEvents += max(0, Int(clamping: end - last))
        }
        isComplete = holes == 0 && lostEvents == 0
    }
}

/// A row of the table of a spill.
struct SpillRow {
    static let selection = "SELECT place, producer, number, count, crc, bytes FROM groups"

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

    /// The events of the row. The number may be wrong where the row is damaged, so it is held to what the bytes can have.
    var events: Int { isIntact ? group.count : max(1, min(group.count, group.bytes.count)) }
}

extension Connection {
    /// Inserts a row behind the others.
    func insert(_ group: ProducedGroup) throws(SQLiteError) {
        let statement = try statement(
            "INSERT INTO groups (producer, number, count, crc, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")
        try statement.bind(group.producer, at: 1)
        try statement.bind(group.number, at: 2)
        try statement.bind(Int64(group.count), at: 3)
        try statement.bind(group.spillChecksum, at: 4)
        try statement.bind(group.bytes.span, at: 5)
        try statement.run()
    }
}

extension ProducedGroup {
    /// The checksum of a row of the spill. It covers the producer, too.
    var spillChecksum: Int64 {
        let text = Array(producer.utf8) + bytes
        return RowChecksum.of(kind: 1, number: number, count: Int64(count), text.span)
    }
}
