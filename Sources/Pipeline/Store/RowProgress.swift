import Storage

/// What the store thread tells the journal thread of the rows that it was given.
package enum RowProgress: Sendable {
    /// Rows up to `number` are in the database, but for those that it refused; `left` others wait in memory.
    ///
    /// - Parameter input: the last input that has rows in the database; 0 where nobody knows.
    case applied(upTo: Int64, input: Int64, left: Int, refused: [RefusedRow])
    /// Another copy of the state writes rows under the same name: those of inputs after this one need another name, which
    /// the store waits for.
    case copied(after: Int64)
}

/// A row that the database refused for its data.
package struct RefusedRow: Sendable {
    let number: Int64
    let row: StoreRow
    /// Why, without the row's values.
    let error: StoreError
}
