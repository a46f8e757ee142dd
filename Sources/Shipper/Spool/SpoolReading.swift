import RemoteWrite
import SQLite
import Wire

/// Reads what a sound file holds, but for the samples, and tells good rows from damaged ones.
struct SpoolReading {
    private(set) var contents = SpoolContents()
    /// The rows that are good.
    private(set) var found = SpoolTotals()
    private(set) var damage = SpoolDamage()

    mutating func read(_ connection: Connection) throws(SQLiteError) {
        let (values, damaged) = try connection.meta()
        damage.values = damaged
        if let body = values[.requests] {
            // Bytes with the right checksum that are no such message come from a later program or a fault of the writer.
            contents.requests = try? SpooledRequests(decoding: body)
            if contents.requests == nil { damage.values.append(.requests) }
        }
        try readSeries(connection)
        for table in SampleTable.allCases { try readHeads(of: table, connection) }
        let expected = values[.totals].flatMap { SpoolTotals($0) }
        if expected == nil && !damage.values.contains(.totals) { damage.values.append(.totals) }
        contents.damagedRows = max(damage.count, (expected?.rows ?? 0) - found.rows)
        contents.damagedSamples = max(0, (expected?.samples ?? 0) - found.samples)
    }

    /// Adds what was lost before the file could be read.
    mutating func add(lostRows: Int, lostSamples: Int) {
        contents.damagedRows += lostRows
        contents.damagedSamples += lostSamples
    }

    private mutating func readSeries(_ connection: Connection) throws(SQLiteError) {
        var decoder = SpooledSeriesDecoder()
        var overlap = SeriesOverlap()
        let statement = try connection.statement(SeriesRow.query)
        try statement.bind(Int64.min, at: 1)
        try statement.forEachRow { statement in
            let row = SeriesRow(statement, &decoder)
            if let series = overlap.accept(row) {
                contents.series.append(series)
                found.series += 1
            } else {
                damage.rows[.series, default: []].append(row.firstRow)
            }
        }
    }

    private mutating func readHeads(of table: SampleTable, _ connection: Connection) throws(SQLiteError) {
        var headers: [SpoolContents.Header] = []
        var last: Int64?
        try table.forEachHead(in: connection) { head, isIntact throws(SQLiteError) in
            // Only damaged pages are out of order.
            if let last, head.number <= last { throw .outOfOrder("\(table)") }
            last = head.number
            if isIntact {
                headers.append(head.header)
                found.add(table, 1, samples: Int(head.count))
            } else {
                damage.rows[table == .blocks ? .blocks : .batches, default: []].append(head.number)
            }
        }
        if table == .blocks { contents.blocks = headers } else { contents.batches = headers }
    }
}
