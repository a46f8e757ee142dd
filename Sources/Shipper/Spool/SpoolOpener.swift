import Glibc
import Platform
import RemoteWrite
import SQLite
import Wire

/// Opens the file of a spool in any case: there is none, a good one, a damaged one, one of a newer program, or something
/// else.
///
/// A damaged file gets the name of the spool with `.damaged` at the end. As long as only that one is there, it is to be
/// salvaged; once the spool itself is there again, it is a leftover. So a crash at any moment loses nothing.
struct SpoolOpener {
    let path: String
    let now: Timestamp
    private(set) var contents = SpoolContents()
    private(set) var notes: [String] = []

    /// The result of examining a file.
    private enum Verdict {
        case good(OpenSpool, SpoolContents)
        /// The file has no tables: it was made, and nothing was ever written to it.
        case empty
        /// The file has this format of a newer program.
        case newer(Int)
        /// Another program wrote the file.
        case foreign
        /// The file cannot be used, for this reason.
        case damaged(String)
    }

    init(path: String, now: Timestamp) {
        self.path = path
        self.now = now
    }

    private var damaged: String { path + SpoolFile.damaged }
    private var unfinished: String { path + SpoolFile.salvage }
    private var directory: String { Folder.parent(of: path) }

    mutating func open() throws(SpoolError) -> OpenSpool {
        try SpoolError.ofSystem { () throws(SystemError) in
            try FileStore.makeDirectory(directory)
            try tidy()
        }
        if Folder.exists(damaged) { return try openSalvaged() }
        guard Folder.exists(path) else { return try openNew() }
        switch try examine() {
        case .good(let opened, let found):
            contents = found
            if found.damagedRows > 0 {
                notes.append("\(found.damagedRows) rows of the spool are damaged, and were removed.")
            }
            return opened
        case .empty: return try openNew()
        case .newer(let format):
            let name = try moveAside(path, "newer")
            notes.append(
                "The spool has format \(format) of a newer program; this one knows \(SpoolSchema.format). It was moved "
                    + "to \(name), and a new one was made.")
            return try openNew()
        case .foreign:
            let name = try moveAside(path, "unreadable")
            notes.append(
                "The file of the spool is of another program. It was moved to \(name), and a new one was made.")
            return try openNew()
        case .damaged(let reason):
            notes.append("The spool is damaged: \(reason).")
            try SpoolError.ofSystem { () throws(SystemError) in try Self.setAsideForSalvage(path) }
            return try openSalvaged()
        }
    }

    // MARK: Examining

    private func examine() throws(SpoolError) -> Verdict {
        if !FirstPage.isWritable(path) { return .damaged("its header says that it is for reading only") }
        let hasDamagedLog = WriteAheadLog(path: DatabaseFiles.logPath(path)).isDamaged
        do throws(SQLiteError) {
            let connection = try Self.connect(path, mayCreate: false)
            let verdict = try examine(connection)
            guard case .good(let opened, var found) = verdict else {
                connection.close()
                return verdict
            }
            if hasDamagedLog {
                // SQLite has dropped what follows the damaged place. Now the log goes, so that it is not told again.
                try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                found.damagedRows += 1
            }
            return .good(opened, found)
        } catch {
            if error.isDamage { return .damaged(error.text) }
            throw SpoolError(error, path: path)
        }
    }

    private func examine(_ connection: Connection) throws(SQLiteError) -> Verdict {
        if try connection.number("SELECT COUNT(*) FROM sqlite_schema") == 0 {
            // Without tables there are a page for the schema and one for SQLite's own use at most.
            let isLarge = try connection.number("PRAGMA page_count") ?? 0 > 2
            return isLarge ? .damaged("its list of tables is empty") : .empty
        }
        // Another program's database has no such table, or another one.
        let meta = try? connection.meta()
        let named = meta?.values[.format].flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        if try connection.number("PRAGMA application_id") != SpoolSchema.applicationID {
            return named == nil ? .foreign : .damaged("its header is damaged")
        }
        let format = Int(try connection.number("PRAGMA user_version") ?? 0)
        guard let named, named == format, format > 0 else { return .damaged("its format number is damaged") }
        if format > SpoolSchema.format { return .newer(format) }
        try SpoolSchema.migrate(connection, from: format)
        guard try SpoolSchema.isIntact(connection) else { return .damaged("its list of tables is damaged") }
        return try read(connection)
    }

    private func read(_ connection: Connection) throws(SQLiteError) -> Verdict {
        var reading = SpoolReading()
        try reading.read(connection)
        guard let files = DatabaseFiles(path: path) else {
            throw SQLiteError(operation: "open", subject: path, code: 14, text: "it went while it was opened")
        }
        var opened = OpenSpool(
            connection: connection, files: files, totals: reading.found, damage: reading.damage)
        if !reading.damage.isEmpty || reading.contents.damagedRows > 0 {
            let before = opened
            do throws(SQLiteError) {
                let isComplete = try connection.transaction { () throws(SQLiteError) in
                    let isComplete = try opened.removeDamaged()
                    try connection.setMeta(.totals, opened.totals.encoded)
                    return isComplete
                }
                if !isComplete { return .damaged("the keys of damaged rows are damaged") }
            } catch {
                if error.isDamage { throw error }
                // There is no room, or the disk may not be written. The next commit deletes them.
                opened = before
            }
        }
        return .good(opened, reading.contents)
    }

    // MARK: Making

    private mutating func openNew() throws(SpoolError) -> OpenSpool {
        let path = path
        let opened = try SpoolError.of(path) { () throws(SQLiteError) in
            let connection = try Self.connect(path, mayCreate: true)
            try SpoolSchema.make(in: connection)
            return DatabaseFiles(path: path).map { OpenSpool(connection: connection, files: $0, totals: SpoolTotals()) }
        }
        guard let opened else { throw SpoolError(.gone, "\(path) went while it was made") }
        try SpoolError.ofSystem { () throws(SystemError) in try Folder.sync(directory) }
        return opened
    }

    private static func connect(_ path: String, mayCreate: Bool) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.mayCreate = mayCreate
        settings.isExclusive = true
        settings.usesWriteAheadLog = false
        settings.busyTimeout = SpoolFile.Limits.busyTimeout
        settings.cache_kibibytes = SpoolFile.Limits.cache_kibibytes
        let connection = try Connection(path: path, settings)
        try connection.execute("PRAGMA wal_autocheckpoint = \(SpoolFile.Limits.log_pages)")
        try connection.execute("PRAGMA journal_size_limit = \(SpoolFile.Limits.log_bytes)")
        return connection
    }

    // MARK: Recovery

    /// Gives a damaged file the name under which the next opening finds it, with its log.
    static func setAsideForSalvage(_ path: String) throws(SystemError) {
        try remove(path + SpoolFile.damaged)
        try Folder.move(path, to: path + SpoolFile.damaged)
        try moveLog(of: path)
    }

    private static func moveLog(of path: String) throws(SystemError) {
        let log = DatabaseFiles.logPath(path)
        if Folder.exists(log) { try Folder.move(log, to: DatabaseFiles.logPath(path + SpoolFile.damaged)) }
    }

    /// Finishes what a crash has interrupted, and removes leftovers.
    private func tidy() throws(SystemError) {
        try Self.remove(unfinished)
        if Folder.exists(path) { return try Self.remove(damaged) }
        // The log of a damaged file is moved after the file. Any other log without a file belongs to no spool.
        if Folder.exists(damaged), !Folder.exists(DatabaseFiles.logPath(damaged)) { try Self.moveLog(of: path) }
        try Self.remove(path)
    }

    /// Makes a new file from what can be read of the damaged one.
    private mutating func openSalvaged() throws(SpoolError) -> OpenSpool {
        var recovery = SpoolRecovery()
        try SpoolError.of(path) { () throws(SQLiteError) in
            let fresh = try Self.connect(unfinished, mayCreate: true)
            defer { fresh.close() }
            try SpoolSchema.make(in: fresh)
            // The new file does not count before it is finished, so its commits need no fsync.
            try fresh.execute("PRAGMA synchronous = NORMAL")
            FirstPage.repair(damaged, like: unfinished)
            let source = try DamagedTable.unlessDamaged { () throws(SQLiteError) in
                try Self.connect(damaged, mayCreate: false)
            }
            defer { source?.close() }
            try recovery.copy(from: source, into: fresh)
        }
        try SpoolError.ofSystem { () throws(SystemError) in
            try Folder.sync(unfinished)
            try Folder.move(unfinished, to: path)
            try Folder.sync(directory)
        }
        notes.append(recovery.description)
        if recovery.found.rows == 0 {
            // Nothing of it could be used, so it may be something else.
            notes.append("The damaged file was moved to \(try moveAside(damaged, "unreadable")).")
        } else {
            try SpoolError.ofSystem { () throws(SystemError) in try Self.remove(damaged) }
        }
        guard case .good(let opened, var found) = try examine() else {
            throw SpoolError(.damaged, "\(path) is damaged again after it was salvaged")
        }
        found.damagedRows += recovery.lostRows
        found.damagedSamples += recovery.lostSamples
        contents = found
        return opened
    }

    private static func remove(_ file: String) throws(SystemError) {
        for name in [file] + SpoolFile.companions.map({ file + $0 })
        where unlink(name) != 0 && errno != ENOENT { throw SystemError("unlink", name) }
    }

    /// Gives a file a name that nothing looks for, with the time. Only one for each word is kept, so that they do not
    /// fill the disk.
    private func moveAside(_ file: String, _ word: String) throws(SpoolError) -> String {
        let name = Folder.asideName(of: path, word, at: now)
        try SpoolError.ofSystem { () throws(SystemError) in
            for other in try Folder.names(directory) where "\(directory)/\(other)".hasPrefix("\(path).\(word)-") {
                try Self.remove("\(directory)/\(other)")
            }
            let log = DatabaseFiles.logPath(file)
            try Folder.move(file, to: name)
            if Folder.exists(log) { try Folder.move(log, to: DatabaseFiles.logPath(name)) }
            try Folder.sync(directory)
        }
        return name
    }
}
