package import Storage
import Wire

/// A row and its place in the order of all rows of a journal, from 1.
package struct NumberedRow: Sendable {
    package let number: Int64
    package let row: StoreRow

    package init(number: Int64, row: StoreRow) {
        self.number = number
        self.row = row
    }
}

/// Rows on their way to the database that are in memory, in order.
///
/// A batch that was taken stays the batch until it is applied, under the same numbers: that is how the database knows
/// it when the answer to a commit was lost. Where nothing else bounds it and the bound is reached, the oldest rows that
/// are not in the batch are given up.
struct StoreOutbox {
    /// The random id of the journal that numbers the rows.
    var journal: String
    private let capacity: Int
    private var rows = Fifo<NumberedRow>()
    private(set) var batch: [StoreRow] = []
    private(set) var batchSequence: Int64 = 0
    /// The number of the newest row that was ever here.
    private(set) var lastNumber: Int64 = 0

    init(capacity: Int, journal: String = "") {
        self.capacity = capacity
        self.journal = journal
    }

    /// All rows that are not applied.
    var count: Int { rows.count + batch.count }
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

    /// Adds the row that follows the newest.
    mutating func append(_ row: StoreRow) -> Int { append(NumberedRow(number: lastNumber + 1, row: row)) }

    /// The rows after this number, oldest first.
    func rows(after number: Int64) -> [NumberedRow] {
        let taken = batch.enumerated().map { NumberedRow(number: batchSequence + Int64($0), row: $1) }
        return (taken + rows.all).filter { $0.number > number }
    }

    /// Makes sure that there is a batch, of at most `limit` rows whose numbers have no gap; false where there is nothing
    /// to send.
    mutating func take(limit: Int) -> Bool {
        if !batch.isEmpty { return true }
        while batch.count < limit, let next = rows.first {
            if batch.isEmpty { batchSequence = next.number }
            guard next.number == batchSequence + Int64(batch.count) else { break }
            batch.append(next.row)
            _ = rows.popFirst()
        }
        return !batch.isEmpty
    }

    /// The batch is in the database; returns the number of its last row.
    mutating func applied() -> Int64 {
        defer { batch.removeAll() }
        return batchSequence + Int64(batch.count) - 1
    }
}
