import CSQLite
import Glibc
import Platform

/// A connection to an SQLite database file.
///
/// It belongs to the thread that opened it, which is checked at run time; that is why SQLite's own locks are switched
/// off. https://www.sqlite.org/threadsafe.html Statements that are asked for by their text are prepared once and kept.
/// Wraps `sqlite3`.
package final class Connection {
    package enum Limits {
        /// Statements kept by their text: more than any user of a connection has; beyond, they are prepared each time.
        package static let keptStatements = 64
    }

    /// How a transaction takes its locks. https://www.sqlite.org/lang_transaction.html
    package enum TransactionKind: String, Sendable {
        /// Locks at the first access: for reading.
        case deferred = "BEGIN DEFERRED"
        /// Takes the write lock at once, so that it never fails half-way because another has it.
        case immediate = "BEGIN IMMEDIATE"
    }

    package let path: String
    private let handle: OpaquePointer
    private let owner = ThreadOwner()
    private var kept: [String: Statement] = [:]
    private var isClosed = false

    /// Opens or makes a database. A file that is made can be read by its user only. Wraps `sqlite3_open_v2`.
    package init(path: String, _ settings: ConnectionSettings = ConnectionSettings()) throws(SQLiteError) {
        var made: OpaquePointer?
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        flags |= settings.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if settings.mayCreate && !settings.isReadOnly { flags |= SQLITE_OPEN_CREATE }
        let isNew = flags & SQLITE_OPEN_CREATE != 0 && access(path, F_OK) != 0
        let code = sqlite3_open_v2(path, &made, flags, nil)
        guard code == SQLITE_OK, let made else {
            let error = SQLiteError("open", path, code: code, handle: made)
            sqlite3_close_v2(made)
            throw error
        }
        // Not `open` with a mode: closing a file drops the locks that other connections of the process hold on it.
        if isNew { chmod(path, 0o600) }
        self.path = path
        handle = made
        busyTimeout = settings.busyTimeout
        sqlite3_busy_timeout(handle, Self.milliseconds(settings.busyTimeout))
        // Before anything touches the file: a log that was once opened with shared memory keeps it.
        if settings.isExclusive { try execute("PRAGMA locking_mode = EXCLUSIVE") }
        // What is committed stays committed. https://www.sqlite.org/pragma.html#pragma_synchronous
        try execute("PRAGMA synchronous = FULL")
        if let cache = settings.cache_kibibytes { try execute("PRAGMA cache_size = -\(cache)") }
        if settings.usesWriteAheadLog && !settings.isReadOnly { try useWriteAheadLog() }
    }

    deinit { close() }

    /// Closes; statements that others hold delay it until they go. Nothing else may be called afterwards.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        kept.removeAll()
        sqlite3_close_v2(handle)
    }

    // MARK: Settings

    /// How long a statement waits for the lock of another connection. Wraps `sqlite3_busy_timeout`.
    package var busyTimeout: Duration {
        didSet { sqlite3_busy_timeout(handle, Self.milliseconds(busyTimeout)) }
    }

    /// Makes readers and one writer work side by side. The file remembers it. https://www.sqlite.org/wal.html
    package func useWriteAheadLog() throws(SQLiteError) {
        var mode = ""
        try rows("PRAGMA journal_mode = WAL") { row in mode = row.text(at: 0) }
        if mode != "wal" && mode != "memory" {
            throw SQLiteError(
                operation: "open", subject: path, code: SQLITE_READONLY, text: "write-ahead log refused: \(mode)")
        }
    }

    /// The file was removed or replaced since it was opened: what is written goes nowhere. Wraps `sqlite3_file_control`.
    package var isMoved: Bool {
        owner.assertOwned("a database connection")
        var moved: Int32 = 0
        let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        return code == SQLITE_OK && moved != 0
    }

    // MARK: Statements

    /// The kept statement with this text, ready to be bound, without values of an earlier use.
    package func statement(_ sql: String) throws(SQLiteError) -> Statement {
        owner.assertOwned("a database connection")
        if let statement = kept[sql] {
            if statement.isBusy { return try Statement(sql, database: handle, owner: owner, isKept: false) }
            statement.clear()
            return statement
        }
        let keeps = kept.count < Limits.keptStatements
        let statement = try Statement(sql, database: handle, owner: owner, isKept: keeps)
        if keeps { kept[sql] = statement }
        return statement
    }

    /// Runs one statement with values for its parameters, in order. Returns how many rows it changed.
    @discardableResult
    package func run(_ sql: String, _ values: ColumnValue...) throws(SQLiteError) -> Int {
        let statement = try statement(sql)
        for (index, value) in values.enumerated() { try statement.bind(value, at: index + 1) }
        try statement.run()
        return changes
    }

    /// Runs one query with values for its parameters, in order, and calls `body` for each row.
    package func rows(
        _ sql: String, _ values: ColumnValue..., each body: (Statement) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        let statement = try statement(sql)
        for (index, value) in values.enumerated() { try statement.bind(value, at: index + 1) }
        try statement.forEachRow(body)
    }

    /// Runs any number of statements without parameters. Wraps `sqlite3_exec`.
    package func execute(_ sql: String) throws(SQLiteError) {
        owner.assertOwned("a database connection")
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw SQLiteError("execute", sql, code: code, handle: handle) }
    }

    /// The rows that the last INSERT, UPDATE or DELETE changed. Wraps `sqlite3_changes64`.
    package var changes: Int { Int(sqlite3_changes64(handle)) }

    // MARK: Transactions

    /// A transaction is open. SQLite ends one by itself after some errors, such as a full disk.
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Starts a transaction; the default takes the lock for writing at once.
    package func begin(_ kind: TransactionKind = .immediate) throws(SQLiteError) {
        try statement(kind.rawValue).run()
    }

    /// Makes all changes since `begin` permanent. After an error nothing of them is, and the transaction is over.
    package func commit() throws(SQLiteError) {
        do throws(SQLiteError) {
            try statement("COMMIT").run()
        } catch {
            rollBack()
            throw error
        }
    }

    /// Undoes all changes since `begin`. Nothing happens where no transaction is open.
    package func rollBack() {
        guard isInTransaction else { return }
        // It fails only where SQLite rolled back by itself; either way the transaction is over.
        try? execute("ROLLBACK")
    }

    /// Runs `body` in a transaction: all of it or, after an error, nothing.
    package func transaction<Result>(
        _ kind: TransactionKind = .immediate, _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        try begin(kind)
        let result: Result
        do throws(SQLiteError) {
            result = try body()
        } catch {
            rollBack()
            throw error
        }
        try commit()
        return result
    }

    private static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        let whole = seconds.multipliedReportingOverflow(by: 1_000)
        return whole.overflow
            ? .max : Int32(clamping: whole.partialValue + attoseconds / 1_000_000_000_000_000)
    }
}
