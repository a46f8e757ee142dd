import Glibc
package import Journal
package import Platform
import SQLite
import Wire

/// The spill in a folder: the file `spill.db`, whose commits are on disk when they return. The folder is locked for this
/// process as long as the spill exists.
///
/// A damaged file is moved aside, and one that was removed is still open: a new file takes over what can be read.
package final class SQLiteSpill: EventSpill {
    private enum Limits {
        /// Pages of the log at which they are moved into the file: 4 MiB.
        static let log_pages = 1_000
        /// The least time between two attempts to make a damaged file anew. Each may read the whole file.
        static let salvagePace = Duration.seconds(5)
    }

    /// The name of the file in its folder.
    package static let name = "spill.db"

    package private(set) var events = 0
    package private(set) var size_bytes = 0
    private let directory: String
    private let files: SalvageFiles
    private var lock: StateLock?
    private var connection: Connection?
    /// Damage was met while the file was used, so an opening that finds none is not believed.
    private var isDamaged = false
    private var repairs: [SpillRepair] = []
    /// The last attempt to make the file anew, where it failed.
    private var failure: (error: JournalError, until: MonotonicTime)?
    private let time: any TimeSource
    private let owner = ThreadOwner()

    /// Locks the folder and opens the file. Both are made where they are missing.
    ///
    /// - Parameter lock: the lock on the folder, if the process has it already.
    package init(
        directory: String, lock: StateLock? = nil, time: any TimeSource = SystemTime()
    ) throws(JournalError) {
        self.directory = directory
        self.lock = lock
        self.time = time
        files = SalvageFiles(directory: directory, name: Self.name)
        _ = try open()
    }

    deinit { connection?.close() }

    /// Appends rows in one transaction, with one fsync.
    package func add(_ groups: [ProducedGroup]) throws(JournalError) {
        try use { connection throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for group in groups { try connection.insert(group) }
            }
        }
        for group in groups {
            events += group.count
            size_bytes += group.bytes.count
        }
    }

    /// Reads at most 64 rows.
    package func oldest(limit_bytes: Int) throws(JournalError) -> SpilledGroups {
        try use { connection throws(SQLiteError) in
            var found = SpilledGroups()
            var bytes = 0
            let statement = try connection.statement("\(SpillRow.selection) ORDER BY place LIMIT 64")
            defer { statement.reset() }
            while try statement.step() {
                let row = SpillRow(statement)
                bytes += row.group.bytes.count
                if found.last > 0 && bytes > limit_bytes { break }
                found.last = row.place
                if row.isIntact { found.groups.append(row.group) } else { found.damagedEvents += row.events }
            }
            return found
        }
    }

    /// Deletes rows. The next commit returns their pages.
    package func remove(upTo place: Int64) throws(JournalError) {
        let gone = try use { connection throws(SQLiteError) in
            var gone = (events: 0, bytes: 0)
            let sum = try connection.statement("SELECT SUM(count), SUM(LENGTH(bytes)) FROM groups WHERE place <= ?1")
            defer { sum.reset() }
            try sum.bind(place, at: 1)
            if try sum.step() { gone = (Int(sum.int64(at: 0)), Int(sum.int64(at: 1))) }
            sum.reset()
            try connection.run("DELETE FROM groups WHERE place <= ?1", .integer(place))
            return gone
        }
        events -= gone.events
        size_bytes -= gone.bytes
    }

    /// Changes rows in one transaction.
    package func rename(upTo place: Int64, producer: String) throws(JournalError) {
        try use { connection throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                var rows: [SpillRow] = []
                let statement = try connection.statement("\(SpillRow.selection) WHERE place <= \(place)")
                // A new checksum would make a damaged one whole.
                try statement.forEachRow {
                    let row = SpillRow($0)
                    if row.isIntact { rows.append(row) }
                }
                for row in rows {
                    var group = row.group
                    (group.producer, group.number) = (producer, row.place)
                    try connection.run(
                        "UPDATE groups SET producer = ?1, number = ?2, crc = ?3 WHERE place = ?2", .text(producer),
                        .integer(row.place), .integer(group.spillChecksum))
                }
            }
        }
    }

    /// Returns the repairs since the last call, and forgets them.
    package func takeRepairs() -> [SpillRepair] {
        defer { repairs = [] }
        return repairs
    }

    /// Closes the file. The next call opens it again.
    package func close() {
        connection?.close()
        connection = nil
    }

    // MARK: The file

    private func use<Result>(
        _ body: (Connection) throws(SQLiteError) -> Result
    ) throws(JournalError) -> Result {
        owner.assertOwned("the spill")
        do throws(JournalError) {
            return try attempt(body)
        } catch {
            // The next attempt makes the file anew.
            guard isDamaged else { throw error }
            return try attempt(body)
        }
    }

    private func attempt<Result>(
        _ body: (Connection) throws(SQLiteError) -> Result
    ) throws(JournalError) -> Result {
        let connection = if let connection, !connection.isMoved { connection } else { try open() }
        do throws(SQLiteError) {
            return try body(connection)
        } catch {
            connection.rollBack()
            close()
            if error.isDamage || error.isFailedRead { isDamaged = true }
            throw JournalError(error, in: directory)
        }
    }

    /// Opens the file in any case: there is none, a good one, a damaged one, or another one than that which is open.
    private func open() throws(JournalError) -> Connection {
        // Still open, though its file has gone.
        let former = connection
        connection = nil
        defer { former?.close() }
        lock = try JournalError.ofSystem { () throws(SystemError) in try lockFolder() }
        let now = time.now()
        try tidy(hasFormer: former != nil, now)
        let log = WriteAheadLog(path: DatabaseFiles.logPath(files.path))
        let opened = try openSound(now)
        if log.isDamaged {
            let name = files.keep(log.evidence, at: now)
            repairs.append(SpillRepair("its log is damaged", movedAside: name, isComplete: false))
        }
        if let former, events > 0 { adopt(former, into: opened) }
        (events, size_bytes) = try JournalError.of(directory) { () throws(SQLiteError) in try Self.total(opened) }
        connection = opened
        return opened
    }

    private func lockFolder() throws(SystemError) -> StateLock {
        try FileStore.makeDirectory(directory)
        if let lock, lock.isInPlace { return lock }
        switch try StateLock.take(directory: directory) {
        case .taken(let lock): return lock
        case .held(let holder): throw SystemError("lock (held by \(holder))", directory, code: EAGAIN)
        }
    }

    /// Finishes what a crash has interrupted.
    private func tidy(hasFormer: Bool, _ now: Timestamp) throws(JournalError) {
        let log = try JournalError.ofSystem { () throws(SystemError) in
            try files.finish()
            return hasFormer ? nil : try files.moveAsideLog(at: now)
        }
        guard let log else { return }
        repairs.append(SpillRepair("its log was found without it", movedAside: log, isComplete: false))
    }

    /// Opens the file, or makes it anew where it is damaged.
    private func openSound(_ now: Timestamp) throws(JournalError) -> Connection {
        var cause = "damage was met while it was used"
        if !FirstPage.isWritable(files.path) {
            cause = "its header says that it is for reading only"
        } else if !isDamaged {
            do throws(SQLiteError) {
                let opened = try connect(files.path)
                do throws(SQLiteError) { _ = try Self.total(opened) } catch {
                    opened.close()
                    throw error
                }
                return opened
            } catch {
                guard error.isDamage || error.isFailedRead else { throw JournalError(error, in: directory) }
                cause = error.text
            }
        }
        if let failure, time.monotonic() < failure.until { throw failure.error }
        do throws(JournalError) {
            try makeAnew(cause, now)
            (isDamaged, failure) = (false, nil)
        } catch {
            failure = (error, time.monotonic() + Limits.salvagePace)
            throw error
        }
        return try JournalError.of(directory) { () throws(SQLiteError) in try connect(files.path) }
    }

    private func connect(_ path: String) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.isExclusive = true
        let connection = try Connection(path: path, settings)
        do throws(SQLiteError) {
            try connection.execute("PRAGMA synchronous = FULL")
            try connection.execute("PRAGMA wal_autocheckpoint = \(Limits.log_pages)")
            // Numbers of places are never given twice: a renamed group has its place as its number.
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS groups (place INTEGER PRIMARY KEY AUTOINCREMENT, producer TEXT NOT NULL,
                    number INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL)
                """)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    private static func total(_ connection: Connection) throws(SQLiteError) -> (events: Int, bytes: Int) {
        (
            Int(try connection.number("SELECT SUM(count) FROM groups") ?? 0),
            Int(try connection.number("SELECT SUM(LENGTH(bytes)) FROM groups") ?? 0)
        )
    }

    // MARK: Recovery

    /// Makes a new file from what can be read of the damaged one, and puts it in its place.
    private func makeAnew(_ cause: String, _ now: Timestamp) throws(JournalError) {
        try JournalError.ofSystem { () throws(SystemError) in try files.begin() }
        var recovery = SpillRecovery()
        try JournalError.of(directory) { () throws(SQLiteError) in
            let fresh = try connect(files.unfinished)
            defer { fresh.close() }
            // The new file does not count before it is finished, so its commits need no fsync.
            try fresh.execute("PRAGMA synchronous = NORMAL")
            try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            FirstPage.repair(files.path, like: files.unfinished)
            // A file that cannot be opened gives nothing.
            var settings = ConnectionSettings()
            settings.mayCreate = false
            settings.isExclusive = true
            settings.usesWriteAheadLog = false
            let damaged = try? Connection(path: files.path, settings)
            defer { damaged?.close() }
            try recovery.copy(from: damaged, into: fresh)
            try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        }
        let name = try JournalError.ofSystem { () throws(SystemError) in try files.replace(at: now) }
        note(recovery, cause, movedAside: name)
    }

    /// Takes over what a file has that is still open, though it was removed or replaced.
    private func adopt(_ former: Connection, into opened: Connection) {
        var recovery = SpillRecovery()
        var cause = "it was removed or replaced while events waited in it"
        do throws(SQLiteError) { try recovery.copy(from: former, into: opened) } catch { cause += "; \(error.text)" }
        note(recovery, cause)
    }

    private func note(_ recovery: SpillRecovery, _ cause: String, movedAside: String? = nil) {
        let lost = max(recovery.lostEvents, events - recovery.keptEvents)
        repairs.append(
            SpillRepair(
                cause, movedAside: movedAside, keptEvents: recovery.keptEvents, lostEvents: lost,
                isComplete: recovery.isComplete && lost == 0))
    }
}
