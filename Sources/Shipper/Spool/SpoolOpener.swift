import Glibc
import Platform
import RemoteWrite
import SQLite
import Wire

/// Opens the file of a spool in any case: there is none, a good one, a damaged one, one of a newer program, or something
/// else.
struct SpoolOpener {
    let path: String
    let now: Timestamp
    private(set) var contents = SpoolContents()
    private(set) var notes: [String] = []

    init(path: String, now: Timestamp) {
        self.path = path
        self.now = now
    }

    mutating func open() throws(SpoolError) -> OpenSpool {
        try SpoolError.ofSystem { () throws(SystemError) in
            try FileStore.makeDirectory(SpoolFile.directory(of: path))
        }
        let connection = try SpoolError.of(path) { () throws(SQLiteError) in
            let connection = try Self.connect(path, mayCreate: true)
            if try connection.number("SELECT COUNT(*) FROM sqlite_schema") == 0 { try SpoolSchema.make(in: connection) }
            return connection
        }
        return try SpoolError.of(path) { () throws(SQLiteError) in
            var reading = SpoolReading()
            try reading.read(connection)
            contents = reading.contents
            guard let files = DatabaseFiles(path: path) else {
                throw SQLiteError(operation: "open", subject: path, code: 14, text: "the file went while it was opened")
            }
            return OpenSpool(connection: connection, files: files, totals: reading.found, damaged: reading.damaged)
        }
    }

    static func connect(_ path: String, mayCreate: Bool) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.mayCreate = mayCreate
        settings.isExclusive = true
        settings.usesWriteAheadLog = false
        settings.cache_kibibytes = SpoolFile.Limits.cache_kibibytes
        let connection = try Connection(path: path, settings)
        try connection.execute("PRAGMA wal_autocheckpoint = \(SpoolFile.Limits.log_pages)")
        try connection.execute("PRAGMA journal_size_limit = \(SpoolFile.Limits.log_bytes)")
        return connection
    }

    /// Puts a damaged file where the next opening looks for one.
    static func setAsideForSalvage(_ path: String) {
        if rename(path, path + SpoolFile.damaged) == 0 {
            rename(DatabaseFiles.logPath(path), DatabaseFiles.logPath(path + SpoolFile.damaged))
        }
    }
}
