import Glibc
package import Journal
package import Platform
package import SQLite

extension JournalError {
    /// An error of SQLite at the file `name` in `directory`, under its cause. SQLite says "disk I/O error" and "unable to
    /// open" for many causes that the file system itself can name.
    package init(_ error: SQLiteError, in directory: String, _ name: String = JournalFile.name) {
        let kind: Kind =
            switch error.condition {
            case .full: .full
            case .readOnly: .readOnly
            case .damaged: .damaged
            case .unreachable: Self.trouble(of: directory, name) ?? .other
            case .busy, .refused, .other: .other
            }
        self.init(kind, error.description)
    }

    package init(_ error: SystemError) {
        let kind: Kind =
            switch error.code {
            case ENOSPC, EDQUOT: .full
            case EROFS, EACCES, EPERM: .readOnly
            case ENOENT, ENOTDIR, ESTALE: .gone
            default: .other
            }
        self.init(kind, error.description)
    }

    /// Runs `body`, and throws an error of SQLite as a `JournalError`.
    static func of<Result>(
        _ directory: String, _ name: String = JournalFile.name, _ body: () throws(SQLiteError) -> Result
    ) throws(JournalError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw JournalError(error, in: directory, name) }
    }

    /// Runs `body`, and throws an error of the system as a `JournalError`.
    static func ofSystem<Result>(_ body: () throws(SystemError) -> Result) throws(JournalError) -> Result {
        do throws(SystemError) { return try body() } catch { throw JournalError(error) }
    }

    /// Returns what is wrong with a folder and a file in it; nil where nothing shows.
    private static func trouble(of directory: String, _ name: String) -> Kind? {
        let file = directory + "/" + name
        return Folder.trouble(of: directory, files: [file, file + "-wal"]).map { JournalError($0).kind }
    }
}
