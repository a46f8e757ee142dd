import Journal
import SQLite

/// The tables of the journal, and the migration of an older format to this one.
///
/// The format number is stored twice, in `PRAGMA user_version` and in `meta`. So a flipped bit in one of them does not
/// make a good journal look like one of a newer program.
enum JournalSchema {
    /// The format that this program writes. A new one gets the next number and a step in `migrate`.
    static let format = 1
    /// `lkpj` in the header of the file. It tells a journal from any other database.
    static let applicationID = 0x6C6B_706A

    /// Tables whose rows come in the order of a number have integer keys. Blobs come last, so that the rest is read
    /// without their pages.
    static let tables = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE events (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, crc INTEGER NOT NULL,
            bytes BLOB NOT NULL);
        CREATE TABLE inputs (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, crc INTEGER NOT NULL,
            bytes BLOB NOT NULL);
        CREATE TABLE outbox (sequence INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE TABLE set_aside (sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, crc INTEGER NOT NULL,
            reason TEXT NOT NULL, row TEXT NOT NULL);
        CREATE TABLE ids (number INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, kind INTEGER NOT NULL,
            latest INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE INDEX ids_by_snapshot ON ids (snapshot, kind);
        CREATE INDEX ids_by_age ON ids (kind, latest);
        CREATE TABLE shipped (number INTEGER PRIMARY KEY, crc INTEGER NOT NULL, key BLOB NOT NULL UNIQUE);
        """

    /// Makes the tables in an empty database.
    static func make(in connection: Connection, id: String, hasLost: Bool) throws(SQLiteError) {
        try connection.execute("PRAGMA page_size = 4096")
        try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        try connection.useWriteAheadLog()
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute(tables)
            try connection.execute("PRAGMA application_id = \(applicationID)")
            try connection.execute("PRAGMA user_version = \(format)")
            try connection.setMeta(.format, String(format))
            try connection.setMeta(.id, id)
            if hasLost { try connection.setMeta(.hasLost, 1) }
        }
        // Later commits may be cut off with the log. The existence and the id of the journal must not be, so they go
        // into the file.
        try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Migrates a journal of an older format to this one, in one transaction. A later format adds its step here.
    static func migrate(_ connection: Connection, from old: Int) throws(SQLiteError) {
        if old == format { return }
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute("PRAGMA user_version = \(format)")
            try connection.setMeta(.format, String(format))
        }
    }
}

/// The names of single values in the journal. They are on disk and are never renamed.
enum MetaKey: String, CaseIterable {
    case format
    /// 128 random bits, made with the file.
    case id
    /// The id of the journal that this one was recovered from.
    case formerID = "former_id"
    /// 1 where something was lost and no snapshot was made since.
    case hasLost = "has_lost"
    /// Events and inputs up to these numbers were truncated.
    case eventsBase = "events_base"
    case inputsBase = "inputs_base"
    /// Rows up to here are applied.
    case rowsApplied = "rows_applied"
    /// The last input whose rows are applied.
    case inputApplied = "input_applied"
    /// The starts of the program on this folder, and the names of its rows.
    case lineage
    /// The time of the newest reading of any destination whose samples were sent, in milliseconds.
    case readingSent = "reading_sent"
    /// The labels that all pushed series share.
    case pushedLabels = "pushed_labels"
    /// The number of dead letters that were deleted to make room for later ones.
    case deadLettersDropped = "set_aside_dropped"
    /// The events during whose application processes died, and how many: `event:deaths`, by event, with spaces between.
    case deaths
    /// The number of the newest snapshot when a process began that journals no events.
    case unjournaledAfter = "unjournaled_after"
}

extension Connection {
    /// Stores a single value.
    func setMeta(_ key: MetaKey, _ value: String) throws(SQLiteError) {
        try run(
            "INSERT OR REPLACE INTO meta VALUES (?1, ?2, ?3)", .text(key.rawValue), .text(value),
            .integer(Self.checksum(key, value)))
    }

    func setMeta(_ key: MetaKey, _ value: Int64) throws(SQLiteError) { try setMeta(key, String(value)) }

    /// Returns all single values. `isIntact` is false where a value has a wrong checksum.
    func meta() throws(SQLiteError) -> (values: [MetaKey: String], isIntact: Bool) {
        var values: [MetaKey: String] = [:]
        var isIntact = true
        try rows("SELECT key, value, crc FROM meta") { row in
            // A name that is not known was written by a later program that still has this format.
            let name = row.text(at: 0)
            let value = row.text(at: 1)
            guard let key = MetaKey(rawValue: name) else { return }
            if Self.checksum(key, value) == row.int64(at: 2) { values[key] = value } else { isIntact = false }
        }
        return (values, isIntact)
    }

    private static func checksum(_ key: MetaKey, _ value: String) -> Int64 {
        let bytes = Array("\(key.rawValue)=\(value)".utf8)
        return RowChecksum.of(.meta, bytes.span)
    }
}
