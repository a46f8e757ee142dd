import Journal
import Postgres
import Storage
import Wire

/// The end of a log in PostgreSQL.
///
/// Appends are one after the other: each locks the row of the log, in a statement of its own, so that the statements
/// after it see what was appended before. So numbers have no gaps, and whoever reads up to a number misses nothing.
final class PostgresEventLog: EventLog {
    private let connection: LogConnection
    private let log: BinaryValue
    private let ignoresMark: Bool

    /// - Parameter ignoresMark: it appends to a log that is being moved, for whoever moves it.
    init(_ place: LogPlace, ignoresMark: Bool = false) {
        connection = LogConnection(place)
        log = .text(place.name)
        self.ignoresMark = ignoresMark
    }

    /// A group that is there already with the same checksum is left out. One with another checksum meets the unique key.
    private static let insertion = """
        INSERT INTO lkpush_journal_events (log, first, count, producer, number, checksum, bytes)
        SELECT $1, GREATEST(
                (SELECT events_base + 1 FROM lkpush_journal_trims WHERE log = $1),
                COALESCE((SELECT e.first + e.count FROM lkpush_journal_events e WHERE e.log = $1
                    ORDER BY e.first DESC LIMIT 1), 1)),
            $2, $3, $4, $5, $6
        WHERE NOT EXISTS (SELECT 1 FROM lkpush_journal_events e
                WHERE e.log = $1 AND e.producer = $3 AND e.number = $4 AND e.checksum = $5)
            AND NOT EXISTS (SELECT 1 FROM lkpush_journal_producers p
                WHERE p.log = $1 AND p.producer = $3 AND p.last_number >= $4)
        """

    /// The lock row. It is an error where there is none: the tables were made anew, without this log.
    static let lock = "SELECT 1 / count(*) FROM (SELECT 1 FROM lkpush_journal_logs WHERE log = $1 FOR UPDATE) l"

    /// The lock row of a log that nobody moves. It fails by itself where the log has a mark (`LogMark`): whoever counts
    /// what is in the log does so elsewhere.
    private static let unmarkedLock = """
        SELECT 1 / count(*), (CASE WHEN EXISTS (SELECT 1 FROM lkpush_journal_epochs p
                WHERE p.log = $1 AND starts_with(p.fingerprint, '\(LogMark.prefix)'))
            THEN 'moved' ELSE '1' END)::integer
        FROM (SELECT 1 FROM lkpush_journal_logs WHERE log = $1 FOR UPDATE) l
        """

    private static let end = """
        SELECT GREATEST(
            (SELECT events_base FROM lkpush_journal_trims WHERE log = $1),
            (SELECT e.first + e.count - 1 FROM lkpush_journal_events e WHERE e.log = $1 ORDER BY e.first DESC LIMIT 1))
        """

    func append(_ groups: [ProducedGroup]) throws(JournalError) -> Int64 {
        var calls = [LogCall(ignoresMark ? Self.lock : Self.unmarkedLock, log)]
        for group in groups {
            calls.append(
                LogCall(
                    Self.insertion, log, .integer(Int64(group.count)), .text(group.producer), .integer(group.number),
                    .integer(group.checksum), .bytes(group.bytes)))
        }
        calls.append(LogCall(Self.end, log))
        do throws(StoreError) {
            let answers = try connection.transaction("append events", calls)
            return answers.last?.first?[0].asInteger ?? 0
        } catch {
            if error.code == JournalError.fenceCode { connection.close() }
            if error.code == JournalError.serialCode {
                throw JournalError(.replaced, "the log was moved, or is being moved: lkpush check says where")
            }
            guard error.code == JournalError.uniqueCode else { throw JournalError(error) }
            throw JournalError(.conflict, "append events: another group has the same producer and number")
        }
    }

    func close() { connection.close() }
}

extension ProducedGroup {
    /// The number of the first event is not in it, because the producer does not know it.
    var checksum: Int64 { LogChecksum.of(.events, number: number, count: Int64(count), bytes) }
}
