import Journal
import Postgres
import Wire

/// The statements of one commit, in the order of the journal in SQLite.
struct CommitWork {
    /// The names of texts in their table. They are stored and never renamed.
    static let lineage = "lineage"
    static let pushedLabels = "pushed_labels"

    private(set) var calls: [LogCall]
    private let log: BinaryValue
    /// The places of the answers with the number of groups that were deleted.
    private var removals: [Int] = []
    /// The place of the answer with the count of dead letters.
    private var deadLetters: Int?

    init(log: BinaryValue, epoch: Int64) {
        self.log = log
        calls = [LogCall(PostgresJournal.fence, log, .integer(epoch))]
    }

    /// Adds everything that `commit` has.
    /// - Parameters:
    ///   - serial: the serial that has to be there; `new` replaces it.
    ///   - old: the numbers before the commit.
    ///   - numbers: those after it.
    mutating func write(
        _ commit: Commit, serial: Int64, new: Int64, from old: JournalNumbers, _ numbers: inout JournalNumbers
    ) {
        if let applied = commit.rowsAppliedUpTo { numbers.rowsApplied = max(numbers.rowsApplied, applied) }
        if let input = commit.inputAppliedUpTo { numbers.inputApplied = input }
        if let time = commit.readingSent { numbers.lastReading = time }
        if let event = commit.eventsFinished { numbers.eventsFinished = max(numbers.eventsFinished, event) }
        if commit.coversLoss { numbers.hasLost = false }
        if let number = commit.unjournaledAfter { numbers.unjournaledAfter = number }
        calls.append(
            LogCall(
                Self.state, log, .integer(serial), .integer(new), .integer(numbers.lastEvent),
                .integer(numbers.rowsApplied), .integer(numbers.inputApplied),
                BinaryValue(numbers.lastReading?.milliseconds), BinaryValue(numbers.unjournaledAfter),
                .flag(numbers.hasLost), .integer(numbers.eventsFinished)))
        if !commit.inputs.isEmpty { insert(commit.inputs) }
        insert(commit.outboxRows)
        if let applied = commit.rowsAppliedUpTo { calls.append(LogCall(Self.rowsApplied, log, .integer(applied))) }
        if let lineage = commit.lineage, lineage != numbers.lineage {
            numbers.lineage = lineage
            set(Self.lineage, lineage)
        }
        insert(commit.deadLetters)
        for segment in commit.ids { insert(segment, serial: new) }
        if let labels = commit.pushedLabels, labels != numbers.pushedLabels {
            numbers.pushedLabels = labels
            set(Self.pushedLabels, labels)
            calls.append(LogCall("DELETE FROM lkpush_journal_shipped WHERE log = $1", log))
        }
        for keys in Self.portions(of: commit.seriesEnded, size: { $0.count }) {
            calls.append(LogCall(Self.seriesEnded, log, .byteStrings(Array(keys))))
        }
        for keys in Self.portions(of: commit.seriesBegan, size: { $0.count }) {
            let checksums = keys.map { LogChecksum.of(.shipped, $0) }
            calls.append(LogCall(Self.seriesBegan, log, .byteStrings(Array(keys)), .integers(checksums)))
        }
        for event in commit.deaths {
            calls.append(LogCall(PostgresJournal.death, log, .integer(event)))
            numbers.deaths[event, default: 0] += 1
        }
        if let truncation = commit.truncation { truncate(truncation, from: old, &numbers) }
        if numbers.hasStaleGroups { removeStaleGroups(numbers) }
    }

    /// Takes the numbers that only the database knows from the answers.
    func read(_ answers: [[[BinaryValue]]], _ numbers: inout JournalNumbers) {
        let removed = removals.map { answers[$0].first?[0].asInteger ?? 0 }
        if !removed.isEmpty {
            numbers.hasStaleGroups = removed.contains { $0 >= Int64(LogSettings.Limits.truncatedGroups) }
        }
        if let deadLetters, let row = answers[deadLetters].first {
            numbers.deadLetterCount = Int(row[0].asInteger ?? 0)
            numbers.deadLettersDropped = row[1].asInteger ?? 0
        }
    }

    // MARK: Parts

    private mutating func insert(_ inputs: Group) {
        let bytes = inputs.bytes
        let crc = LogChecksum.of(.inputs, number: inputs.first, count: Int64(inputs.count), bytes)
        calls.append(
            LogCall(
                "INSERT INTO lkpush_journal_inputs VALUES ($1, $2, $3, $4, $5)", log, .integer(inputs.first),
                .integer(Int64(inputs.count)), .integer(crc), .bytes(bytes)))
    }

    private mutating func insert(_ rows: [OutboxRow]) {
        // One statement cannot write a row twice. The last one with a number counts.
        var places: [Int64: Int] = [:]
        var unique: [OutboxRow] = []
        for row in rows {
            if let place = places[row.sequence] {
                unique[place] = row
            } else {
                places[row.sequence] = unique.count
                unique.append(row)
            }
        }
        for rows in Self.portions(of: unique, size: { $0.bytes.count }) {
            calls.append(
                LogCall(
                    Self.outbox, log, .integers(rows.map(\.sequence)),
                    .integers(rows.map { LogChecksum.of(.outbox, number: $0.sequence, $0.bytes) }),
                    .byteStrings(rows.map(\.bytes))))
        }
    }

    private mutating func insert(_ letters: [DeadLetter]) {
        guard !letters.isEmpty else { return }
        for letter in letters {
            calls.append(
                LogCall(
                    Self.deadLetter, log, .integer(letter.sequence), .integer(letter.at.milliseconds),
                    .integer(letter.checksum), .bytes(Array(letter.reason.utf8)), .bytes(Array(letter.row.utf8))))
        }
        calls.append(LogCall(Self.deadLettersDropped, log, .integer(Int64(Commit.Limits.deadLetters))))
        deadLetters = calls.count
        calls.append(LogCall(Self.deadLetterCount, log))
    }

    private mutating func insert(_ segment: JournalIDSegment, serial: Int64) {
        calls.append(
            LogCall(
                """
                INSERT INTO lkpush_journal_ids (log, serial, snapshot, kind, latest, checksum, bytes)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """, log, .integer(serial), .integer(segment.snapshot), .integer(Int64(segment.kind)),
                .integer(segment.latest.milliseconds), .integer(segment.checksum), .bytes(segment.bytes)))
    }

    private mutating func set(_ name: String, _ text: String) {
        calls.append(
            LogCall(
                """
                INSERT INTO lkpush_journal_texts VALUES ($1, $2, $3)
                ON CONFLICT (log, name) DO UPDATE SET value = excluded.value
                """, log, .text(name), .bytes(Array(text.utf8))))
    }

    private mutating func truncate(
        _ truncation: Truncation, from old: JournalNumbers, _ numbers: inout JournalNumbers
    ) {
        // Appends have to see a base beyond the end of the log. One that is under way has to end before.
        if let base = truncation.events, base > old.lastEvent { calls.append(LogCall(PostgresEventLog.lock, log)) }
        calls.append(
            LogCall(Self.bases, log, .integer(truncation.events ?? 0), .integer(truncation.inputs ?? 0)))
        for expiry in truncation.expiredIDs {
            calls.append(
                LogCall(
                    "DELETE FROM lkpush_journal_ids WHERE log = $1 AND kind = $2 AND latest <= $3", log,
                    .integer(Int64(expiry.kind)), .integer(expiry.latest.milliseconds)))
        }
        if let snapshot = truncation.idsAboveSnapshot {
            calls.append(
                LogCall(
                    "DELETE FROM lkpush_journal_ids WHERE log = $1 AND snapshot > $2", log, .integer(snapshot)))
        }
        guard truncation.events != nil else { return }
        let base = numbers.eventsBase
        numbers.deaths = numbers.deaths.filter { $0.key > base }
        calls.append(
            LogCall("DELETE FROM lkpush_journal_deaths WHERE log = $1 AND event <= $2", log, .integer(base)))
        calls.append(
            LogCall(
                """
                DELETE FROM lkpush_journal_producers
                WHERE log = $1 AND trimmed_at < clock_timestamp() - $2 * interval '1 day'
                """, log, .integer(LogSettings.Limits.producer_days)))
    }

    private mutating func removeStaleGroups(_ numbers: JournalNumbers) {
        removals = [calls.count, calls.count + 1]
        calls.append(LogCall(Self.staleEvents, log, .integer(numbers.eventsBase)))
        calls.append(LogCall(Self.staleInputs, log, .integer(numbers.inputsBase)))
    }

    /// Cuts rows into portions that one statement writes.
    private static func portions<Row>(of rows: [Row], size: (Row) -> Int) -> [ArraySlice<Row>] {
        var portions: [ArraySlice<Row>] = []
        var start = 0
        var bytes = 0
        for (place, row) in rows.enumerated() {
            let isFull = bytes >= LogSettings.Limits.portion_bytes || place - start >= LogSettings.Limits.portion_rows
            if place > start && isFull {
                portions.append(rows[start..<place])
                (start, bytes) = (place, 0)
            }
            bytes += size(row)
        }
        if start < rows.count { portions.append(rows[start...]) }
        return portions
    }
}

extension CommitWork {
    /// It fails by itself where another serial is there: a commit was made or prevented since the journal was opened.
    fileprivate static let state = """
        WITH u AS (UPDATE lkpush_journal_state SET serial = $3, event_applied = $4, rows_applied = $5, input_applied = $6,
            last_reading = $7::bigint, unjournaled_after = $8::bigint, has_lost = $9, event_finished = $10
            WHERE log = $1 AND serial = $2 RETURNING 1)
        SELECT (n::text || CASE WHEN n = 1 THEN '' ELSE ' states' END)::integer FROM (SELECT count(*) AS n FROM u) c
        """

    fileprivate static let outbox = """
        INSERT INTO lkpush_journal_outbox
        SELECT $1, u.sequence, u.checksum, u.bytes
        FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS u (sequence, checksum, bytes)
        ON CONFLICT (log, sequence) DO UPDATE SET checksum = excluded.checksum, bytes = excluded.bytes
        """

    fileprivate static let rowsApplied = "DELETE FROM lkpush_journal_outbox WHERE log = $1 AND sequence <= $2"

    fileprivate static let deadLetter = """
        INSERT INTO lkpush_journal_dead_letters VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (log, sequence) DO UPDATE SET at = excluded.at, checksum = excluded.checksum,
            reason = excluded.reason, row_text = excluded.row_text
        """

    /// Keeps the newest `$2`.
    fileprivate static let deadLettersDropped = """
        WITH gone AS (DELETE FROM lkpush_journal_dead_letters WHERE log = $1 AND sequence IN (
            SELECT sequence FROM lkpush_journal_dead_letters WHERE log = $1 ORDER BY sequence DESC OFFSET $2)
            RETURNING 1)
        UPDATE lkpush_journal_state SET dead_letters_dropped = dead_letters_dropped + (SELECT count(*) FROM gone)
        WHERE log = $1
        """

    fileprivate static let deadLetterCount = """
        SELECT (SELECT count(*) FROM lkpush_journal_dead_letters d WHERE d.log = $1), dead_letters_dropped
        FROM lkpush_journal_state WHERE log = $1
        """

    fileprivate static let seriesEnded = """
        DELETE FROM lkpush_journal_shipped
        WHERE log = $1 AND hash IN (SELECT sha256(u.key) FROM unnest($2::bytea[]) AS u (key))
        """

    fileprivate static let seriesBegan = """
        INSERT INTO lkpush_journal_shipped
        SELECT $1, sha256(u.key), u.checksum, u.key FROM unnest($2::bytea[], $3::bigint[]) AS u (key, checksum)
        ON CONFLICT DO NOTHING
        """

    fileprivate static let bases = """
        UPDATE lkpush_journal_trims SET events_base = GREATEST(events_base, $2), inputs_base = GREATEST(inputs_base, $3)
        WHERE log = $1
        """

    /// The newest group stays, or an empty log would begin anew at 1. The last number of each producer is kept, so that a
    /// group that is repeated late is known.
    fileprivate static let staleEvents = """
        WITH gone AS (DELETE FROM lkpush_journal_events WHERE log = $1 AND first IN (
                SELECT first FROM lkpush_journal_events WHERE log = $1 AND first + count - 1 <= $2 AND first <= $2
                    AND first < (SELECT max(first) FROM lkpush_journal_events WHERE log = $1)
                ORDER BY first LIMIT \(LogSettings.Limits.truncatedGroups))
            RETURNING producer, number),
        kept AS (INSERT INTO lkpush_journal_producers AS p
            SELECT $1, producer, max(number), clock_timestamp() FROM gone GROUP BY producer
            ON CONFLICT (log, producer) DO UPDATE SET trimmed_at = excluded.trimmed_at,
                last_number = GREATEST(p.last_number, excluded.last_number))
        SELECT count(*) FROM gone
        """

    fileprivate static let staleInputs = """
        WITH gone AS (DELETE FROM lkpush_journal_inputs WHERE log = $1 AND first IN (
                SELECT first FROM lkpush_journal_inputs WHERE log = $1 AND first + count - 1 <= $2 AND first <= $2
                ORDER BY first LIMIT \(LogSettings.Limits.truncatedGroups))
            RETURNING 1)
        SELECT count(*) FROM gone
        """
}

extension JournalIDSegment {
    /// In this checksum the latest time stands as the number, and the snapshot together with the kind as the count.
    var checksum: Int64 {
        LogChecksum.of(.ids, number: latest.milliseconds, count: snapshot &* 1_000 &+ Int64(kind), bytes)
    }
}

extension DeadLetter {
    var checksum: Int64 {
        LogChecksum.of(.deadLetter, number: sequence, count: at.milliseconds, Array("\(reason)\u{0}\(row)".utf8))
    }
}
