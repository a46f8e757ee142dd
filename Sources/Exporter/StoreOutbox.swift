import Storage

/// Rows on their way to the database, in order, with a bound.
///
/// A batch that was taken stays the batch until it is applied, under the same numbers: that is how the database knows
/// it when the answer to a commit was lost. When the bound is reached, the oldest rows that are not in it are given up.
struct StoreOutbox {
    private let capacity: Int
    private var rows: [StoreRow] = []
    /// How many at the beginning of `rows` are gone; cut off when they are the larger part.
    private var gone = 0
    private var nextSequence: Int64 = 1
    private(set) var batch: [StoreRow] = []
    private(set) var batchSequence: Int64 = 0

    init(capacity: Int) { self.capacity = capacity }

    /// All rows that are not applied.
    var count: Int { rows.count - gone + batch.count }
    var isEmpty: Bool { count == 0 }

    /// Adds a row; returns how many old ones were given up for it.
    mutating func append(_ row: StoreRow) -> Int {
        rows.append(row)
        guard rows.count - gone > capacity else { return 0 }
        removeFirst(1)
        return 1
    }

    /// Makes sure that there is a batch, of at most `limit` rows; false where there is nothing to send.
    mutating func take(limit: Int) -> Bool {
        if !batch.isEmpty { return true }
        let count = min(limit, rows.count - gone)
        guard count > 0 else { return false }
        batch = Array(rows[gone..<gone + count])
        batchSequence = nextSequence
        nextSequence += Int64(count)
        removeFirst(count)
        return true
    }

    /// The batch is in the database.
    mutating func applied() { batch.removeAll() }

    private mutating func removeFirst(_ count: Int) {
        gone += count
        if gone > rows.count / 2 && gone >= 256 || gone == rows.count {
            rows.removeFirst(gone)
            gone = 0
        }
    }
}
