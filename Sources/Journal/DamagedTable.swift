import SQLite

/// Reads a table whose pages may be damaged, in the order of its integer key.
///
/// A page that cannot be read hides all rows on it; the rows after it are found by looking for the lowest key above
/// which reading works again, in at most 126 steps.
enum DamagedTable {
    /// What follows a key.
    enum Found<Row> {
        case row(Row)
        case nothing
    }

    /// The first row above `key` that can be read, and whether something before it could not.
    ///
    /// Only damage is passed over; any other error is thrown.
    static func row<Row>(
        above key: Int64, _ read: (Int64) throws(SQLiteError) -> Row?
    ) throws(SQLiteError) -> (row: Row?, isDamaged: Bool) {
        if case .some(let found) = try attempt(key, read) { return (unwrap(found), false) }
        // Above `bad` reading fails, above `good` it works.
        var bad = key
        var distance: Int64 = 1
        var good: Int64?
        while good == nil && bad < .max {
            let (next, overflow) = bad.addingReportingOverflow(distance)
            let candidate = overflow ? Int64.max : next
            if try attempt(candidate, read) != nil { good = candidate } else { bad = candidate }
            distance = distance > .max / 2 ? .max : distance * 2
        }
        guard var good else { return (nil, true) }
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2
            if try attempt(middle, read) != nil { good = middle } else { bad = middle }
        }
        guard let found = try attempt(good, read) else { return (nil, true) }
        return (unwrap(found), true)
    }

    private static func unwrap<Row>(_ found: Found<Row>) -> Row? {
        if case .row(let row) = found { row } else { nil }
    }

    /// Nil where damage is in the way.
    private static func attempt<Row>(
        _ key: Int64, _ read: (Int64) throws(SQLiteError) -> Row?
    ) throws(SQLiteError) -> Found<Row>? {
        do throws(SQLiteError) {
            guard let row = try read(key) else { return .nothing }
            return .row(row)
        } catch {
            // A page beyond the end of the file, or one that the device does not give.
            if error.condition == .damaged || error.condition == .unreachable { return nil }
            throw error
        }
    }
}
