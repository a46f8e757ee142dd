import CSQLite
import Glibc

/// An error of SQLite. Values that were bound never appear in it.
package struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of an error, as far as a caller acts on it.
    package enum Condition: Sendable, Equatable, CaseIterable {
        /// Another connection holds a lock for longer than the busy time-out.
        case busy
        /// A constraint of the schema, a type or a size refused the values.
        case refused
        /// No space is left on the device.
        case full
        /// The file or its folder may not be written.
        case readOnly
        /// The file cannot be opened, or reading or writing it failed.
        case unreachable
        /// The file is not a database or is damaged.
        case damaged
        /// Anything else, such as wrong SQL.
        case other
    }

    /// The operation that failed, such as `open` or `step`.
    package let operation: String
    /// The object of the operation: a path, or the beginning of the SQL text.
    package let subject: String
    /// The extended result code. https://www.sqlite.org/rescode.html
    package let code: Int32
    /// SQLite's text for the error.
    package let text: String
    /// The value of `errno` after a system call failed; 0 if none did.
    package let systemCode: Int32

    package init(operation: String, subject: String, code: Int32, text: String, systemCode: Int32 = 0) {
        self.systemCode = systemCode
        self.operation = operation
        self.subject = String(subject.prefix(Self.subject_charactersMax))
        self.code = code
        self.text = text
    }

    /// The error that `handle` reports. Without a connection, the text belongs to `code`.
    init(_ operation: String, _ subject: String, code: Int32, handle: OpaquePointer?) {
        let text = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
        // Only these errors come from a system call. The number of an earlier one would be left otherwise.
        let isOfSystem = [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_FULL].contains(code & 0xFF)
        self.init(
            operation: operation, subject: subject, code: extended & 0xFF == code & 0xFF ? extended : code,
            text: text.map { String(cString: $0) } ?? "unknown error",
            systemCode: isOfSystem ? Self.systemCode(handle) : 0)
    }

    /// SQLite keeps the number of the system only for some statements. A commit leaves it where the system put it.
    private static func systemCode(_ handle: OpaquePointer?) -> Int32 {
        let last = errno
        let kept = handle.map { sqlite3_system_errno($0) } ?? 0
        return kept != 0 ? kept : last
    }

    /// The beginning identifies an SQL text. A whole one would fill the log.
    private static let subject_charactersMax = 120

    /// The code without its extension.
    package var primaryCode: Int32 { code & 0xFF }

    package var condition: Condition {
        switch primaryCode {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG: .refused
        case SQLITE_FULL: .full
        case SQLITE_READONLY, SQLITE_PERM: .readOnly
        case SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_PROTOCOL: .unreachable
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
        default: .other
        }
    }

    /// The file is damaged, where statements and values are those of the program: then SQLite's complaint about an
    /// unknown column or a value that is too big can have no other reason.
    package var isDamage: Bool {
        condition == .damaged || primaryCode == SQLITE_ERROR || primaryCode == SQLITE_TOOBIG
    }

    /// The device did not give a part of the file. https://www.sqlite.org/rescode.html#ioerr_read
    package var isFailedRead: Bool {
        // SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_DATA
        [1, 2, 32].contains { code == SQLITE_IOERR | $0 << 8 }
    }

    package var description: String { "\(operation) \(subject): \(text) (sqlite \(code))" }
}
