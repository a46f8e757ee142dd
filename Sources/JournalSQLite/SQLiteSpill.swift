package import Journal
import Platform
import SQLite

/// The spill in a folder: the file `spill.db`, whose commits are on disk when they return. The folder is locked for this
/// process as long as the spill exists.
package final class SQLiteSpill: EventSpill {
    private enum Limits {
        /// Pages of the log at which they are moved into the file: 4 MiB.
        static let log_pages = 1_000
    }

    /// The name of the file in its folder.
    package static let name = "spill.db"

    package private(set) var events = 0
    package private(set) var size_bytes = 0
    private let directory: String
    private var lock: StateLock?
    private var connection: Connection?
    private let owner = ThreadOwner()

    /// Locks the folder and opens the file. Both are made where they are missing.
    package init(directory: String) throws(JournalError) {
        self.directory = directory
        _ = try open()
    }

    deinit { connection?.close() }

    /// Appends rows in one transaction, with one fsync.
    package func add(_ groups: [ProducedGroup]) throws(JournalError) {
        try use { connection throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for group in groups {
                    let statement = try connection.statement(
                        "INSERT INTO groups (producer, number, count, crc, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")
                    try statement.bind(group.producer, at: 1)
                    try statement.bind(group.number, at: 2)
                    try statement.bind(Int64(group.count), at: 3)
                    try statement.bind(group.spillChecksum, at: 4)
                    try statement.bind(group.bytes.span, at: 5)
                    try statement.run()
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
        try use { connection throws(SQLiteError) in
            var found = SpilledGroups()
            var bytes = 0
            let statement = try connection.statement(
                "SELECT place, producer, number, count, crc, bytes FROM groups ORDER BY place LIMIT 64")
            defer { statement.reset() }
            while try statement.step() {
                let content = statement.bytes(at: 5)
                bytes += content.count
                if found.last > 0 && bytes > limit_bytes { break }
                found.last = statement.int64(at: 0)
                let group = ProducedGroup(
                    producer: statement.text(at: 1), number: statement.int64(at: 2),
                    count: Int(statement.int64(at: 3)), bytes: content)
                if group.spillChecksum == statement.int64(at: 4) {
                    found.groups.append(group)
                } else {
                    found.damagedEvents += max(1, group.count)
                }
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
                var rows: [(place: Int64, group: ProducedGroup)] = []
                let statement = try connection.statement(
                    "SELECT place, producer, number, count, crc, bytes FROM groups WHERE place <= \(place)")
                try statement.forEachRow {
                    var group = ProducedGroup(
                        producer: $0.text(at: 1), number: $0.int64(at: 2), count: Int($0.int64(at: 3)),
                        bytes: $0.bytes(at: 5))
                    // A new checksum would make a damaged one whole.
                    guard group.spillChecksum == $0.int64(at: 4) else { return }
                    (group.producer, group.number) = (producer, $0.int64(at: 0))
                    rows.append(($0.int64(at: 0), group))
                }
                for (place, group) in rows {
                    try connection.run(
                        "UPDATE groups SET producer = ?1, number = ?2, crc = ?3 WHERE place = ?2", .text(producer),
                        .integer(place), .integer(group.spillChecksum))
                }
            }
        }
    }

    /// Closes the file. The next call opens it again.
    package func close() {
        connection?.close()
        connection = nil
    }

    // MARK: The file

    private func count() throws(JournalError) {
        let (events, bytes) = try use { connection throws(SQLiteError) in
            (
                try connection.number("SELECT SUM(count) FROM groups"),
                try connection.number("SELECT SUM(LENGTH(bytes)) FROM groups")
            )
        }
        (self.events, size_bytes) = (Int(events ?? 0), Int(bytes ?? 0))
    }

    private func use<Result>(
        _ body: (Connection) throws(SQLiteError) -> Result
    ) throws(JournalError) -> Result {
        owner.assertOwned("the spill")
        let connection = if let open = self.connection { open } else { try open() }
        if connection.isMoved {
            close()
            throw JournalError(.gone, "\(connection.path) was removed or replaced")
        }
        do throws(SQLiteError) {
            return try body(connection)
        } catch {
            connection.rollBack()
            close()
            throw JournalError(error, in: directory)
        }
    }

    private func open() throws(JournalError) -> Connection {
        lock = try JournalError.ofSystem { () throws(SystemError) in
            try FileStore.makeDirectory(directory)
            if let lock, lock.isInPlace { return lock }
            switch try StateLock.take(directory: directory) {
            case .taken(let lock): return lock
            case .held(let holder): throw SystemError("lock (held by \(holder))", directory, code: 11)
            }
        }
        let opened = try JournalError.of(directory) { () throws(SQLiteError) in
            var settings = ConnectionSettings()
            settings.isExclusive = true
            let connection = try Connection(path: "\(directory)/\(Self.name)", settings)
            try connection.execute("PRAGMA synchronous = FULL")
            try connection.execute("PRAGMA wal_autocheckpoint = \(Limits.log_pages)")
            // Numbers of places are never given twice: a renamed group has its place as its number.
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS groups (place INTEGER PRIMARY KEY AUTOINCREMENT, producer TEXT NOT NULL,
                    number INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL)
                """)
            return connection
        }
        connection = opened
        try count()
        return opened
    }
}

extension ProducedGroup {
    /// The checksum of a row of the spill. It covers the producer, too.
    fileprivate var spillChecksum: Int64 {
        let text = Array(producer.utf8) + bytes
        return RowChecksum.of(kind: 1, number: number, count: Int64(count), text.span)
    }
}
