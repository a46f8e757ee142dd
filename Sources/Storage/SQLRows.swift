/// The answer to a query: a small one, such as one row for each organization.
package struct SQLRows: Sendable, Equatable {
    package let columns: [String]
    package let rows: [[SQLValue]]

    package init(columns: [String], rows: [[SQLValue]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The place of a column by its name; nil where the query returns none of that name.
    package func place(of column: String) -> Int? { columns.firstIndex(of: column) }
}
