import RemoteWrite
import SQLite
import Wire

/// Reads what a sound file holds, but for the samples, and tells good rows from damaged ones.
struct SpoolReading {
    private(set) var contents = SpoolContents()
    /// The rows that are good.
    private(set) var found = SpoolTotals()
    /// The keys of the rows that are not.
    private(set) var damaged: [OpenSpool.SpoolTable: [Int64]] = [:]

    mutating func read(_ connection: Connection) throws(SQLiteError) {
        try readMeta(connection)
        try readSeries(connection)
        for table in SampleTable.allCases { try readHeads(of: table, connection) }
    }

    private mutating func readMeta(_ connection: Connection) throws(SQLiteError) {
        let (values, damaged) = try connection.meta()
        contents.damagedRows += damaged
        guard let body = values[.requests] else { return }
        do throws(MessageFault) {
            contents.requests = try SpooledRequests(decoding: body)
        } catch {
            contents.damagedRows += 1
        }
    }

    private mutating func readSeries(_ connection: Connection) throws(SQLiteError) {
        var decoder = SpooledSeriesDecoder()
        var end: Int64 = 0
        let statement = try connection.statement("SELECT first_row, crc, body FROM series ORDER BY first_row")
        try statement.forEachRow { row in
            let key = row.int64(at: 0)
            let body = row.bytes(at: 2)
            let crc = RowChecksum.of(kind: SpoolRowKind.series.rawValue, number: key, body.span)
            guard crc == row.int64(at: 1), let series = try? decoder.decode(body), Int64(series.firstRow) == key,
                key >= end
            else {
                damaged[.series, default: []].append(key)
                contents.damagedRows += 1
                return
            }
            end = key + Int64(series.rowCount)
            contents.series.append(series)
            found.series += 1
        }
    }

    private mutating func readHeads(of table: SampleTable, _ connection: Connection) throws(SQLiteError) {
        var headers: [SpoolContents.Header] = []
        try table.forEachHead(in: connection) { head, isIntact in
            if isIntact {
                headers.append(head.header)
                found.add(table, 1, samples: Int(head.count))
            } else {
                damaged[table == .blocks ? .blocks : .batches, default: []].append(head.number)
                contents.damagedRows += 1
            }
        }
        if table == .blocks { contents.blocks = headers } else { contents.batches = headers }
    }
}
