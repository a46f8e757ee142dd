/// A connection that only plans statements: the database checks tables, columns and rights, and neither reads nor
/// changes any row. Every query returns nothing.
final class PlanningDatabase: Database {
    private let inner: any Database

    init(_ inner: any Database) { self.inner = inner }

    var dialect: SQLDialect { inner.dialect }

    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int {
        _ = try rows(sql, values)
        return 0
    }

    func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows {
        _ = try inner.rows("EXPLAIN \(sql)", values)
        return SQLRows(columns: [], rows: [])
    }

    func runScript(_ sql: String) throws(StoreError) {}

    // The caller has a transaction of its own.
    func begin(_ purpose: TransactionPurpose) throws(StoreError) {}
    func commit() throws(StoreError) {}
    func rollBack() {}
    func ping() throws(StoreError) { try inner.ping() }
    func close() {}

    func columns(of table: String) throws(StoreError) -> [TableColumn] { try inner.columns(of: table) }
    func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool {
        try inner.isUnique(columns, in: table)
    }
    func exists(_ name: String) throws(StoreError) -> Bool { try inner.exists(name) }
}
