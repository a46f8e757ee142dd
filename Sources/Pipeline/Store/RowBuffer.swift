package import Storage
import Wire

/// A row and its place in the order of all rows of a journal, from 1.
package struct NumberedRow: Sendable {
    package let number: Int64
    package let row: StoreRow
    /// The input that made it; nil where the program that did so did not say.
    package let position: RowPosition?

    package init(number: Int64, row: StoreRow, position: RowPosition? = nil) {
        self.number = number
        self.row = row
        self.position = position
    }
}

/// Rows on their way to the database that are in memory, in order.
///
/// A batch that was taken stays the batch until it is applied, under the same numbers: that is how the database knows
/// it when the answer to a commit was lost. Where nothing else bounds it and the bound is reached, the oldest rows that
/// are not in the batch are given up.
struct RowBuffer {
    /// Who numbers the rows.
    private var lineage: RowLineage
    private let capacity: Int
    private var rows = Deque<NumberedRow>()
    private var taken: [NumberedRow] = []
    /// The number of the last row that was known when this process began.
    private var beganAfter: Int64 = 0
    /// The last row that may be in the database.
    private var triedUpTo: Int64 = 0
    /// The last input that has rows in the database.
    private(set) var appliedInput: Int64 = 0
    /// Another copy of the state writes under the same name: no row leaves before the journal has a new one.
    private(set) var lacksName = false
    /// The number of the newest row that was ever here.
    private(set) var lastNumber: Int64 = 0

    init(capacity: Int, name: String = "") {
        self.capacity = capacity
        lineage = RowLineage(name: name)
    }

    /// The journal says who numbers the rows, and up to which one they were known when the process began.
    mutating func use(_ lineage: RowLineage, beganAfter number: Int64, appliedInput input: Int64) {
        for row in taken.reversed() { rows.prepend(row) }
        taken.removeAll()
        self.lineage = lineage
        (beganAfter, appliedInput, lacksName) = (number, input, false)
    }

    /// The name of the rows that are made now.
    var name: String { lineage.current }
    /// The rows on their way.
    var batch: [StoreRow] { taken.map(\.row) }
    var batchSequence: Int64 { taken.first?.number ?? 0 }

    /// Where the batch comes from; nil where there is none.
    var origin: RowOrigin? {
        guard let first = taken.first else { return nil }
        let place = lineage.place(of: first)
        let isOwn = place == lineage.names.count - 1
        let writer = RowWriter(
            starts: lineage.starts, knownSequence: max(beganAfter, triedUpTo),
            appliedInput: isOwn ? appliedInput : 0, sharesRows: !isOwn)
        return RowOrigin(
            journal: lineage.names[place].id, firstSequence: first.number, positions: taken.map(\.position),
            writer: lineage.starts.isEmpty ? nil : writer)
    }

    /// All rows that are not applied.
    var count: Int { rows.count + taken.count }
    var isEmpty: Bool { count == 0 }

    /// Adds a row; returns how many old ones were given up for it.
    mutating func append(_ row: NumberedRow) -> Int {
        precondition(row.number > lastNumber, "rows come in order")
        lastNumber = row.number
        rows.append(row)
        guard rows.count > capacity else { return 0 }
        _ = rows.popFirst()
        return 1
    }

    /// The rows after this number, oldest first.
    func rows(after number: Int64) -> [NumberedRow] {
        (taken + rows.all).filter { $0.number > number }
    }

    /// Makes sure that there is a batch, of at most `limit` rows of one name whose numbers have no gap; false where there
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

    /// The batch may be in the database: the answer to the commit was lost.
    mutating func tried() { triedUpTo = max(triedUpTo, taken.last?.number ?? 0) }

    /// The batch is in the database; returns the number of its last row.
    mutating func applied() -> Int64 {
        defer { taken.removeAll() }
        tried()
        if let last = taken.last, let input = last.position?.input, lineage.place(of: last) == lineage.names.count - 1 {
            appliedInput = max(appliedInput, input)
        }
        return taken.last?.number ?? 0
    }

    /// The batch cannot be written under its name.
    mutating func refuseName() { lacksName = true }
}
