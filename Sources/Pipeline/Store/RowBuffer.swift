package import Storage
import Wire

/// A row with its running number: its place in the order of all rows of a journal, from 1.
package struct NumberedRow: Sendable {
    package let number: Int64
    package let row: StoreRow
    /// The position of the row; nil where the program that made the row gave none.
    package let position: RowPosition?

    package init(number: Int64, row: StoreRow, position: RowPosition? = nil) {
        self.number = number
        self.row = row
        self.position = position
    }
}

/// The rows in memory on their way to the database, in order.
///
/// A batch that was taken stays the batch until it is applied, under the same numbers. That is how the database
/// recognizes it where the answer to a commit was lost. Where nothing else bounds the rows and `capacity` is reached,
/// the oldest rows outside the batch are given up.
struct RowBuffer {
    /// The starts of the program, and the names of its rows.
    private var lineage: RowLineage
    private let capacity: Int
    private var rows = Deque<NumberedRow>()
    private var taken: [NumberedRow] = []
    /// The number of the last row that was known when this process began.
    private var beganAfter: Int64 = 0
    /// The number of the last row that may be in the database.
    private var triedUpTo: Int64 = 0
    /// The last input that has rows in the database.
    private(set) var appliedInput: Int64 = 0
    /// Another copy of the state writes under the same name. No row leaves before the journal has a new one.
    private(set) var lacksName = false
    /// The number of the newest row that was ever here.
    private(set) var lastNumber: Int64 = 0

    init(capacity: Int, name: String = "") {
        self.capacity = capacity
        lineage = RowLineage(name: name)
    }

    /// Takes the names of the rows from the journal, and how far rows and inputs were known when the process began.
    mutating func use(_ lineage: RowLineage, beganAfter number: Int64, appliedInput input: Int64) {
        for row in taken.reversed() { rows.prepend(row) }
        taken.removeAll()
        self.lineage = lineage
        (beganAfter, appliedInput, lacksName) = (number, input, false)
    }

    /// The name of the rows that are made now.
    var name: String { lineage.current }
    /// The rows of the batch.
    var batch: [StoreRow] { taken.map(\.row) }
    var batchSequence: Int64 { taken.first?.number ?? 0 }

    /// The origin of the batch; nil where there is no batch.
    var origin: RowOrigin? {
        guard let first = taken.first else { return nil }
        let place = lineage.place(of: first)
        let isOwn = place == lineage.names.count - 1
        let history = StartHistory(
            starts: lineage.starts, knownSequence: max(beganAfter, triedUpTo),
            appliedInput: isOwn ? appliedInput : 0, sharesRows: !isOwn)
        return RowOrigin(
            journal: lineage.names[place].id, firstSequence: first.number, positions: taken.map(\.position),
            history: lineage.starts.isEmpty ? nil : history)
    }

    /// The number of rows that are not applied.
    var count: Int { rows.count + taken.count }
    var isEmpty: Bool { count == 0 }

    /// Adds a row. Returns how many older rows were given up for it.
    mutating func append(_ row: NumberedRow) -> Int {
        precondition(row.number > lastNumber, "rows come in order")
        lastNumber = row.number
        rows.append(row)
        guard rows.count > capacity else { return 0 }
        _ = rows.popFirst()
        return 1
    }

    /// Returns the rows after `number`, the oldest first.
    func rows(after number: Int64) -> [NumberedRow] {
        (taken + rows.all).filter { $0.number > number }
    }

    /// Makes sure that there is a batch: at most `limit` rows of one name whose numbers have no gap. False where there
    /// is nothing to send.
    mutating func take(limit: Int) -> Bool {
        if lacksName { return false }
        if !taken.isEmpty { return true }
        while taken.count < limit, let next = rows.first {
            if let last = taken.last {
                guard next.number == last.number + 1, lineage.place(of: next) == lineage.place(of: last) else { break }
            }
            taken.append(next)
            _ = rows.popFirst()
        }
        return !taken.isEmpty
    }

    /// Notes that the batch may be in the database, because the answer to the commit was lost.
    mutating func tried() { triedUpTo = max(triedUpTo, taken.last?.number ?? 0) }

    /// Notes that the batch is in the database. Returns the number of its last row.
    mutating func applied() -> Int64 {
        defer { taken.removeAll() }
        tried()
        if let last = taken.last, let input = last.position?.input, lineage.place(of: last) == lineage.names.count - 1 {
            appliedInput = max(appliedInput, input)
        }
        return taken.last?.number ?? 0
    }

    /// Notes that the batch cannot be written under its name.
    mutating func refuseName() { lacksName = true }
}
