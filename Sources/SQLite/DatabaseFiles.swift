import Platform

/// The identity of an open database and of its log, which tells whether they are still the ones at their paths.
package struct DatabaseFiles: Sendable {
    package let path: String
    private let file: FileIdentity
    private let log: FileIdentity

    /// Nil if one of the files is not there. A log is there from the first use of its database on.
    package init?(path: String) {
        guard let file = FileIdentity(path: path), let log = FileIdentity(path: Self.logPath(path)) else { return nil }
        self.path = path
        self.file = file
        self.log = log
    }

    /// Both files are still the ones at their paths, so that what is written can be found again.
    package var isInPlace: Bool {
        FileIdentity(path: path) == file && FileIdentity(path: Self.logPath(path)) == log
    }

    /// The log at the path of the log is still that of the database, which may itself have gone.
    package var isLogInPlace: Bool { FileIdentity(path: Self.logPath(path)) == log }

    /// The path of the log of a database. https://www.sqlite.org/wal.html
    package static func logPath(_ path: String) -> String { path + "-wal" }
}
