import Glibc
package import Journal
package import Platform
import SQLite
import Wire

/// The spill in a folder: the file `spill.db`, whose commits are on disk when they return. The folder is locked for this
/// process as long as the spill exists.
///
/// A damaged file is moved aside, and one that was removed is still open: a new file takes over what can be read, under
/// the same places.
package final class SQLiteSpill: EventSpill {
    private enum Limits {
        /// Pages of the log at which they are moved into the file: 4 MiB.
        static let log_pages = 1_000
        /// The least time between two attempts to make a damaged file anew. Each may read the whole file.
        static let salvagePace = Duration.seconds(5)
        /// The bytes of a large group.
        static let probe_bytes = 1 << 20
        /// The time for which another process may have the file. Webhooks wait for their answers meanwhile.
        static let busyTimeout = Duration.milliseconds(50)
        /// The time for which a device that does not give a part of the file may come back.
        static let readPatience = Duration.seconds(60)
    }

    /// The name of the file in its folder.
    package static let name = "spill.db"

    package private(set) var events = 0
    package private(set) var size_bytes = 0
    private let directory: String
    private let files: SalvageFiles
    private var lock: StateLock?
    private var connection: Connection?
    /// The files of the connection, as they were when it was made.
    private var openFiles: DatabaseFiles?
    /// Damage was met while the file was used, so an opening that finds none is not believed.
    private var isDamaged = false
    /// The time since when the device does not give a part of the file.
    private var unreadableSince: MonotonicTime?
    /// The events of a removal that failed: they may be gone all the same.
    private var mayBeGone = 0
    /// The highest place that was given to a row or to a caller. No later row may have it.
    private var lastPlace: Int64 = 0
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
        do throws(JournalError) {
            _ = try open()
        } catch {
            // A repair is told by what it repaired. The next call opens the file.
            if repairs.isEmpty { throw error }
        }
    }

    /// Returns the number of events that wait in a folder that nobody uses. It changes nothing, and throws where the file
    /// is damaged.
    package static func waiting(in directory: String) throws(JournalError) -> Int {
        let file = SalvageFiles(directory: directory, name: name).current
        let log = DatabaseFiles.logPath(file)
        guard Folder.exists(file) || Folder.exists(log) else { return 0 }
        return try JournalError.of(directory, name) { () throws(SQLiteError) in
            if WriteAheadLog(path: log).isDamaged { throw .outOfOrder("the log of \(name)") }
            var settings = ConnectionSettings()
            settings.isLook = true
            let connection = try Connection(path: file, settings)
            defer { connection.close() }
            if try connection.number("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'groups'") == 0 { return 0 }
            return try SpillTotals(of: connection).events
        }
    }

    deinit { connection?.close() }

    /// Appends rows in one transaction, with one fsync.
    package func add(_ groups: [ProducedGroup]) throws(JournalError) {
        try use { connection throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for group in groups {
                    let place = try connection.insert(group)
                    if place > SpillRow.mostPlaces { throw .outOfOrder("sqlite_sequence") }
                    lastPlace = max(lastPlace, place)
                }
            }
        }
        for group in groups {
            events += group.count
            size_bytes += group.bytes.count
        }
    }

    /// Reads at most 64 rows.
    package func oldest(limit_bytes: Int) throws(JournalError) -> SpilledGroups {
        let found = try use { connection throws(SQLiteError) in
            var found = SpilledGroups()
            var bytes = 0
            let statement = try connection.statement("\(SpillRow.selection) ORDER BY place LIMIT 64")
            defer { statement.reset() }
            while try statement.step() {
                let row = SpillRow(statement)
                // Rows that are out of order would be read again and again: a deletion does not find them.
                if row.place <= found.last || row.place > SpillRow.mostPlaces { throw .outOfOrder("groups") }
                bytes += row.group.bytes.count
                if found.last > 0 && bytes > limit_bytes { break }
                found.last = row.place
                lastPlace = max(lastPlace, row.place)
                if row.isIntact { found.groups.append(row.group) } else { found.damagedEvents += row.events }
            }
            return found
        }
        unreadableSince = nil
        return found
    }

    /// Deletes rows. The next commit returns their pages.
    package func remove(upTo place: Int64) throws(JournalError) {
        let gone = try use { connection throws(SQLiteError) in
            let gone = try SpillTotals(of: connection, upTo: place)
            mayBeGone = gone.events
            try connection.run("DELETE FROM groups WHERE place <= ?1", .integer(place))
            return gone
        }
        mayBeGone = 0
        events -= gone.events
        size_bytes -= gone.size_bytes
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

    /// Writes as much as a group may have beside the file, and the head of the file.
    package func probe() throws(JournalError) {
        try JournalError.ofSystem { () throws(SystemError) in
            try FileStore.replace(files.unfinished, with: [UInt8](repeating: 0, count: Limits.probe_bytes))
            try files.begin()
        }
        try use { connection throws(SQLiteError) in
            try connection.execute("PRAGMA user_version = \(try connection.number("PRAGMA user_version") ?? 0)")
        }
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
            note(error)
            throw JournalError(error, in: directory, Self.name)
        }
    }

    private func note(_ error: SQLiteError) {
        if error.isDamage && files.isReadable { isDamaged = true }
        // SQLite calls a part that the device does not give damage, too.
        guard !isDamaged, error.isDamage || error.isFailedRead else { return }
        let now = time.monotonic()
        let since = unreadableSince ?? now
        unreadableSince = since
        if now.since(since) >= Limits.readPatience { isDamaged = true }
    }

    /// Opens the file in any case: there is none, a good one, a damaged one, or another one than that which is open.
    private func open() throws(JournalError) -> Connection {
        lock = try JournalError.ofSystem { () throws(SystemError) in
            let lock = try lockFolder()
            try files.finish()
            return lock
        }
        let now = time.now()
        let (expected, told) = (events - mayBeGone, repairs.count)
        // An open file that was removed still has everything. It is kept until a new file has it.
        if let former = connection, events > 0 {
            try makeAnew("it was removed or replaced while events waited in it", former, now)
        }
        close()
        let log = WriteAheadLog(path: DatabaseFiles.logPath(files.path))
        let opened = try openSound(now)
        if log.isDamaged {
            let name = files.keep(log.evidence, at: now)
            repairs.append(SpillRepair("its log is damaged", movedAside: name, isComplete: false))
        }
        connection = opened.connection
        openFiles = DatabaseFiles(path: files.path)
        if opened.totals.events < expected && repairs.count == told {
            let lost = expected - opened.totals.events
            repairs.append(
                SpillRepair("it was removed or replaced while it was closed", lostEvents: lost, isComplete: false))
        }
        note(opened.totals)
        mayBeGone = 0
        return opened.connection
    }

    private func note(_ totals: SpillTotals) { (events, size_bytes) = (totals.events, totals.size_bytes) }

    private func lockFolder() throws(SystemError) -> StateLock {
        try FileStore.makeDirectory(directory)
        if let lock, lock.isInPlace { return lock }
        switch try StateLock.take(directory: directory) {
        case .taken(let lock): return lock
        case .held(let holder): throw SystemError("lock (held by \(holder))", directory, code: EAGAIN)
        }
    }

    /// Opens the file, which is made anew where it is damaged.
    private func openSound(_ now: Timestamp) throws(JournalError) -> (connection: Connection, totals: SpillTotals) {
        var cause: String?
        if !files.isThere && Folder.exists(DatabaseFiles.logPath(files.path)) {
            cause = "its log was found without it"
        } else if !FirstPage.isWritable(files.path) {
            cause = "its header says that it is for reading only"
        } else if isDamaged {
            cause = "damage was met while it was used"
        } else {
            do throws(SQLiteError) {
                return try openCounted()
            } catch {
                note(error)
                guard isDamaged else { throw JournalError(error, in: directory, Self.name) }
                cause = error.text
            }
        }
        if let cause { try makeAnew(cause, nil, now) }
        return try JournalError.of(directory, Self.name) { () throws(SQLiteError) in try openCounted() }
    }

    private func openCounted() throws(SQLiteError) -> (connection: Connection, totals: SpillTotals) {
        let opened = try connect(files.path)
        do throws(SQLiteError) {
            try opened.raiseSequence(to: lastPlace)
            return (opened, try SpillTotals(of: opened))
        } catch {
            opened.close()
            throw error
        }
    }

    private func connect(_ path: String) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.isExclusive = true
        settings.busyTimeout = Limits.busyTimeout
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

    // MARK: Recovery

    /// Makes a new file from what can be read of one that has gone and is still open, and of the one at the path. It takes
    /// the place of the latter.
    private func makeAnew(_ cause: String, _ former: Connection?, _ now: Timestamp) throws(JournalError) {
        if let failure, time.monotonic() < failure.until { throw failure.error }
        do throws(JournalError) {
            try salvage(cause, former, now)
            (isDamaged, unreadableSince, failure) = (false, nil, nil)
        } catch {
            failure = (error, time.monotonic() + Limits.salvagePace)
            throw error
        }
    }

    private func salvage(_ cause: String, _ former: Connection?, _ now: Timestamp) throws(JournalError) {
        try JournalError.ofSystem { () throws(SystemError) in try files.begin() }
        var recovery = SpillRecovery()
        var lostEvents = 0
        let totals = try JournalError.of(directory, Self.name) { () throws(SQLiteError) in
            let fresh = try connect(files.unfinished)
            defer { fresh.close() }
            // The new file does not count before it is finished, so its commits need no fsync.
            try fresh.execute("PRAGMA synchronous = NORMAL")
            try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if let former {
                try recovery.copy(from: former, into: fresh)
                lostEvents = max(recovery.lostEvents, events - mayBeGone - recovery.keptEvents)
                if files.isThere {
                    // SQLite would take the log of the former for one of this file.
                    if openFiles?.isLogInPlace ?? false { files.removeLog() }
                    try copyFile(&recovery, into: fresh)
                }
            } else {
                FirstPage.repair(files.path, like: files.unfinished)
                try copyFile(&recovery, into: fresh)
                lostEvents = max(recovery.lostEvents, events - mayBeGone - recovery.keptEvents)
            }
            try fresh.raiseSequence(to: max(lastPlace, recovery.lastPlace))
            try fresh.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return try SpillTotals(of: fresh)
        }
        let name = try JournalError.ofSystem { () throws(SystemError) in
            // The log of one that has gone was read with it.
            if former != nil && !files.isThere { files.removeLog() }
            return try files.replace(at: now)
        }
        note(totals)
        repairs.append(
            SpillRepair(
                cause, movedAside: name, keptEvents: recovery.keptEvents,
                lostEvents: max(lostEvents, recovery.lostEvents), isComplete: recovery.isComplete && lostEvents == 0))
    }

    /// Copies the file at the path.
    private func copyFile(_ recovery: inout SpillRecovery, into fresh: Connection) throws(SQLiteError) {
        let source = try DamagedTable.unlessDamaged { () throws(SQLiteError) -> Connection? in
            // Its log alone gives nothing.
            guard files.isThere else { return nil }
            var settings = ConnectionSettings()
            settings.mayCreate = false
            settings.isExclusive = true
            settings.busyTimeout = Limits.busyTimeout
            settings.usesWriteAheadLog = false
            return try Connection(path: files.path, settings)
        }.flatMap { $0 }
        defer { source?.close() }
        try recovery.copy(from: source, into: fresh)
    }
}
