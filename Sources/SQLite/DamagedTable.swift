/// Reads a table whose pages may be damaged, in the order of its integer key.
///
/// A page that cannot be read hides all rows on it. To find the rows after it, the reader looks for the lowest key
/// above which reading works again, in at most 126 steps.
package enum DamagedTable {
    /// The outcome of reading above a key.
    private enum Attempt<Row> {
        case row(Row)
        case nothing
        case damaged

        var row: Row? { if case .row(let row) = self { row } else { nil } }
        var isDamaged: Bool { if case .damaged = self { true } else { false } }
    }

    /// Returns the first row above `key` that can be read. `isDamaged` says that something before it cannot be read.
    ///
    /// Only damage is passed over; any other error is thrown.
    package static func row<Row>(
        above key: Int64, _ read: (Int64) throws(SQLiteError) -> Row?
    ) throws(SQLiteError) -> (row: Row?, isDamaged: Bool) {
        let first = try attempt(key, read)
        if !first.isDamaged { return (first.row, false) }
        // Reading fails above `bad`, and works above `good`.
        var bad = key
        var good: Int64?
        var distance: Int64 = 1
        while good == nil && bad < .max {
            let (next, overflow) = bad.addingReportingOverflow(distance)
            let candidate = overflow ? Int64.max : next
            if try attempt(candidate, read).isDamaged { bad = candidate } else { good = candidate }
            distance = distance > .max / 2 ? .max : distance * 2
        }
        guard var good else { return (nil, true) }
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2
            if try attempt(middle, read).isDamaged { bad = middle } else { good = middle }
        }
        return (try attempt(good, read).row, true)
    }

    /// Returns what is read of a damaged file; nil where the damage hides it. Other errors are thrown: what they hide is not
    /// lost.
    package static func unlessDamaged<Value>(
        _ body: () throws(SQLiteError) -> Value
    ) throws(SQLiteError) -> Value? {
        do throws(SQLiteError) {
            return try body()
        } catch {
            if error.isDamage || error.isFailedRead { return nil }
            throw error
        }
    }

    /// Passes all rows that can be read to `write`, in transactions of another file. Returns the number of places at which
    /// rows cannot be read.
    ///
    /// Damage of the table as a whole is such a place, too. Any other error is thrown: what it hides is not lost.
    ///
    /// - Parameters:
    ///   - fresh: the file that `write` writes to.
    ///   - weightPerCommit: the sum of what `write` returns that makes one transaction: enough to be fast, and little
    ///     enough that the log of `fresh` stays small.
    ///   - read: returns the first row above a key.
    package static func copy<Row>(
        into fresh: Connection, weightPerCommit: Int, _ read: (Int64) throws(SQLiteError) -> Row?,
        key: (Row) -> Int64, write: (Row) throws(SQLiteError) -> Int
    ) throws(SQLiteError) -> Int {
        var position = Int64.min
        var (weight, holes) = (0, 0)
        try fresh.begin()
        do throws(SQLiteError) {
            while position < .max {
                let found: (row: Row?, isDamaged: Bool)
                do throws(SQLiteError) {
                    found = try row(above: position, read)
                } catch {
                    guard error.isDamage else { throw error }
                    // The damaged file does not even know the table.
                    holes += 1
                    break
                }
                if found.isDamaged { holes += 1 }
                guard let row = found.row else { break }
                position = key(row)
                weight += try write(row)
                if weight >= weightPerCommit {
                    weight = 0
                    try fresh.commit()
                    try fresh.begin()
                }
            }
        } catch {
            fresh.rollBack()
            throw error
        }
        try fresh.commit()
        return holes
    }

    private static func attempt<Row>(
        _ key: Int64, _ read: (Int64) throws(SQLiteError) -> Row?
    ) throws(SQLiteError) -> Attempt<Row> {
        do throws(SQLiteError) {
            guard let row = try read(key) else { return .nothing }
            return .row(row)
        } catch {
            // The page is bad, lies beyond the end of the file, or is not given by the device.
            if error.condition == .damaged || error.condition == .unreachable { return .damaged }
            throw error
        }
    }
}

extension SQLiteError {
    /// A table gave a row that comes before the one that was asked for (`SQLITE_CORRUPT`).
    package static func outOfOrder(_ table: String) -> SQLiteError {
        SQLiteError(operation: "read", subject: table, code: 11, text: "rows are out of order")
    }
}
