import Platform
import Storage

/// A connection that hangs while it is told to: the server gives up its queries and transactions, because they take too
/// long.
///
/// Queries of the schema's migrations still succeed.
final class HangingDatabase: Database {
    private let inner: any Database
    private let hangs: Monitor<Bool>

    init(_ inner: any Database, _ hangs: Monitor<Bool>) {
        self.inner = inner
        self.hangs = hangs
    }

    private func check(_ sql: String) throws(StoreError) {
        guard hangs.withLock({ $0 }), !sql.contains("lkpush_migrations") else { return }
        throw StoreError(
            .other, operation: "SELECT", code: "57014", text: "canceling statement due to statement timeout")
    }

    var dialect: SQLDialect { inner.dialect }

    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int {
        try check(sql)
        return try inner.run(sql, values)
    }

    func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows {
        try check(sql)
        return try inner.rows(sql, values)
    }

    func rows(_ lookup: LookupQuery, of rooms: [String]) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        try check("")
        return try inner.rows(lookup, of: rooms)
    }

    func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        try check("")
        return try inner.runAll(statements)
    }

    func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?] {
        try check("")
        return try inner.runEach(statements)
    }

    func exists(_ name: String) throws(StoreError) -> Bool { try inner.exists(name) }
    func runScript(_ sql: String) throws(StoreError) { try inner.runScript(sql) }
    func begin(_ purpose: TransactionPurpose) throws(StoreError) { try inner.begin(purpose) }
    func commit() throws(StoreError) { try inner.commit() }
    func rollBack() { inner.rollBack() }
    func columns(of table: String) throws(StoreError) -> [TableColumn] { try inner.columns(of: table) }
    func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool {
        try inner.isUnique(columns, in: table)
    }
    func ping() throws(StoreError) { try check("") }
    func close() { inner.close() }
}
