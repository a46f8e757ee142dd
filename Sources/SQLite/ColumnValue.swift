/// A value as SQLite stores it: its five storage classes. https://www.sqlite.org/datatype3.html
package enum ColumnValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case double(Double)
    case text(String)
    case blob([UInt8])
}
