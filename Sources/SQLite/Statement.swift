import CSQLite
import Platform

/// A prepared statement. As in the C interface, parameters are numbered from 1 and columns from 0. Wraps
/// `sqlite3_stmt`.
///
/// It belongs to the thread of its connection. A value is copied when it is bound, so the caller need not keep it.
/// SQLite reuses the memory of a parameter, so a warm statement does not allocate. A statement may outlive its
/// connection, which then stays open until the statement is gone.
package final class Statement {
    package let sql: String
    private let handle: OpaquePointer
    private let database: OpaquePointer
    private let owner: ThreadOwner

    init(_ sql: String, database: OpaquePointer, owner: ThreadOwner, isKept: Bool) throws(SQLiteError) {
        var made: OpaquePointer?
        var text = sql
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                sqlite3_prepare_v3(
                    database, characters.baseAddress, Int32(characters.count),
                    isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0, &made, nil)
            }
        }
        guard code == SQLITE_OK else { throw SQLiteError("prepare", sql, code: code, handle: database) }
        guard let made else {
            throw SQLiteError(operation: "prepare", subject: sql, code: SQLITE_MISUSE, text: "it holds no statement")
        }
        self.sql = sql
        self.database = database
        self.owner = owner
        handle = made
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Binding

    /// Binds the parameter at `index`, from 1.
    package func bind(_ value: Int64, at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, Int32(index), value))
    }

    /// Binds a number. SQLite stores NaN as NULL.
    package func bind(_ value: Double, at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_double(handle, Int32(index), value))
    }

    /// Binds text of any length. It may hold NUL characters.
    package func bind(_ value: String, at index: Int) throws(SQLiteError) {
        var value = value
        let code = value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // SQLite would bind NULL for a null pointer.
                sqlite3_bind_text64(
                    handle, Int32(index), characters.baseAddress ?? Self.nothing, UInt64(characters.count),
                    Self.transient, UInt8(SQLITE_UTF8))
            }
        }
        try check(code)
    }

    /// Binds bytes. They are copied.
    package func bind(_ bytes: Span<UInt8>, at index: Int) throws(SQLiteError) {
        let code = bytes.withUnsafeBufferPointer { buffer in
            buffer.isEmpty
                ? sqlite3_bind_zeroblob(handle, Int32(index), 0)
                : sqlite3_bind_blob64(handle, Int32(index), buffer.baseAddress, UInt64(buffer.count), Self.transient)
        }
        try check(code)
    }

    /// Binds NULL.
    package func bindNull(at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_null(handle, Int32(index)))
    }

    /// Binds a value of any type.
    package func bind(_ value: ColumnValue, at index: Int) throws(SQLiteError) {
        switch value {
        case .null: try bindNull(at: index)
        case .integer(let number): try bind(number, at: index)
        case .double(let number): try bind(number, at: index)
        case .text(let text): try bind(text, at: index)
        case .blob(let bytes): try bind(bytes.span, at: index)
        }
    }

    /// The number of parameters. Wraps `sqlite3_bind_parameter_count`.
    package var parameterCount: Int { Int(sqlite3_bind_parameter_count(handle)) }

    /// The number of a named parameter such as `$1` or `:room`. Nil if the statement has no such parameter.
    package func parameter(named name: String) -> Int? {
        let index = sqlite3_bind_parameter_index(handle, name)
        return index > 0 ? Int(index) : nil
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        if code != SQLITE_OK { throw SQLiteError("bind", sql, code: code, handle: database) }
    }

    // MARK: Running

    /// Goes to the next row. Returns false after the last one. Wraps `sqlite3_step`.
    ///
    /// A statement that is not stepped to its end keeps its transaction open: call `reset`.
    package func step() throws(SQLiteError) -> Bool {
        owner.assertOwned("a database connection")
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        let error = code == SQLITE_DONE ? nil : SQLiteError("step", sql, code: code, handle: database)
        sqlite3_reset(handle)
        if let error { throw error }
        return false
    }

    /// Runs the statement to its end, and ignores its rows.
    package func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Calls `body` for each row, with this statement to read the columns from. Resets it afterwards.
    package func forEachRow(_ body: (Statement) throws(SQLiteError) -> Void) throws(SQLiteError) {
        defer { reset() }
        while try step() { try body(self) }
    }

    /// Makes the statement ready to run again. Bound values stay.
    package func reset() { sqlite3_reset(handle) }

    /// Unbinds all parameters. Wraps `sqlite3_clear_bindings`.
    package func clear() { sqlite3_clear_bindings(handle) }

    /// True while the statement is in the middle of its rows.
    var isBusy: Bool { sqlite3_stmt_busy(handle) != 0 }

    // MARK: Reading the current row

    package var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// The name of the result column at `index`, from 0.
    package func columnName(at index: Int) -> String {
        sqlite3_column_name(handle, Int32(index)).map { String(cString: $0) } ?? ""
    }

    package func isNull(at index: Int) -> Bool { sqlite3_column_type(handle, Int32(index)) == SQLITE_NULL }
    package func int64(at index: Int) -> Int64 { sqlite3_column_int64(handle, Int32(index)) }
    package func double(at index: Int) -> Double { sqlite3_column_double(handle, Int32(index)) }

    /// The column as text; empty for NULL. Bytes that are not UTF-8 become U+FFFD.
    package func text(at index: Int) -> String {
        guard let start = sqlite3_column_text(handle, Int32(index)) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, Int32(index)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Lends the bytes of a column to `body`. For NULL they are empty.
    package func withBytes<Result>(at index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let start = sqlite3_column_blob(handle, Int32(index))?.assumingMemoryBound(to: UInt8.self)
        let count = Int(sqlite3_column_bytes(handle, Int32(index)))
        return body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count).span)
    }

    /// A copy of the bytes of a column.
    package func bytes(at index: Int) -> [UInt8] {
        withBytes(at: index) { span in
            span.withUnsafeBufferPointer { Array($0) }
        }
    }

    /// The value of the result column at `index`, from 0.
    package func value(at index: Int) -> ColumnValue {
        switch sqlite3_column_type(handle, Int32(index)) {
        case SQLITE_INTEGER: .integer(int64(at: index))
        case SQLITE_FLOAT: .double(double(at: index))
        case SQLITE_TEXT: .text(text(at: index))
        case SQLITE_BLOB: .blob(bytes(at: index))
        default: .null
        }
    }

    /// `SQLITE_TRANSIENT`, a cast that Swift cannot import: SQLite copies the value before the call returns.
    private static var transient: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// An address for empty text. A literal lives as long as the program.
    private static var nothing: UnsafePointer<CChar> {
        let text: StaticString = "\0"
        return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
