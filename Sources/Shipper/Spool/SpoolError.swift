import Glibc
package import Platform
package import SQLite

/// An error of the file of a spool. A commit that was refused left the content as it was.
package struct SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of an error, as far as a caller acts on it.
    package enum Kind: String, Sendable, CaseIterable {
        /// The file system has no room, or a quota is used up.
        case full
        /// The file holds something that was never written. Opening it again saves what can be read.
        case damaged
        /// The file or its folder was removed or replaced, so that writes would go nowhere.
        case gone
        /// Any other error: no permission, a read-only file system, a failing device.
        case other
    }

    package let kind: Kind
    /// Operation, subject, code and the text of the library. It never holds a value of a row.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// An error of SQLite with the database at `path`. SQLite says "disk I/O error" and "unable to open" for many causes
    /// that the file system itself can name.
    package init(_ error: SQLiteError, path: String) {
        let files = [path, DatabaseFiles.logPath(path)]
        let kind: Kind =
            switch error.condition {
            case .full: .full
            case .damaged: .damaged
            case .unreachable where Self.kind(error.systemCode) == .full: .full
            case .unreachable:
                Folder.trouble(of: Folder.parent(of: path), files: files).map { Self.kind($0.code) } ?? .other
            case .readOnly, .busy, .refused, .other: .other
            }
        self.init(kind, error.description)
    }

    package init(_ error: SystemError) { self.init(Self.kind(error.code), error.description) }

    private static func kind(_ code: Int32) -> Kind {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: .full
        case ENOENT, ENOTDIR, ESTALE: .gone
        default: .other
        }
    }

    /// Runs `body`, and throws an error of SQLite as a `SpoolError`.
    static func of<Result>(
        _ path: String, _ body: () throws(SQLiteError) -> Result
    ) throws(SpoolError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw SpoolError(error, path: path) }
    }

    /// Runs `body`, and throws an error of the system as a `SpoolError`.
    static func ofSystem<Result>(_ body: () throws(SystemError) -> Result) throws(SpoolError) -> Result {
        do throws(SystemError) { return try body() } catch { throw SpoolError(error) }
    }
}
