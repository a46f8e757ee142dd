import SQLite

/// What the journal knows of itself, as of the last commit.
struct JournalNumbers: Equatable {
    var id = ""
    var formerID: String?
    /// Something was lost, and no snapshot has been made since.
    var hasLost = false
    /// Events up to here were truncated or, below `lastEvent`, soon will be.
    var eventsBase: Int64 = 0
    var inputsBase: Int64 = 0
    var lastEvent: Int64 = 0
    var lastInput: Int64 = 0
    var rowsApplied: Int64 = 0
    var readingSent: Int64?
    var pushedLabels = ""
    var inputApplied: Int64 = 0
    var lineage = ""
    var setAsideCount = 0
    var setAsideDropped: Int64 = 0
    var unjournaledAfter: Int64?
    /// Groups below the base are still there: they are deleted a few at a time.
    var hasStaleGroups = true

    init() {}

    /// Reads them; nil where one of them cannot be trusted.
    init?(of connection: Connection) throws(SQLiteError) {
        let (values, isIntact) = try connection.meta()
        guard isIntact, let id = values[.id], id.utf8.count == 32 else { return nil }
        self.id = id
        formerID = values[.formerID]
        hasLost = values[.hasLost] == "1"
        func number(_ key: MetaKey) -> Int64? { values[key].flatMap { Int64($0) } }
        eventsBase = number(.eventsBase) ?? 0
        inputsBase = number(.inputsBase) ?? 0
        rowsApplied = number(.rowsApplied) ?? 0
        readingSent = number(.readingSent)
        pushedLabels = values[.pushedLabels] ?? ""
        inputApplied = number(.inputApplied) ?? 0
        lineage = values[.lineage] ?? ""
        setAsideDropped = number(.setAsideDropped) ?? 0
        unjournaledAfter = number(.unjournaledAfter)
        lastEvent = eventsBase
        lastInput = inputsBase
        for table in GroupTable.allCases {
            guard let row = try table.lastRow(in: connection) else { continue }
            guard row.isIntact else { return nil }
            self[last: table] = max(self[last: table], row.last)
        }
        setAsideCount = Int(try connection.number("SELECT COUNT(*) FROM set_aside") ?? 0)
    }

    /// Nothing was ever committed that has a number.
    var isPristine: Bool { lastEvent == 0 && lastInput == 0 && rowsApplied == 0 }

    subscript(last table: GroupTable) -> Int64 {
        get { table == .events ? lastEvent : lastInput }
        set { if table == .events { lastEvent = newValue } else { lastInput = newValue } }
    }

    subscript(base table: GroupTable) -> Int64 {
        get { table == .events ? eventsBase : inputsBase }
        set { if table == .events { eventsBase = newValue } else { inputsBase = newValue } }
    }
}
