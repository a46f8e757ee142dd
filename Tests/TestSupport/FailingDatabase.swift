package import Storage
import Synchronization

/// Decides which call of a database fails: one of all calls, over any number of connections.
package final class FailurePlan: Sendable {
    /// The way in which the call fails.
    package enum Mode: Sendable, CaseIterable {
        /// The connection is lost before the database sees the call.
        case lostBefore
        /// The database executed the call. The connection is lost before the answer arrives.
        case lostAfter
        /// The database could not execute the call at the moment.
        case otherBefore
        /// The database refused the data.
        case refused
    }

    package let mode: Mode
    private let failsAt: Int
    private let calls = Mutex(0)

    /// The call with the number `failsAt`, counted from 1, fails.
    package init(failsAt: Int, _ mode: Mode) {
        self.failsAt = failsAt
        self.mode = mode
    }

    /// The number of calls so far.
    package var callCount: Int { calls.withLock { $0 } }
    package var hasFailed: Bool { callCount >= failsAt }

    func isFailing() -> Bool {
        calls.withLock { calls in
            calls += 1
            return calls == failsAt
        }
    }
}

/// A connection that fails one call of a plan, and passes all others to a real one.
package final class FailingDatabase: Database {
    private let inner: any Database
    private let plan: FailurePlan
    private let kept: AnyObject?
    private var isLost = false

    /// - Parameter kept: an object that lives as long as the connection, such as the folder of its file.
    package init(_ inner: any Database, _ plan: FailurePlan, keeping kept: AnyObject? = nil) {
        self.inner = inner
        self.kept = kept
        self.plan = plan
    }

    package var dialect: SQLDialect { inner.dialect }

    private func passing<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        if isLost { throw StoreError(.connectionLost, operation: "planned", text: "no connection") }
        guard plan.isFailing() else { return try body() }
        switch plan.mode {
        case .lostBefore: throw lose()
        case .lostAfter:
            _ = try body()
            throw lose()
        case .otherBefore: throw StoreError(.other, operation: "planned", text: "not now")
        case .refused: throw StoreError(.refused, operation: "planned", text: "not this")
        }
    }

    /// A connection that is lost loses its transaction, too.
    private func lose() -> StoreError {
        inner.rollBack()
        inner.close()
        isLost = true
        return StoreError(.connectionLost, operation: "planned", text: "connection lost")
    }

    package func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int {
        try passing { () throws(StoreError) in try inner.run(sql, values) }
    }

    package func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows {
        try passing { () throws(StoreError) in try inner.rows(sql, values) }
    }

    package func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        try passing { () throws(StoreError) in try inner.runAll(statements) }
    }

    package func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?] {
        try passing { () throws(StoreError) in try inner.runEach(statements) }
    }

    package func rows(
        _ lookup: LookupQuery, of rooms: [String]
    ) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        try passing { () throws(StoreError) in try inner.rows(lookup, of: rooms) }
    }

    package func exists(_ name: String) throws(StoreError) -> Bool {
        try passing { () throws(StoreError) in try inner.exists(name) }
    }

    package func runScript(_ sql: String) throws(StoreError) {
        try passing { () throws(StoreError) in try inner.runScript(sql) }
    }

    package func begin(_ purpose: TransactionPurpose) throws(StoreError) {
        try passing { () throws(StoreError) in try inner.begin(purpose) }
    }

    package func commit() throws(StoreError) {
        try passing { () throws(StoreError) in try inner.commit() }
    }

    package func rollBack() {
        if !isLost { inner.rollBack() }
    }

    package func columns(of table: String) throws(StoreError) -> [TableColumn] {
        try passing { () throws(StoreError) in try inner.columns(of: table) }
    }

    package func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool {
        try passing { () throws(StoreError) in try inner.isUnique(columns, in: table) }
    }

    package func ping() throws(StoreError) {
        try passing { () throws(StoreError) in try inner.ping() }
    }

    package func close() {
        if !isLost { inner.close() }
    }
}
