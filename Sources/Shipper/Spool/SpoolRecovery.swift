import RemoteWrite
import SQLite
import Wire

/// Takes over into a new spool what can be read of a damaged one: row by row, and only rows with the right checksum.
struct SpoolRecovery {
    private enum Limits {
        /// Bytes of one transaction: enough to be fast, few enough that the log stays small.
        static let bytesPerCommit = 2 << 20
    }

    /// The rows that were taken over.
    private(set) var found = SpoolTotals()
    /// The rows that the damaged file says it holds; nil if that cannot be read.
    private var expected: SpoolTotals?
    /// Rows and runs of rows that could not be read.
    private var damaged = 0

    /// Rows that are gone, as far as is known: at least one, because something was damaged.
    var lostRows: Int { max(damaged, (expected?.rows ?? 0) - found.rows, 1) }
    var lostSamples: Int { max(0, (expected?.samples ?? 0) - found.samples) }

    var description: String {
        "\(found.series) series and \(found.samples) samples were taken over into a new file; \(lostRows) rows and at "
            + "least \(lostSamples) samples are gone."
    }

    /// Copies everything that can be read. Errors of the damaged file are losses; errors of the new one are thrown.
    mutating func copy(from source: Connection?, into fresh: Connection) throws(SQLiteError) {
        if let source {
            // A table that is not known, or whose pages are all damaged, is lost.
            let meta = try DamagedTable.unlessDamaged { () throws(SQLiteError) in try source.meta() }
            expected = meta?.values[.totals].flatMap { SpoolTotals($0) }
            if meta == nil { damaged += 1 }
            damaged += meta?.damaged.count ?? 0
            if let requests = meta?.values[.requests] { try fresh.setMeta(.requests, requests) }
            try copySeries(from: source, into: fresh)
            for table in SampleTable.allCases { try copy(table, from: source, into: fresh) }
        }
        try fresh.setMeta(.totals, found.encoded)
        try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    private mutating func copySeries(from source: Connection, into fresh: Connection) throws(SQLiteError) {
        var decoder = SpooledSeriesDecoder()
        var overlap = SeriesOverlap()
        let holes = try DamagedTable.copy(into: fresh, weightPerCommit: Limits.bytesPerCommit) {
            key throws(SQLiteError) -> SeriesRow? in
            let statement = try source.statement(SeriesRow.query)
            try statement.bind(key, at: 1)
            defer { statement.reset() }
            guard try statement.step() else { return nil }
            let row = SeriesRow(statement, &decoder)
            if row.firstRow <= key { throw .outOfOrder("series") }
            return row
        } key: {
            $0.firstRow
        } write: { row throws(SQLiteError) in
            guard overlap.accept(row) != nil else {
                damaged += 1
                return 0
            }
            try fresh.insertSeries(row.firstRow, row.body)
            found.series += 1
            return row.body.count
        }
        damaged += holes
    }

    private mutating func copy(
        _ table: SampleTable, from source: Connection, into fresh: Connection
    ) throws(SQLiteError) {
        let holes = try DamagedTable.copy(into: fresh, weightPerCommit: Limits.bytesPerCommit) {
            key throws(SQLiteError) in
            try table.row(above: key, in: source)
        } key: {
            $0.head.number
        } write: { row throws(SQLiteError) in
            guard row.isIntact else {
                damaged += 1
                return 0
            }
            try table.insert(row.samples, number: row.head.number, shard: Int(row.head.shard), into: fresh)
            found.add(table, 1, samples: Int(row.head.count))
            return row.body.count
        }
        damaged += holes
    }
}
