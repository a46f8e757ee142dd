import Glibc
import SQLite
package import Storage
import Wire

/// The application's database in an SQLite file.
///
/// Times are ISO 8601 texts in UTC with milliseconds (`2026-09-28T06:00:00.000Z`), days are texts such as `2026-09-28`:
/// both sort by time when compared as text, and SQLite's own date functions read them. A new file gets a write-ahead
/// log; a file of another application keeps its journal mode. A commit is on the device before it returns.
package final class SQLiteDatabase: Database {
    package let dialect = SQLDialect(
        generatedKey: "INTEGER PRIMARY KEY", timestamp: "timestamptz", rowLock: "", hasRoles: false)
    private let connection: Connection
    /// The parameter numbers of `$1`, `$2`, … in each statement, because SQLite numbers parameters in the order in
    /// which they appear.
    private var places: [String: [Int]] = [:]

    /// Opens the file, or makes it if lkpush may write there. `busyTimeout` is the longest wait of a statement for
    /// another process.
    package init(
        path: String, isReadOnly: Bool = false, busyTimeout: Duration = .seconds(1)
    ) throws(StoreError) {
        do throws(SQLiteError) {
            var settings = ConnectionSettings()
            settings.busyTimeout = busyTimeout
            settings.isReadOnly = isReadOnly
            settings.usesWriteAheadLog = false
            connection = try Connection(path: path, settings)
            var pages: Int64 = 0
            try connection.rows("PRAGMA page_count") { pages = $0.int64(at: 0) }
            // Two processes may start together: the later one finds that the write-ahead log is switched on already.
            if pages == 0 { try? connection.useWriteAheadLog() }
        } catch {
            throw StoreError(error)
        }
    }

    /// Opens an existing file only to look at it: nothing is changed, and no file is left beside it. While it is open,
    /// commits of another process may be missing.
    package init(lookingAt path: String) throws(StoreError) {
        var settings = ConnectionSettings()
        // A file with a rollback journal has its lock in itself, so that any reader leaves nothing behind.
        settings.isLook = !Self.hasRollbackJournal(path)
        settings.isReadOnly = true
        settings.usesWriteAheadLog = false
        do throws(SQLiteError) {
            connection = try Connection(path: path, settings)
        } catch {
            throw StoreError(error)
        }
    }

    /// True if the file says that it has a rollback journal. https://www.sqlite.org/fileformat2.html#file_format_version_numbers
    private static func hasRollbackJournal(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        var version: UInt8 = 0
        return pread(file, &version, 1, 18) == 1 && version == 1
    }

    package func close() {
        places.removeAll()
        connection.close()
    }

    // MARK: Statements

    package func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int {
        try guarded { () throws(SQLiteError) in
            try bound(sql, values).run()
            return connection.changes
        }
    }

    package func rows(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> SQLRows {
        if !connection.isInTransaction { try checkFile() }
        return try guarded { () throws(SQLiteError) in
            let statement = try bound(sql, values)
            var rows: [[SQLValue]] = []
            let count = statement.columnCount
            try statement.forEachRow { row in rows.append((0..<count).map { Self.value(row.value(at: $0)) }) }
            return SQLRows(columns: (0..<count).map { statement.columnName(at: $0) }, rows: rows)
        }
    }

    package func runScript(_ sql: String) throws(StoreError) {
        try guarded { () throws(SQLiteError) in try connection.execute(sql) }
    }

    private func bound(_ sql: String, _ values: [SQLValue]) throws(SQLiteError) -> Statement {
        let statement = try connection.statement(sql)
        for (place, value) in zip(try places(in: statement, count: values.count), values) {
            try statement.bind(Self.value(value), at: place)
        }
        return statement
    }

    private func places(in statement: Statement, count: Int) throws(SQLiteError) -> [Int] {
        if let known = places[statement.sql] { return known }
        let found = (0..<count).compactMap { statement.parameter(named: "$\($0 + 1)") }
        guard found.count == count, statement.parameterCount == count else {
            throw SQLiteError(
                operation: "bind", subject: statement.sql, code: 0,
                text: "expected the parameters $1 to $\(count) and no others")
        }
        if places.count < Connection.Limits.keptStatements { places[statement.sql] = found }
        return found
    }

    // MARK: Transactions

    package func begin(_ purpose: TransactionPurpose) throws(StoreError) {
        try checkFile()
        // SQLite has one writer at a time, so the lock of a write is the lock of a migration, too.
        try guarded { () throws(SQLiteError) in try connection.begin(purpose == .read ? .deferred : .immediate) }
    }

    package func commit() throws(StoreError) {
        try guarded { () throws(SQLiteError) in try connection.commit() }
    }

    package func rollBack() { connection.rollBack() }

    /// Checks that the file is still there: SQLite goes on answering from a removed file, takes every write, and keeps
    /// none.
    private func checkFile() throws(StoreError) {
        if connection.isMoved {
            throw StoreError(.connectionLost, operation: "begin", text: "the database file was removed or replaced")
        }
    }

    /// The file cannot go away like a server, but somebody may remove or replace it.
    package func ping() throws(StoreError) { try checkFile() }

    // MARK: Schema

    package func columns(of table: String) throws(StoreError) -> [TableColumn] {
        let found = try rows(
            "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info($1)", [.text(table)])
        return found.rows.map { row in
            let type = row[1].asText ?? ""
            // SQLite generates the value of an integer primary key. https://www.sqlite.org/lang_createtable.html#rowid
            let isGenerated = row[4].asInteger == 1 && type.lowercased() == "integer"
            return TableColumn(
                name: row[0].asText ?? "", type: type,
                isRequired: row[2].asInteger == 1 && row[3] == .null && !isGenerated)
        }
    }

    package func isUnique(_ columns: [String], in table: String) throws(StoreError) -> Bool {
        let found = try rows(
            """
            SELECT list.name, info.name FROM pragma_index_list($1) AS list, pragma_index_info(list.name) AS info
            WHERE list."unique" = 1 AND list.partial = 0
            """, [.text(table)])
        let indexes = Dictionary(grouping: found.rows, by: { $0[0] })
        return indexes.values.contains { rows in
            Set(rows.compactMap { $0[1].asText }) == Set(columns) && rows.count == columns.count
        }
    }

    package func exists(_ name: String) throws(StoreError) -> Bool {
        try !rows("SELECT 1 FROM sqlite_schema WHERE name = $1", [.text(name)]).rows.isEmpty
    }

    // MARK: Values

    private static func value(_ value: SQLValue) -> ColumnValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .double(let number): .double(number)
        case .text(let text): .text(text)
        case .time(let time): .text(CivilTime(time).description)
        case .day(let day): .text(day.description)
        }
    }

    private static func value(_ value: ColumnValue) -> SQLValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .double(let number): .double(number)
        case .text(let text): .text(text)
        case .blob(let bytes): .text(String(decoding: bytes, as: UTF8.self))
        }
    }

    private func guarded<Result>(_ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        do throws(SQLiteError) {
            return try body()
        } catch {
            throw StoreError(error)
        }
    }
}

extension StoreError {
    /// `SQLITE_CONSTRAINT_TRIGGER`. https://www.sqlite.org/rescode.html#constraint_trigger
    private static let raised: Int32 = 1_811

    /// Makes the port's error of an error of SQLite.
    init(_ error: SQLiteError) {
        let kind: Kind =
            switch error.condition {
            case .refused: .refused
            case .unreachable, .damaged, .readOnly: .connectionLost
            case .busy, .full, .other: .other
            }
        // The text is the trigger's own, and newer versions of SQLite let it hold values that the trigger was given.
        let text = error.code == Self.raised ? "an exception was raised in a trigger" : error.text
        self.init(kind, operation: "\(error.operation) \(error.subject)", code: "sqlite \(error.code)", text: text)
    }
}
