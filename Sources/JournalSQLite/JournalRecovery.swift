import Journal
import SQLite

/// Takes over into a new journal what can be read of a damaged one: row by row, and only rows with the right checksum.
struct JournalRecovery {
    private enum Limits {
        /// Rows of one transaction: enough to be fast, few enough that the log stays small.
        static let rowsPerCommit = 256
    }

    /// Nothing is missing, so the numbers mean what they meant and the journal keeps its id.
    private(set) var keepsID = false
    /// The id of the damaged journal; nil where it could not be read.
    private(set) var formerID: String?
    private var groups: [EntryKind: Int] = [:]
    private var rows = 0
    private var segments = 0
    private var isComplete = true

    var description: String {
        let kept =
            "\(groups[.events] ?? 0) groups of events, \(groups[.inputs] ?? 0) groups of inputs, \(rows) rows for the "
            + "database and \(segments) lists of ids were taken over"
        return keepsID ? "\(kept); nothing is missing." : "\(kept); something is missing, or may be."
    }

    /// Copies everything that can be read. Errors of the damaged file are losses; errors of the new one are thrown.
    mutating func copy(
        from damaged: Connection?, into fresh: Connection, newID: String, hasLost: Bool
    ) throws(SQLiteError) {
        try JournalSchema.make(in: fresh, id: newID, hasLost: false)
        var values: [MetaKey: String] = [:]
        let meta = try DamagedTable.unlessDamaged { () throws(SQLiteError) in try damaged?.meta() }
        if let damaged, let meta = meta ?? nil {
            values = meta.values
            isComplete = meta.isIntact
            formerID = values[.id]
            for table in EntryKind.allCases {
                try copy(table, from: damaged, into: fresh, base: values[table.base].flatMap { Int64($0) } ?? 0)
            }
            try copyRows(from: damaged, into: fresh)
        } else {
            isComplete = false
        }
        keepsID = isComplete && !hasLost && formerID != nil
        try fresh.transaction { () throws(SQLiteError) in
            for (key, value) in values where key != .format && key != .id && (key != .formerID || keepsID) {
                try fresh.setMeta(key, value)
            }
            if let formerID { try fresh.setMeta(keepsID ? .id : .formerID, formerID) }
            if !keepsID { try fresh.setMeta(.hasLost, 1) }
        }
        try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    private mutating func copy(
        _ table: EntryKind, from damaged: Connection, into fresh: Connection, base: Int64
    ) throws(SQLiteError) {
        var expected = base + 1
        let isWhole = try Self.copyRows(into: fresh) { key throws(SQLiteError) in
            try table.row(above: key, in: damaged)
        } key: {
            $0.first
        } write: { row throws(SQLiteError) in
            guard row.isIntact else { return false }
            let follows = row.first <= expected
            expected = max(expected, row.last + 1)
            try table.insert(row, into: fresh)
            groups[table, default: 0] += 1
            return follows
        }
        isComplete = isComplete && isWhole
    }

    private mutating func copyRows(from damaged: Connection, into fresh: Connection) throws(SQLiteError) {
        let hasRows = try Self.copyRows(into: fresh) { key throws(SQLiteError) in
            try damaged.outboxRow(above: key)
        } key: {
            $0.row.sequence
        } write: { found throws(SQLiteError) in
            guard found.isIntact else { return false }
            try fresh.insertRow(found.row)
            rows += 1
            return true
        }
        let hasSegments = try Self.copyRows(into: fresh) { key throws(SQLiteError) in
            try damaged.segment(above: key)
        } key: {
            $0.key
        } write: { found throws(SQLiteError) in
            guard found.isIntact else { return false }
            try fresh.insertSegment(found.segment)
            segments += 1
            return true
        }
        isComplete = isComplete && hasRows && hasSegments
        // Dead letters and pushed series do not change what is counted, so their loss leaves the copy complete.
        _ = try Self.copyRows(into: fresh) { key throws(SQLiteError) in
            try damaged.deadLetter(above: key)
        } key: {
            $0.row.sequence
        } write: { found throws(SQLiteError) in
            if found.isIntact { try fresh.insertDeadLetter(found.row) }
            return found.isIntact
        }
        _ = try Self.copyRows(into: fresh) { key throws(SQLiteError) in
            try damaged.series(above: key)
        } key: {
            $0.number
        } write: { found throws(SQLiteError) in
            if found.isIntact { try fresh.insertSeries(found.key) }
            return found.isIntact
        }
    }

    /// Returns whether all rows could be read and `write` accepted each of them.
    private static func copyRows<Row>(
        into fresh: Connection, _ read: (Int64) throws(SQLiteError) -> Row?, key: (Row) -> Int64,
        write: (Row) throws(SQLiteError) -> Bool
    ) throws(SQLiteError) -> Bool {
        var isWhole = true
        let holes = try DamagedTable.copy(into: fresh, weightPerCommit: Limits.rowsPerCommit, read, key: key) {
            row throws(SQLiteError) in
            if try !write(row) { isWhole = false }
            return 1
        }
        return isWhole && holes == 0
    }
}
