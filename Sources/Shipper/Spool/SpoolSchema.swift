import RemoteWrite
import SQLite
import Wire

/// The tables of a spool, and the migration of an older format to this one.
///
/// The format number is stored twice, in `PRAGMA user_version` and in `meta`. So a flipped bit in one of them does not
/// make a good spool look like one of a newer program.
enum SpoolSchema {
    /// The format that this program writes. A new one gets the next number and a step in `migrate`.
    static let format = 1
    /// `lkps` in the header of the file. It tells a spool from any other database.
    static let applicationID: Int64 = 0x6C6B_7073

    /// Blobs come last, so that the rest is read without their pages. `head_crc` covers everything of a row but the
    /// samples, and `crc` the samples, so that opening a spool need not read them.
    static let tables = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE series (first_row INTEGER PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE blocks (number INTEGER PRIMARY KEY, shard INTEGER NOT NULL, base INTEGER NOT NULL,
            count INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL, head_crc INTEGER NOT NULL,
            crc INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE batches (number INTEGER PRIMARY KEY, shard INTEGER NOT NULL, base INTEGER NOT NULL,
            count INTEGER NOT NULL, oldest INTEGER NOT NULL, newest INTEGER NOT NULL, head_crc INTEGER NOT NULL,
            crc INTEGER NOT NULL, body BLOB NOT NULL);
        """

    /// Makes the tables in an empty database.
    static func make(in connection: Connection) throws(SQLiteError) {
        try connection.execute("PRAGMA page_size = 4096")
        try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        try connection.useWriteAheadLog()
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute(tables)
            try connection.execute("PRAGMA application_id = \(applicationID)")
            try connection.execute("PRAGMA user_version = \(format)")
            try connection.setMeta(.format, Array(String(format).utf8))
            try connection.setMeta(.totals, SpoolTotals().encoded)
        }
        // Later commits may be cut off with the log. The tables must not be, so they go into the file.
        try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// The list of tables is as `make` makes it. Otherwise good rows would look damaged: a flipped bit in it gives a column
    /// another name, or a table the pages of another one.
    static func isIntact(_ connection: Connection) throws(SQLiteError) -> Bool {
        var found: [[ColumnValue]] = []
        try connection.rows("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY rowid") { row in
            found.append((0..<5).map { row.value(at: $0) })
        }
        let statements = tables.split(separator: ";").map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
        return found
            == statements.enumerated().map { index, sql in
                let name = ColumnValue.text(String(sql.split(separator: " ")[2]))
                return [.text("table"), name, name, .integer(Int64(firstTablePage + index)), .text(String(sql))]
            }
    }

    /// The page where the first table begins, after the list of tables and a page of SQLite's own. The other tables
    /// follow, in the order of their creation. https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages
    private static let firstTablePage = 3

    /// Migrates a spool of an older format to this one, in one transaction. A later format adds its step here.
    static func migrate(_ connection: Connection, from old: Int) throws(SQLiteError) {
        if old == format { return }
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute("PRAGMA user_version = \(format)")
            try connection.setMeta(.format, Array(String(format).utf8))
        }
    }
}

/// The names of single values in a spool. They are on disk and are never renamed.
enum SpoolMetaKey: String, CaseIterable {
    /// The format number as text.
    case format
    /// `Requests` of `proto/spool.proto`.
    case requests
    /// `Totals` of `proto/spool.proto`.
    case totals
}

extension Connection {
    /// Stores a single value.
    func setMeta(_ key: SpoolMetaKey, _ body: [UInt8]) throws(SQLiteError) {
        try run(
            "INSERT OR REPLACE INTO meta VALUES (?1, ?2, ?3)", .text(key.rawValue),
            .integer(Self.checksum(key, body)), .blob(body))
    }

    /// Returns all single values, and the names of those with a wrong checksum.
    func meta() throws(SQLiteError) -> (values: [SpoolMetaKey: [UInt8]], damaged: [SpoolMetaKey]) {
        var values: [SpoolMetaKey: [UInt8]] = [:]
        var damaged: [SpoolMetaKey] = []
        try rows("SELECT key, crc, body FROM meta") { row in
            // A name that is not known was written by a later program that still has this format, or is damaged.
            guard let key = SpoolMetaKey(rawValue: row.text(at: 0)) else { return }
            let body = row.bytes(at: 2)
            if Self.checksum(key, body) == row.int64(at: 1) { values[key] = body } else { damaged.append(key) }
        }
        return (values, damaged)
    }

    private static func checksum(_ key: SpoolMetaKey, _ body: [UInt8]) -> Int64 {
        let bytes = Array("\(key.rawValue)=".utf8) + body
        return RowChecksum.of(kind: SpoolRowKind.meta.rawValue, bytes.span)
    }
}

/// The kind of a row in its checksum. The numbers are on disk and never change.
enum SpoolRowKind: UInt8 {
    case meta = 1
    case series = 2
    case block = 3
    case batch = 4
}
