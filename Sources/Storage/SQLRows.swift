/// The answer to a query. It is small, for example one row for each organization.
package struct SQLRows: Sendable, Equatable {
    package let columns: [String]
    package let rows: [[SQLValue]]

    package init(columns: [String], rows: [[SQLValue]]) {
        self.columns = columns
        self.rows = rows
    }

    /// Returns the place of the column with this name; nil if the query returns no such column.
    package func place(of column: String) -> Int? { columns.firstIndex(of: column) }
}
