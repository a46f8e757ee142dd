/// A connection to a database: the port that each adapter implements.
///
/// The SQL text is the same for all: parameters are written `$1`, `$2`, …; what must differ is in `dialect`. It belongs
/// to the thread that made it. Statements are prepared once and kept by their text, so texts are constants.
package protocol Database: AnyObject {
    var dialect: SQLDialect { get }

    /// Runs one statement; returns how many rows it changed.
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int

    /// Runs one query.
    func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows

    /// Runs statements in order, in as few round trips as the database allows; returns how many rows each changed.
    /// After an error some of those before it were done: call it in a transaction.
    func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int]

    /// Runs statements in order in the open transaction, so that one that is refused undoes only itself. Returns why, for
    /// each that was.
    func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?]

    /// Runs a lookup for many rooms, in as few round trips as the database allows. Returns the answer for each, in
    /// their order; a failure is of the kind `refused` and that room's alone. Call it outside of a transaction.
    func rows(_ lookup: LookupQuery, of rooms: [String]) throws(StoreError) -> [Result<SQLRows, StoreError>]

    /// Runs any number of statements without parameters, once.
    func runScript(_ sql: String) throws(StoreError)

    /// Starts a transaction that may write; one for a migration is alone among all processes.
    func begin(_ purpose: TransactionPurpose) throws(StoreError)

    /// Makes it permanent. After an error that is not `connectionLost` nothing of it is.
    func commit() throws(StoreError)

    /// Undoes it; nothing happens where no transaction is open.
    func rollBack()

    /// The columns of a table or view; none where there is no such table.
    func columns(of table: String) throws(StoreError) -> [TableColumn]

    /// At most one row can have the same values in exactly these columns.
    func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool

    /// There is a table, view or index of this name.
    func exists(_ name: String) throws(StoreError) -> Bool

    /// What policies of row level security may keep this connection from, in tables, views and what views read. Tables
    /// without such policies, those that let everything through, and tables that are not there are left out.
    func policies(on tables: [String]) throws(StoreError) -> [String: Set<SQLCommand>]

    /// The table whose policies may hide rows from a lookup; nil where there is none, or the query does not work at all.
    /// Call it outside of a transaction.
    func policies(on lookup: LookupQuery) throws(StoreError) -> String?

    /// The columns of a table that this connection may not read or write, by command; DELETE is for whole tables.
    func withheldColumns(of table: String) throws(StoreError) -> [SQLCommand: Set<String>]

    /// Ends the connection; nothing else is called afterwards.
    func close()
}

/// A statement and the values of its parameters.
package struct SQLStatement: Sendable, Equatable {
    package let sql: String
    package let values: [SQLValue]

    package init(_ sql: String, _ values: [SQLValue]) {
        self.sql = sql
        self.values = values
    }
}

/// What is done to the rows of a table.
package enum SQLCommand: String, Sendable, CaseIterable {
    case select = "SELECT"
    case insert = "INSERT"
    case update = "UPDATE"
    case delete = "DELETE"
}

/// Why a transaction is opened.
package enum TransactionPurpose: Sendable {
    case write
    case migration
}

/// A column of a table that exists.
package struct TableColumn: Sendable, Equatable {
    package let name: String
    /// The type as it is declared.
    package let type: String
    /// An INSERT that leaves it out is refused.
    package let isRequired: Bool

    package init(name: String, type: String, isRequired: Bool) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
    }
}

/// The words that differ between databases.
package struct SQLDialect: Sendable {
    /// A 64-bit primary key that the database makes.
    package let generatedKey: String
    /// A point in time.
    package let timestamp: String
    /// Behind a query in a transaction: nobody else changes its rows before the end. Empty where a transaction that
    /// writes is alone anyway.
    package let rowLock: String
    /// What a session may do depends on its role.
    package let hasRoles: Bool

    package init(generatedKey: String, timestamp: String, rowLock: String, hasRoles: Bool) {
        self.generatedKey = generatedKey
        self.timestamp = timestamp
        self.rowLock = rowLock
        self.hasRoles = hasRoles
    }
}

/// A database that knows neither rights nor policies.
extension Database {
    package func policies(on tables: [String]) throws(StoreError) -> [String: Set<SQLCommand>] { [:] }
    package func policies(on lookup: LookupQuery) throws(StoreError) -> String? { nil }
    package func withheldColumns(of table: String) throws(StoreError) -> [SQLCommand: Set<String>] { [:] }
}

extension Database {
    /// One after the other.
    package func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        var changes: [Int] = []
        for statement in statements { changes.append(try run(statement.sql, statement.values)) }
        return changes
    }

    /// One after the other, each with a savepoint.
    package func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?] {
        var refusals: [StoreError?] = []
        for statement in statements {
            refusals.append(
                try saved { () throws(StoreError) in _ = try run(statement.sql, statement.values) })
        }
        return refusals
    }

    /// Runs `body` so that a refusal undoes only what it did; returns the refusal.
    package func saved(_ body: () throws(StoreError) -> Void) throws(StoreError) -> StoreError? {
        _ = try run("SAVEPOINT one_row", [])
        do throws(StoreError) {
            try body()
            _ = try run("RELEASE SAVEPOINT one_row", [])
            return nil
        } catch {
            guard error.kind == .refused else { throw error }
            // Deferred keys may refuse at the release; the savepoint is still there then.
            _ = try run("ROLLBACK TO SAVEPOINT one_row", [])
            _ = try run("RELEASE SAVEPOINT one_row", [])
            return error
        }
    }

    /// One after the other.
    package func rows(
        _ lookup: LookupQuery, of rooms: [String]
    ) throws(StoreError) -> [Result<SQLRows, StoreError>] {
        var answers: [Result<SQLRows, StoreError>] = []
        for room in rooms {
            do throws(StoreError) {
                answers.append(.success(try rows(lookup.sql, [.text(room)])))
            } catch {
                guard error.kind == .refused else { throw error }
                answers.append(.failure(error))
            }
        }
        return answers
    }

    /// Runs `body` in a transaction: all of it or, after an error, nothing.
    package func transaction<Result>(
        _ purpose: TransactionPurpose, _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try begin(purpose)
        do throws(StoreError) {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}

/// Opens a connection; called on the thread that will own it.
package typealias OpenDatabase = @Sendable () throws(StoreError) -> any Database
