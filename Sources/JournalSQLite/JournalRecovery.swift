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
        if let damaged, let meta = try? damaged.meta() {
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
        try walk(into: fresh) { key throws(SQLiteError) in
            try table.row(above: key, in: damaged)
        } key: {
            $0.first
        } write: { row, recovery throws(SQLiteError) in
            guard row.isIntact else {
                recovery.isComplete = false
                return
            }
            if row.first > expected { recovery.isComplete = false }
            expected = max(expected, row.last + 1)
            try table.insert(row, into: fresh)
            recovery.groups[table, default: 0] += 1
        }
    }

    private mutating func copyRows(from damaged: Connection, into fresh: Connection) throws(SQLiteError) {
        try walk(into: fresh) { key throws(SQLiteError) in
            try damaged.outboxRow(above: key)
        } key: {
            $0.row.sequence
        } write: { found, recovery throws(SQLiteError) in
            recovery.isComplete = recovery.isComplete && found.isIntact
            guard found.isIntact else { return }
            try fresh.insertRow(found.row)
            recovery.rows += 1
        }
        try walk(into: fresh) { key throws(SQLiteError) in
            try damaged.segment(above: key)
        } key: {
            $0.key
        } write: { found, recovery throws(SQLiteError) in
            recovery.isComplete = recovery.isComplete && found.isIntact
            guard found.isIntact else { return }
            try fresh.insertSegment(found.segment)
            recovery.segments += 1
        }
        // Dead letters and pushed series do not change what is counted, so their loss leaves the copy complete.
        let isComplete = self.isComplete
        try walk(into: fresh) { key throws(SQLiteError) in
            try damaged.deadLetter(above: key)
        } key: {
            $0.row.sequence
        } write: { found, _ throws(SQLiteError) in
            if found.isIntact { try fresh.insertDeadLetter(found.row) }
        }
        try walk(into: fresh) { key throws(SQLiteError) in
            try damaged.series(above: key)
        } key: {
            $0.number
        } write: { found, _ throws(SQLiteError) in
            if found.isIntact { try fresh.insertSeries(found.key) }
        }
        self.isComplete = isComplete
    }

    /// Passes all rows that `read` returns to `write`, in transactions of the new file.
    private mutating func walk<Row>(
        into fresh: Connection, _ read: (Int64) throws(SQLiteError) -> Row?, key: (Row) -> Int64,
        write: (Row, inout JournalRecovery) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        var position = Int64.min
        var written = 0
        try fresh.begin()
        do throws(SQLiteError) {
            while true {
                let found: (row: Row?, isDamaged: Bool)
                do throws(SQLiteError) {
                    found = try DamagedTable.row(above: position, read)
                } catch {
                    // The damaged file does not even know the table.
                    isComplete = false
                    break
                }
                if found.isDamaged { isComplete = false }
                guard let row = found.row else { break }
                position = key(row)
                try write(row, &self)
                written += 1
                if written % Limits.rowsPerCommit == 0 {
                    try fresh.commit()
                    try fresh.begin()
                }
                if position == .max { break }
            }
        } catch {
            fresh.rollBack()
            throw error
        }
        try fresh.commit()
    }
}
