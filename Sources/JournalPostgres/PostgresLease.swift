import Journal
import Platform
import Postgres
import Storage
import Wire

/// The lease of a log in PostgreSQL.
final class PostgresLease: LogLease {
    private let connection: LogConnection
    private let log: BinaryValue

    init(_ place: LogPlace) {
        connection = LogConnection(place)
        log = .text(place.name)
    }

    static let query = """
        SELECT p.epoch, p.holder, l.renewal, l.expires < clock_timestamp(), l.is_released, p.fingerprint,
            floor(extract(epoch FROM p.since) * 1000)::bigint,
            GREATEST(t.events_base, (SELECT e.first + e.count - 1 FROM lkpush_journal_events e WHERE e.log = $1
                ORDER BY e.first DESC LIMIT 1)),
            GREATEST(t.events_base, s.event_applied), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, o.id,
            GREATEST(t.inputs_base, (SELECT i.first + i.count - 1 FROM lkpush_journal_inputs i WHERE i.log = $1
                ORDER BY i.first DESC LIMIT 1)), s.last_reading
        FROM lkpush_journal_epochs p, lkpush_journal_leases l, lkpush_journal_trims t, lkpush_journal_state s,
            lkpush_journal_logs o
        WHERE p.log = $1 AND l.log = $1 AND t.log = $1 AND s.log = $1 AND o.log = $1
        """

    func look() throws(JournalError) -> LeaseRecord {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.query("read the lease", LogCall(Self.query, log))
        }
        guard let row = rows.first else { throw gone() }
        return LeaseRecord(row)
    }

    /// The row of the epoch comes first: whoever commits under the old epoch has a lock on it, and is waited for.
    private static let newEpoch = """
        WITH taken AS (UPDATE lkpush_journal_epochs
            SET epoch = epoch + 1, holder = $3, fingerprint = $4, since = clock_timestamp()
            WHERE log = $1 AND epoch = $2 RETURNING 1)
        SELECT 1 / count(*) FROM taken
        """

    private static let newLease = """
        WITH taken AS (UPDATE lkpush_journal_leases
            SET epoch = epoch + 1, renewal = renewal + 1, is_released = false,
                expires = clock_timestamp() + $3 * interval '1 millisecond'
            WHERE log = $1 AND epoch = $2 AND (expires < clock_timestamp() OR renewal = $4::bigint) RETURNING 1)
        SELECT 1 / count(*) FROM taken
        """

    func take(
        _ how: LeaseTaking, after epoch: Int64, holder: String, fingerprint: String, lasting: Duration
    ) throws(JournalError) -> Int64? {
        var seen: Int64?
        if case .stoodStill(let renewal) = how { seen = renewal }
        let calls = [
            LogCall(Self.newEpoch, log, .integer(epoch), .text(holder.sendable), .text(fingerprint.sendable)),
            LogCall(Self.newLease, log, .integer(epoch), .integer(lasting.milliseconds), BinaryValue(seen)),
        ]
        do throws(StoreError) {
            // A leader that is silent inside a transaction is ended by the server, after a time that this waits.
            let wait = max(place.settings.lock, place.settings.idle * 2)
            _ = try connection.transaction("take the lease", lock: wait, calls)
            return epoch + 1
        } catch {
            if error.code == JournalError.fenceCode { return nil }
            throw JournalError(error)
        }
    }

    private static let renewal = """
        UPDATE lkpush_journal_leases SET renewal = renewal + 1, is_released = false,
            expires = clock_timestamp() + $3 * interval '1 millisecond'
        WHERE log = $1 AND epoch = $2 RETURNING 1::bigint
        """

    func renew(_ epoch: Int64, lasting: Duration) throws(JournalError) -> Bool {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            // A renewal that is lost with a machine has run out by then.
            try connection.transaction(
                "renew the lease", isSynced: false,
                [LogCall(Self.renewal, log, .integer(epoch), .integer(lasting.milliseconds))])
        }
        return !rows[0].isEmpty
    }

    private static let release = """
        UPDATE lkpush_journal_leases SET renewal = renewal + 1, is_released = true, expires = '-infinity'
        WHERE log = $1 AND epoch = $2
        """

    func release(_ epoch: Int64) throws(JournalError) {
        _ = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.transaction("release the lease", [LogCall(Self.release, log, .integer(epoch))])
        }
    }

    // MARK: A lost end

    private static let newID = """
        WITH renamed AS (UPDATE lkpush_journal_logs SET id = $3 WHERE log = $1 AND id = $2 RETURNING 1)
        SELECT 1 / count(*) FROM renamed
        """

    private static let epochAbove = """
        UPDATE lkpush_journal_epochs SET epoch = GREATEST(epoch, $2) + 1, holder = '', since = clock_timestamp()
        WHERE log = $1
        """

    private static let freeLease = """
        UPDATE lkpush_journal_leases SET epoch = (SELECT p.epoch FROM lkpush_journal_epochs p WHERE p.log = $1),
            renewal = renewal + 1, is_released = true, expires = '-infinity'
        WHERE log = $1
        """

    private static let lost = "UPDATE lkpush_journal_state SET has_lost = true WHERE log = $1"

    func beginAnew(after id: String, as newID: String, aboveEpoch epoch: Int64) throws(JournalError) -> Bool {
        let calls = [
            LogCall(Self.newID, log, .text(id), .text(newID)),
            LogCall(Self.epochAbove, log, .integer(epoch)), LogCall(Self.freeLease, log), LogCall(Self.lost, log),
        ]
        do throws(StoreError) {
            _ = try connection.transaction("begin the journal anew", lock: place.settings.idle * 2, calls)
            return true
        } catch {
            if error.code == JournalError.fenceCode { return false }
            throw JournalError(error)
        }
    }

    // MARK: Clocks

    private static let clock = """
        INSERT INTO lkpush_journal_replicas AS r VALUES ($1, $2, $3, clock_timestamp())
        ON CONFLICT (log, holder) DO UPDATE SET ahead_ms = $3, seen = clock_timestamp()
        """

    private static let clocks = """
        SELECT ahead_ms FROM lkpush_journal_replicas
        WHERE log = $1 AND seen > clock_timestamp() - $2 * interval '1 millisecond'
        """

    private static let formerClocks =
        "DELETE FROM lkpush_journal_replicas WHERE log = $1 AND seen < clock_timestamp() - interval '1 day'"

    func note(ahead_ms: Int64, holder: String, within: Duration) throws(JournalError) -> [Int64] {
        let rows = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.transaction(
                "note the clock", isSynced: false,
                [
                    LogCall(Self.clock, log, .text(holder.sendable), .integer(ahead_ms)),
                    LogCall(Self.formerClocks, log),
                    LogCall(Self.clocks, log, .integer(within.milliseconds)),
                ])
        }
        return rows[2].compactMap { $0[0].asInteger }
    }

    func note(deathOf event: Int64) throws(JournalError) {
        _ = try JournalError.ofDatabase { () throws(StoreError) in
            try connection.transaction("note a death", [LogCall(PostgresJournal.death, log, .integer(event))])
        }
    }

    func close() { connection.close() }

    private var place: LogPlace { connection.place }

    private func gone() -> JournalError {
        connection.close()
        return JournalError(.other, "read the lease: the tables of the journal do not have this log")
    }
}

extension LeaseRecord {
    /// Reads a row of `PostgresLease.query`.
    init(_ row: [BinaryValue]) {
        self.init()
        epoch = row[0].asInteger ?? 0
        holder = row[1].asText ?? ""
        renewal = row[2].asInteger ?? 0
        hasExpired = row[3].asFlag ?? true
        isReleased = row[4].asFlag ?? true
        fingerprint = row[5].asText ?? ""
        since = row[6].asInteger.map { Timestamp(milliseconds: $0) }
        lastEvent = row[7].asInteger ?? 0
        applied = row[8].asInteger ?? 0
        now = Timestamp(milliseconds: row[9].asInteger ?? 0)
        id = row[10].asText ?? ""
        lastInput = row[11].asInteger ?? 0
        lastReading = row[12].asInteger.map { Timestamp(milliseconds: $0) }
    }
}

extension String {
    /// The text without zero characters, which PostgreSQL does not store.
    var sendable: String { utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self }
}
