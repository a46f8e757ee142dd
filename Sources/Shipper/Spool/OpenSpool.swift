import RemoteWrite
import SQLite
import Wire

/// An open spool: its connection, the identity of its files, and what it should hold.
struct OpenSpool {
    let connection: Connection
    let files: DatabaseFiles
    var totals: SpoolTotals
    /// The rows that were found damaged at the opening, as long as they are not deleted.
    var damage = SpoolDamage()

    /// Writes all of `commit` in the open transaction.
    mutating func write(_ commit: SpoolCommit) throws(SQLiteError) {
        try removeDamaged()
        for number in commit.removedBlocks { try SampleTable.blocks.remove(number, &totals, in: connection) }
        for number in commit.removedBatches { try SampleTable.batches.remove(number, &totals, in: connection) }
        var writer = MessageWriter()
        for series in commit.series {
            writer.removeAll()
            series.encode(into: &writer)
            try connection.insertSeries(Int64(series.firstRow), writer.bytes)
            totals.series += 1
        }
        for block in commit.blocks {
            try SampleTable.blocks.insert(block.samples, number: block.number, shard: 0, into: connection)
            totals.add(.blocks, 1, samples: block.samples.count)
        }
        for batch in commit.batches {
            try SampleTable.batches.remove(batch.number, &totals, in: connection)
            try SampleTable.batches.insert(
                batch.samples, number: batch.number, shard: batch.shard, into: connection)
            totals.add(.batches, 1, samples: batch.samples.count)
        }
        if let requests = commit.requests {
            writer.removeAll()
            requests.encode(into: &writer)
            try connection.setMeta(.requests, writer.bytes)
        }
        try connection.setMeta(.totals, totals.encoded)
    }

    /// Deletes what was found damaged, in the open transaction. Returns false if a row cannot be found by its key:
    /// then its page is damaged, too.
    @discardableResult
    mutating func removeDamaged() throws(SQLiteError) -> Bool {
        var isComplete = true
        for (table, keys) in damage.rows {
            for key in keys where try connection.run("DELETE FROM \(table) WHERE \(table.key) = ?1", .integer(key)) != 1
            {
                isComplete = false
            }
        }
        for key in damage.values { try connection.run("DELETE FROM meta WHERE key = ?1", .text(key.rawValue)) }
        damage = SpoolDamage()
        return isComplete
    }

    /// Overwrites what a failed commit has left in the log.
    ///
    /// The pages of a commit are all in the log before it is synchronized. If that fails, SQLite forgets them, but
    /// whoever opens the file next would find them and take them for a commit. A small commit takes their place.
    func takeBack() {
        // If this fails as well, the log cannot be written at all, and the whole commit may be found later.
        try? connection.execute("PRAGMA synchronous = NORMAL")
        try? connection.transaction { () throws(SQLiteError) in try connection.setMeta(.totals, totals.encoded) }
    }
}

/// The rows that a spool has lost, and those that are to be deleted.
struct SpoolDamage {
    /// The keys of rows with a wrong checksum, or which say what cannot be.
    var rows: [SpoolTable: [Int64]] = [:]
    /// Single values with a wrong checksum.
    var values: [SpoolMetaKey] = []

    var isEmpty: Bool { rows.isEmpty && values.isEmpty }
    var count: Int { rows.values.reduce(values.count) { $0 + $1.count } }
}

extension Connection {
    func insertSeries(_ firstRow: Int64, _ body: [UInt8]) throws(SQLiteError) {
        let statement = try statement("INSERT INTO series VALUES (?1, ?2, ?3)")
        try statement.bind(firstRow, at: 1)
        try statement.bind(RowChecksum.of(kind: SpoolRowKind.series.rawValue, number: firstRow, body.span), at: 2)
        try statement.bind(body.span, at: 3)
        try statement.run()
    }
}
