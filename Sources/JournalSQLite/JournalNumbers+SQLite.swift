import Journal
import SQLite
import Wire

extension JournalNumbers {
    /// Reads the numbers; nil where one of them cannot be trusted.
    init?(of connection: Connection) throws(SQLiteError) {
        let (values, isIntact) = try connection.meta()
        self.init()
        guard isIntact, let id = values[.id], id.utf8.count == 32 else { return nil }
        self.id = id
        formerID = values[.formerID]
        hasLost = values[.hasLost] == "1"
        func number(_ key: MetaKey) -> Int64? { values[key].flatMap { Int64($0) } }
        eventsBase = number(.eventsBase) ?? 0
        inputsBase = number(.inputsBase) ?? 0
        rowsApplied = number(.rowsApplied) ?? 0
        lastReading = number(.readingSent).map { Timestamp(milliseconds: $0) }
        pushedLabels = values[.pushedLabels] ?? ""
        inputApplied = number(.inputApplied) ?? 0
        lineage = values[.lineage] ?? ""
        deadLettersDropped = number(.deadLettersDropped) ?? 0
        unjournaledAfter = number(.unjournaledAfter)
        lastEvent = eventsBase
        lastInput = inputsBase
        for table in EntryKind.allCases {
            guard let row = try table.lastRow(in: connection) else { continue }
            guard row.isIntact else { return nil }
            self[last: table] = max(self[last: table], row.last)
        }
        deadLetterCount = Int(try connection.number("SELECT COUNT(*) FROM set_aside") ?? 0)
    }

    subscript(last table: EntryKind) -> Int64 {
        get { table == .events ? lastEvent : lastInput }
        set { if table == .events { lastEvent = newValue } else { lastInput = newValue } }
    }

    subscript(base table: EntryKind) -> Int64 {
        get { table == .events ? eventsBase : inputsBase }
        set { if table == .events { eventsBase = newValue } else { inputsBase = newValue } }
    }
}
