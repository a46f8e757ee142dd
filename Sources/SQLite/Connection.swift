import CSQLite
import Glibc
import Platform

/// A connection to an SQLite database file. Wraps `sqlite3`.
///
/// It belongs to the thread that opened it, which is checked at run time. So SQLite's own mutexes are switched off:
/// https://www.sqlite.org/threadsafe.html
/// Statements that are asked for by their text are prepared once and kept.
package final class Connection {
    package enum Limits {
        /// Statements that are kept by their text: more than any user of a connection has. Further ones are prepared
        /// each time.
        package static let keptStatements = 64
    }

    /// The time at which a transaction takes its locks. https://www.sqlite.org/lang_transaction.html
    package enum TransactionKind: String, Sendable {
        /// Takes locks at the first access: for reading.
        case deferred = "BEGIN DEFERRED"
        /// Takes the write lock at once, so that the transaction cannot fail halfway because another connection has it.
        case immediate = "BEGIN IMMEDIATE"
    }

    package let path: String
    private let handle: OpaquePointer
    private let owner = ThreadOwner()
    private var kept: [String: Statement] = [:]
    private var isClosed = false
    /// The index of the log, if it is there only because of a look.
    private let newIndex: String?

    /// Opens a database, or creates it. A new file can be read by its user only. Wraps `sqlite3_open_v2`.
    package init(path: String, _ settings: ConnectionSettings = ConnectionSettings()) throws(SQLiteError) {
        var made: OpaquePointer?
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let isReadOnly = settings.isReadOnly || settings.isLook
        flags |= isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if settings.mayCreate && !isReadOnly { flags |= SQLITE_OPEN_CREATE }
        let isNew = flags & SQLITE_OPEN_CREATE != 0 && access(path, F_OK) != 0
        let index = path + "-shm"
        let hasLog = Folder.size_bytes(path + "-wal") > 0
        // Somebody has the file open, and may write to an empty log at any time.
        let isInUse = Folder.exists(index) && Folder.exists(path + "-wal")
        let parameter: String? =
            if settings.isImmutable || settings.isLook && !hasLog && !isInUse {
                "immutable=1"
            } else if settings.isLook && Folder.exists(index) {
                "readonly_shm=1"
            } else {
                nil
            }
        newIndex = settings.isLook && parameter == nil ? index : nil
        if parameter != nil { flags |= SQLITE_OPEN_URI }
        let code = sqlite3_open_v2(parameter.map { Self.uri(path, $0) } ?? path, &made, flags, nil)
        guard code == SQLITE_OK, let made else {
            let error = SQLiteError("open", path, code: code, handle: made)
            sqlite3_close_v2(made)
            throw error
        }
        // The file is not created with `open` and a mode: closing its descriptor would drop the locks that other
        // connections of this process hold on it.
        if isNew { chmod(path, 0o600) }
        self.path = path
        handle = made
        busyTimeout = settings.busyTimeout
        sqlite3_busy_timeout(handle, Self.milliseconds(settings.busyTimeout))
        // This comes before anything touches the file: once a log was opened with shared memory, it keeps using it.
        if settings.isExclusive { try execute("PRAGMA locking_mode = EXCLUSIVE") }
        // A committed transaction survives a power failure. https://www.sqlite.org/pragma.html#pragma_synchronous
        try execute("PRAGMA synchronous = FULL")
        if let cache = settings.cache_kibibytes { try execute("PRAGMA cache_size = -\(cache)") }
        if settings.usesWriteAheadLog && !isReadOnly { try useWriteAheadLog() }
    }

    deinit { close() }

    private static func uri(_ path: String, _ parameter: String) -> String {
        let escaped = path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
        return "file:\(escaped)?\(parameter)"
    }

    /// Closes the connection. It stays open underneath while somebody holds one of its statements. Nothing may be
    /// called afterwards.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        kept.removeAll()
        sqlite3_close_v2(handle)
        if let newIndex { unlink(newIndex) }
    }

    // MARK: Settings

    /// The time for which a statement waits for another connection's lock. Wraps `sqlite3_busy_timeout`.
    package var busyTimeout: Duration {
        didSet { sqlite3_busy_timeout(handle, Self.milliseconds(busyTimeout)) }
    }

    /// Switches to a write-ahead log, so that readers and one writer work side by side. The file remembers it.
    /// https://www.sqlite.org/wal.html
    package func useWriteAheadLog() throws(SQLiteError) {
        var mode = ""
        try rows("PRAGMA journal_mode = WAL") { row in mode = row.text(at: 0) }
        if mode != "wal" && mode != "memory" {
            throw SQLiteError(
                operation: "open", subject: path, code: SQLITE_READONLY, text: "write-ahead log refused: \(mode)")
        }
    }

    /// True if the file was removed or replaced since it was opened: what is written now is lost. Wraps
    /// `sqlite3_file_control`.
    package var isMoved: Bool {
        owner.assertOwned("a database connection")
        var moved: Int32 = 0
        let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        return code == SQLITE_OK && moved != 0
    }

    // MARK: Statements

    /// The kept statement with this text, without values of an earlier use.
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

    /// Runs one statement with values for its parameters, in order. Returns the number of rows that it changed.
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

    /// Returns the first number in the result of a query without parameters.
    package func number(_ sql: String) throws(SQLiteError) -> Int64? {
        var number: Int64?
        try rows(sql) { row in if number == nil && !row.isNull(at: 0) { number = row.int64(at: 0) } }
        return number
    }

    /// Runs any number of statements without parameters. Wraps `sqlite3_exec`.
    package func execute(_ sql: String) throws(SQLiteError) {
        owner.assertOwned("a database connection")
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw SQLiteError("execute", sql, code: code, handle: handle) }
    }

    /// The number of rows that the last INSERT, UPDATE or DELETE changed. Wraps `sqlite3_changes64`.
    package var changes: Int { Int(sqlite3_changes64(handle)) }

    // MARK: Transactions

    /// True if a transaction is open. SQLite ends one by itself after some errors, such as a full disk.
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Starts a transaction. By default it takes the write lock at once.
    package func begin(_ kind: TransactionKind = .immediate) throws(SQLiteError) {
        try statement(kind.rawValue).run()
    }

    /// Commits all changes since `begin`. After an error none of them is kept, and the transaction is over.
    package func commit() throws(SQLiteError) {
        do throws(SQLiteError) {
            try statement("COMMIT").run()
        } catch {
            rollBack()
            throw error
        }
    }

    /// Undoes all changes since `begin`. Does nothing if no transaction is open.
    package func rollBack() {
        guard isInTransaction else { return }
        // `ROLLBACK` fails only if SQLite has rolled back by itself. The transaction is over in both cases.
        try? execute("ROLLBACK")
    }

    /// Runs `body` in a transaction. After an error all its changes are undone.
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
