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
        deaths = Self.deaths(from: values[.deaths] ?? "")
        lastEvent = eventsBase
        lastInput = inputsBase
        for table in EntryKind.allCases {
            guard let row = try table.lastRow(in: connection) else { continue }
            guard row.isIntact else { return nil }
            self[last: table] = max(self[last: table], row.last)
        }
        deadLetterCount = Int(try connection.number("SELECT COUNT(*) FROM set_aside") ?? 0)
    }

    /// The text of the deaths in `meta`. A program that does not know it leaves it as it is.
    var deathsText: String {
        deaths.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
    }

    private static func deaths(from text: String) -> [Int64: Int] {
        var deaths: [Int64: Int] = [:]
        for part in text.split(separator: " ") {
            let pair = part.split(separator: ":")
            guard pair.count == 2, let event = Int64(pair[0]), let count = Int(pair[1]) else { continue }
            deaths[event] = count
        }
        return deaths
    }

    /// Adds one death of each event. Where too many events have some, those with the fewest give way.
    mutating func add(deaths events: [Int64]) {
        for event in events { deaths[event, default: 0] += 1 }
        let excess = deaths.count - Commit.Limits.deaths
        guard excess > 0 else { return }
        for (event, _) in deaths.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }).prefix(excess) {
            deaths[event] = nil
        }
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
