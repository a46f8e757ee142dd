import Journal
import Platform
import Postgres
import Storage
import Wire

/// The snapshots of a log: the newest one and the one before it, each in parts.
///
/// The parts of a snapshot are written first, in transactions of their own: they may take seconds, and whoever takes the
/// lease would wait for them. A last small transaction behind the fence adds the row that makes it a snapshot. Any thread
/// may write, one at a time.
struct PostgresSnapshots: SnapshotWriter {
    let place: LogPlace
    let epoch: Int64
    /// The format of the body that this program writes. Older ones are read as well.
    let format: Int

    private var log: BinaryValue { .text(place.name) }

    // MARK: Writing

    func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError) {
        let connection = LogConnection(place)
        defer { connection.close() }
        do throws(StoreError) {
            let upload = RandomID.make()
            let parts = try write(body, upload, over: connection)
            let bytes = header.encode()
            let row = LogCall(
                Self.insertion, log, .integer(header.number), .text(upload), .integer(Int64(format)),
                .integer(parts), .integer(checksum(of: bytes, format: Int64(format), parts: parts)), .bytes(bytes))
            _ = try connection.transaction(
                "save a snapshot",
                [
                    LogCall(PostgresJournal.fence, log, .integer(epoch)),
                    LogCall(
                        "DELETE FROM lkpush_journal_snapshots WHERE log = $1 AND number = $2", log,
                        .integer(header.number)), row, LogCall(Self.removal, log, .flag(false)),
                    LogCall(Self.removal, log, .flag(true)), LogCall(Self.partsRemoval, log),
                ])
        } catch {
            throw failed(error)
        }
    }

    private func write(_ body: [UInt8], _ upload: String, over connection: LogConnection) throws(StoreError) -> Int64 {
        var part: Int64 = 0
        for start in stride(from: 0, to: body.count, by: LogSettings.Limits.part_bytes) {
            let bytes = Array(body[start..<min(start + LogSettings.Limits.part_bytes, body.count)])
            // The commit of the row makes the parts durable that were committed before it.
            _ = try connection.transaction(
                "save a snapshot", isSynced: false,
                [
                    LogCall(
                        "INSERT INTO lkpush_journal_snapshot_parts VALUES ($1, $2, $3, $4, $5)", log, .text(upload),
                        .integer(part), .integer(LogChecksum.of(.snapshot, number: part, bytes)), .bytes(bytes))
                ])
            part += 1
        }
        return part
    }

    private static let insertion = """
        INSERT INTO lkpush_journal_snapshots (log, number, upload, format, parts, checksum, header)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """

    /// Keeps the newest ones, of those that were set aside as well.
    private static let removal = """
        DELETE FROM lkpush_journal_snapshots WHERE log = $1 AND (set_aside IS NOT NULL) = $2 AND number NOT IN (
            SELECT number FROM lkpush_journal_snapshots WHERE log = $1 AND (set_aside IS NOT NULL) = $2
            ORDER BY number DESC LIMIT \(LogSettings.Limits.generations))
        """

    /// Removes the parts of snapshots that are gone, and of those that were never finished.
    private static let partsRemoval = """
        DELETE FROM lkpush_journal_snapshot_parts p WHERE p.log = $1 AND NOT EXISTS (
            SELECT 1 FROM lkpush_journal_snapshots s WHERE s.log = $1 AND s.upload = p.upload)
        """

    private func checksum(of header: [UInt8], format: Int64, parts: Int64) -> Int64 {
        LogChecksum.of(.snapshot, number: format, count: parts, header)
    }

    private func failed(_ error: StoreError) -> JournalError {
        error.code == JournalError.fenceCode
            ? JournalError(.replaced, "epoch \(epoch) is over: another replica leads the log") : JournalError(error)
    }

    // MARK: Reading

    /// A row that was read.
    private struct Row {
        let number: Int64
        let upload: String
        let format: Int64
        let parts: Int64
        let isIntact: Bool
        let header: [UInt8]
    }

    func load(over connection: LogConnection, now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.query(
                "read the snapshots",
                LogCall(
                    """
                    SELECT number, upload, format, parts, checksum, header, set_aside IS NOT NULL
                    FROM lkpush_journal_snapshots WHERE log = $1 ORDER BY number DESC
                    """, log))
        }
        var loaded = LoadedSnapshots()
        for found in rows {
            let header = found[5].asBytes ?? []
            let (format, parts) = (found[2].asInteger ?? 0, found[3].asInteger ?? 0)
            let row = Row(
                number: found[0].asInteger ?? 0, upload: found[1].asText ?? "", format: format, parts: parts,
                isIntact: checksum(of: header, format: format, parts: parts) == found[4].asInteger, header: header)
            loaded.highestNumber = max(loaded.highestNumber, row.number)
            if found[6].asFlag == true || loaded.older != nil { continue }
            try load(row, into: &loaded, over: connection)
        }
        return loaded
    }

    private func load(
        _ row: Row, into loaded: inout LoadedSnapshots, over connection: LogConnection
    ) throws(JournalError) {
        if row.isIntact && row.format > Int64(format) {
            loaded.ofNewerProgram.append(try moveAside(row.number, "newer", over: connection))
            loaded.notes.append(
                "Snapshot \(row.number) was set aside: it has format \(row.format) of a newer program; this one knows "
                    + "\(format).")
            return
        }
        let header = try? SnapshotHeader(decoding: MessageReader(row.header))
        let reason: String
        if let header, row.isIntact, header.number == row.number {
            if let body = try body(of: row, over: connection) {
                if loaded.newest == nil {
                    loaded.newest = Snapshot(header: header, body: body)
                } else {
                    loaded.older = header
                }
                return
            }
            reason = "a part of it is missing or has a wrong checksum"
        } else {
            reason = "its header has a wrong checksum"
        }
        loaded.damaged.append(try moveAside(row.number, "damaged", over: connection))
        loaded.notes.append("Snapshot \(row.number) was set aside: \(reason).")
    }

    /// Reads all parts, one at a time; nil where one is missing or damaged.
    private func body(of row: Row, over connection: LogConnection) throws(JournalError) -> [UInt8]? {
        var body: [UInt8] = []
        var part: Int64 = 0
        while part < row.parts {
            let number = part
            let rows = try JournalError.ofDatabase { () throws(StoreError) in
                try connection.query(
                    "read a snapshot",
                    LogCall(
                        """
                        SELECT checksum, bytes FROM lkpush_journal_snapshot_parts
                        WHERE log = $1 AND upload = $2 AND part = $3
                        """, log, .text(row.upload), .integer(number)))
            }
            guard let found = rows.first, let bytes = found[1].asBytes,
                LogChecksum.of(.snapshot, number: part, bytes) == found[0].asInteger
            else { return nil }
            body += bytes
            part += 1
        }
        return body
    }

    /// Sets a snapshot aside under a word that says why. Returns the name that a person finds it by.
    func moveAside(_ number: Int64, _ word: String, over connection: LogConnection) throws(JournalError) -> String {
        do throws(StoreError) {
            _ = try connection.transaction(
                "set a snapshot aside",
                [
                    LogCall(PostgresJournal.fence, log, .integer(epoch)),
                    LogCall(
                        "UPDATE lkpush_journal_snapshots SET set_aside = $3 WHERE log = $1 AND number = $2", log,
                        .integer(number), .text(word)),
                ])
        } catch {
            throw failed(error)
        }
        return "snapshot \(number) in lkpush_journal_snapshots (\(word))"
    }
}
