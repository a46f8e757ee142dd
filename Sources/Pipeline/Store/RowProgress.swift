import Storage

/// News about rows, from the store thread to the journal thread.
package enum RowProgress: Sendable {
    /// Rows up to `upTo` are applied, except those that the database refused. `left` other rows wait in memory.
    ///
    /// - Parameter input: the last input that has rows in the database; 0 where nobody knows.
    case applied(upTo: Int64, input: Int64, left: Int, refused: [RefusedRow])
    /// Another copy of the state writes rows under the same name. The rows of inputs after this one need another name,
    /// and the store waits for it.
    case copied(after: Int64)
}

/// A row that the database refused for its data.
package struct RefusedRow: Sendable {
    let number: Int64
    let row: StoreRow
    /// The reason, without the row's values.
    let error: StoreError
}
