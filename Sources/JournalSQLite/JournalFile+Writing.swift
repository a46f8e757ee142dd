import Journal
import SQLite
import Wire

extension JournalFile {
    /// Writes all of `commit` in the open transaction. `numbers` are those that hold after it.
    static func write(
        _ commit: Commit, to connection: Connection, _ numbers: inout JournalNumbers
    ) throws(SQLiteError) {
        if !commit.events.isEmpty { try EntryKind.events.insert(commit.events, into: connection) }
        if !commit.inputs.isEmpty { try EntryKind.inputs.insert(commit.inputs, into: connection) }
        for row in commit.outboxRows { try connection.insertRow(row) }
        if let applied = commit.rowsAppliedUpTo {
            try connection.run("DELETE FROM outbox WHERE sequence <= ?1", .integer(applied))
            if applied > numbers.rowsApplied {
                numbers.rowsApplied = applied
                try connection.setMeta(.rowsApplied, applied)
            }
        }
        if let input = commit.inputAppliedUpTo, input != numbers.inputApplied {
            numbers.inputApplied = input
            try connection.setMeta(.inputApplied, input)
        }
        if let lineage = commit.lineage, lineage != numbers.lineage {
            numbers.lineage = lineage
            try connection.setMeta(.lineage, lineage)
        }
        if !commit.deadLetters.isEmpty { try keepDeadLetters(commit.deadLetters, in: connection, &numbers) }
        for segment in commit.ids { try connection.insertSegment(segment) }
        if let time = commit.readingSent {
            numbers.lastReading = time
            try connection.setMeta(.readingSent, time.milliseconds)
        }
        if let labels = commit.pushedLabels, labels != numbers.pushedLabels {
            numbers.pushedLabels = labels
            try connection.setMeta(.pushedLabels, labels)
            try connection.run("DELETE FROM shipped")
        }
        for key in commit.seriesEnded { try connection.run("DELETE FROM shipped WHERE key = ?1", .blob(key)) }
        for key in commit.seriesBegan { try connection.insertSeries(key) }
        if commit.coversLoss && numbers.hasLost {
            numbers.hasLost = false
            try connection.setMeta(.hasLost, 0)
        }
        if let number = commit.unjournaledAfter {
            numbers.unjournaledAfter = number
            try connection.setMeta(.unjournaledAfter, number)
        }
        if !commit.deaths.isEmpty {
            numbers.add(deaths: commit.deaths)
            try connection.setMeta(.deaths, numbers.deathsText)
        }
        if commit.truncation?.events != nil, numbers.deaths.keys.contains(where: { $0 <= numbers.eventsBase }) {
            numbers.deaths = numbers.deaths.filter { $0.key > numbers.eventsBase }
            try connection.setMeta(.deaths, numbers.deathsText)
        }
        if let truncation = commit.truncation { try truncate(truncation, in: connection, numbers) }
        if numbers.hasStaleGroups { try removeStaleGroups(in: connection, &numbers) }
    }

    /// Sets the base at once. This commit and the next ones delete the groups below it, a bounded number each.
    private static func truncate(
        _ truncation: Truncation, in connection: Connection, _ numbers: JournalNumbers
    ) throws(SQLiteError) {
        if truncation.events != nil { try connection.setMeta(.eventsBase, numbers.eventsBase) }
        if truncation.inputs != nil { try connection.setMeta(.inputsBase, numbers.inputsBase) }
        for expiry in truncation.expiredIDs {
            try connection.run(
                "DELETE FROM ids WHERE kind = ?1 AND latest <= ?2", .integer(Int64(expiry.kind)),
                .integer(expiry.latest.milliseconds))
        }
        if let snapshot = truncation.idsAboveSnapshot {
            try connection.run("DELETE FROM ids WHERE snapshot > ?1", .integer(snapshot))
        }
    }

    private static func removeStaleGroups(
        in connection: Connection, _ numbers: inout JournalNumbers
    ) throws(SQLiteError) {
        var room = Limits.truncatedGroups
        for table in EntryKind.allCases {
            room -= try table.truncate(to: numbers[base: table], most: room, in: connection)
        }
        let free = try connection.number("PRAGMA freelist_count") ?? 0
        if free > Limits.freePages { try connection.execute("PRAGMA incremental_vacuum(\(Limits.returnedPages))") }
        numbers.hasStaleGroups = room <= 0 || free > Limits.freePages
    }

    private static func keepDeadLetters(
        _ rows: [DeadLetter], in connection: Connection, _ numbers: inout JournalNumbers
    ) throws(SQLiteError) {
        for row in rows { try connection.insertDeadLetter(row) }
        var count = Int(try connection.number("SELECT COUNT(*) FROM set_aside") ?? 0)
        if count > Commit.Limits.deadLetters {
            let dropped = try connection.run(
                "DELETE FROM set_aside WHERE sequence IN (SELECT sequence FROM set_aside ORDER BY sequence LIMIT ?1)",
                .integer(Int64(count - Commit.Limits.deadLetters)))
            count -= dropped
            numbers.deadLettersDropped += Int64(dropped)
            try connection.setMeta(.deadLettersDropped, numbers.deadLettersDropped)
        }
        numbers.deadLetterCount = count
    }
}

extension Connection {
    func insertRow(_ row: OutboxRow) throws(SQLiteError) {
        let statement = try statement("INSERT OR REPLACE INTO outbox VALUES (?1, ?2, ?3)")
        try statement.bind(row.sequence, at: 1)
        try statement.bind(RowChecksum.of(.outbox, number: row.sequence, row.bytes.span), at: 2)
        try statement.bind(row.bytes.span, at: 3)
        try statement.run()
    }

    func insertSegment(_ segment: JournalIDSegment) throws(SQLiteError) {
        let statement = try statement(
            "INSERT INTO ids (snapshot, kind, latest, crc, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")
        try statement.bind(segment.snapshot, at: 1)
        try statement.bind(Int64(segment.kind), at: 2)
        try statement.bind(segment.latest.milliseconds, at: 3)
        try statement.bind(segment.checksum, at: 4)
        try statement.bind(segment.bytes.span, at: 5)
        try statement.run()
    }

    func insertSeries(_ key: [UInt8]) throws(SQLiteError) {
        let statement = try statement("INSERT OR IGNORE INTO shipped (crc, key) VALUES (?1, ?2)")
        try statement.bind(RowChecksum.of(.shipped, key.span), at: 1)
        try statement.bind(key.span, at: 2)
        try statement.run()
    }

    func insertDeadLetter(_ row: DeadLetter) throws(SQLiteError) {
        try run(
            "INSERT OR REPLACE INTO set_aside VALUES (?1, ?2, ?3, ?4, ?5)", .integer(row.sequence),
            .integer(row.at.milliseconds), .integer(row.checksum), .text(row.reason), .text(row.row))
    }
}

extension JournalIDSegment {
    /// In this checksum the latest time stands as the number, and the snapshot together with the kind as the count.
    var checksum: Int64 {
        let place = snapshot &* 1_000 &+ Int64(kind)
        return RowChecksum.of(.ids, number: latest.milliseconds, count: place, bytes.span)
    }
}

extension DeadLetter {
    var checksum: Int64 {
        let text = Array("\(reason)\u{0}\(row)".utf8)
        return RowChecksum.of(.deadLetter, number: sequence, count: at.milliseconds, text.span)
    }
}
