package import Wire

/// A connection to a database: the port that each adapter implements.
///
/// The SQL text is the same for all databases: parameters are written `$1`, `$2`, …, and words that must differ are in
/// `dialect`. A connection belongs to the thread that made it. Statements are prepared once and kept by their text, so
/// texts are constants.
package protocol Database: AnyObject {
    var dialect: SQLDialect { get }

    /// Runs one statement. Returns how many rows it changed.
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int

    /// Runs one query.
    func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows

    /// Runs statements in order, in as few round trips as the database allows. Returns how many rows each one changed.
    /// After an error some of the statements before it took effect, so call it in a transaction.
    func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int]

    /// Runs statements in order in the open transaction, so that a refused one undoes only itself. Returns the refusal
    /// of each statement, or nil.
    func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?]

    /// Runs a lookup for many rooms, in as few round trips as the database allows. Returns the answer for each room, in
    /// their order. A failure is of the kind `refused` and concerns that room alone. Call it outside of a transaction.
    func rows(_ lookup: LookupQuery, of rooms: [String]) throws(StoreError) -> [Result<SQLRows, StoreError>]

    /// Runs any number of statements without parameters, once.
    func runScript(_ sql: String) throws(StoreError)

    /// Starts a transaction. One for a migration excludes all other migrations, in all processes. One that reads sees
    /// the database as it is at its first query, and keeps nobody from writing.
    func begin(_ purpose: TransactionPurpose) throws(StoreError)

    /// Commits the transaction. After an error that is not `connectionLost` nothing of it took effect.
    func commit() throws(StoreError)

    /// Rolls the transaction back. Does nothing if none is open.
    func rollBack()

    /// Returns the columns of a table or view; none if there is no such table.
    func columns(of table: String) throws(StoreError) -> [TableColumn]

    /// Returns true if at most one row can have the same values in exactly these columns.
    func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool

    /// Returns true if there is a table, view or index of this name.
    func exists(_ name: String) throws(StoreError) -> Bool

    /// Returns the commands that policies of row level security may restrict for this connection, in tables, in views,
    /// and in the tables that views read. Tables without such policies, tables whose policies let everything through,
    /// and tables that do not exist are left out.
    func policies(on tables: [String]) throws(StoreError) -> [String: Set<SQLCommand>]

    /// Returns a table whose policies may hide rows from a lookup; nil if there is none, or if the query does not work
    /// at all. Call it outside of a transaction.
    func policies(on lookup: LookupQuery) throws(StoreError) -> String?

    /// Returns the columns of a table that this connection may not read or write, by command. DELETE concerns whole
    /// tables: all columns are withheld, or none.
    func withheldColumns(of table: String) throws(StoreError) -> [SQLCommand: Set<String>]

    /// Returns the time of the database's own clock, rounded down to a millisecond. Nil if it has none but this
    /// machine's.
    func now() throws(StoreError) -> Timestamp?

    /// Throws if the database is not there any more. It costs no more than that takes: a round trip to a server, a look
    /// at a file. Call it outside of a transaction.
    func ping() throws(StoreError)

    /// Ends the connection. Nothing else may be called afterwards.
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

/// A command that acts on the rows of a table.
package enum SQLCommand: String, Sendable, CaseIterable {
    case select = "SELECT"
    case insert = "INSERT"
    case update = "UPDATE"
    case delete = "DELETE"
}

/// The purpose of a transaction.
package enum TransactionPurpose: Sendable {
    /// Reads a good deal at one moment, and changes nothing.
    case read
    case write
    case migration
}

/// A column of an existing table.
package struct TableColumn: Sendable, Equatable {
    package let name: String
    /// The declared type.
    package let type: String
    /// The database refuses an INSERT without this column.
    package let isRequired: Bool

    package init(name: String, type: String, isRequired: Bool) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
    }
}

/// The words and abilities that differ between databases.
package struct SQLDialect: Sendable {
    /// The type of a 64-bit primary key whose values the database generates.
    package let generatedKey: String
    /// The type of a point in time.
    package let timestamp: String
    /// A clause behind a query in a transaction that locks its rows until the end. Empty if a transaction that writes
    /// is alone anyway.
    package let rowLock: String
    /// The rights of a session depend on its role.
    package let hasRoles: Bool

    package init(generatedKey: String, timestamp: String, rowLock: String, hasRoles: Bool) {
        self.generatedKey = generatedKey
        self.timestamp = timestamp
        self.rowLock = rowLock
        self.hasRoles = hasRoles
    }
}

/// Defaults for a database that has neither rights, nor policies, nor a clock.
extension Database {
    package func now() throws(StoreError) -> Timestamp? { nil }
    package func policies(on tables: [String]) throws(StoreError) -> [String: Set<SQLCommand>] { [:] }
    package func policies(on lookup: LookupQuery) throws(StoreError) -> String? { nil }
    package func withheldColumns(of table: String) throws(StoreError) -> [SQLCommand: Set<String>] { [:] }
}

extension Database {
    /// Runs one statement after the other.
    package func runAll(_ statements: [SQLStatement]) throws(StoreError) -> [Int] {
        var changes: [Int] = []
        for statement in statements { changes.append(try run(statement.sql, statement.values)) }
        return changes
    }

    /// Runs one statement after the other, each with a savepoint.
    package func runEach(_ statements: [SQLStatement]) throws(StoreError) -> [StoreError?] {
        var refusals: [StoreError?] = []
        for statement in statements {
            refusals.append(
                try saved { () throws(StoreError) in _ = try run(statement.sql, statement.values) })
        }
        return refusals
    }

    /// Runs `body` with a savepoint, so that a refusal undoes only what `body` did. Returns the refusal.
    package func saved(_ body: () throws(StoreError) -> Void) throws(StoreError) -> StoreError? {
        _ = try run("SAVEPOINT one_row", [])
        do throws(StoreError) {
            try body()
            _ = try run("RELEASE SAVEPOINT one_row", [])
            return nil
        } catch {
            guard error.kind == .refused else { throw error }
            // Deferred constraints may refuse when the savepoint is released; it still exists then.
            _ = try run("ROLLBACK TO SAVEPOINT one_row", [])
            _ = try run("RELEASE SAVEPOINT one_row", [])
            return error
        }
    }

    /// Looks up one room after the other.
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

    /// Runs `body` in a transaction. After an error nothing of it takes effect.
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
