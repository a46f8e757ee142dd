import Journal
import Postgres
import Storage
import Wire

/// A group as a table has it.
struct LogGroup {
    let first: Int64
    let count: Int64
    let bytes: [UInt8]
    /// The checksum is right, and the numbers are plausible.
    let isIntact: Bool

    /// The number of the last entry.
    var last: Int64 { first + count - 1 }
}

extension EntryKind {
    /// The groups from the one that holds entry `$2` on, none beyond entry `$3`. At least one, and no more after `$4` bytes or
    /// `$5` entries. The length of a value is known without reading it.
    private var query: String {
        switch self {
        case .events:
            """
            SELECT first, count, number, checksum, bytes FROM (
                SELECT e.*, sum(octet_length(bytes)) OVER w - octet_length(bytes) AS bytes_before,
                    sum(count) OVER w - count AS entries_before
                FROM (SELECT first, count, number, checksum, bytes FROM lkpush_journal_events
                    WHERE log = $1 AND first + count > $2 AND first <= $3 AND first >= COALESCE(
                        (SELECT max(s.first) FROM lkpush_journal_events s WHERE s.log = $1 AND s.first <= $2), 0)
                    ORDER BY first LIMIT \(LogSettings.Limits.portion_rows)) e
                WINDOW w AS (ORDER BY first ROWS UNBOUNDED PRECEDING)) p
            WHERE bytes_before < $4 AND entries_before < $5 ORDER BY first
            """
        case .inputs:
            """
            SELECT first, count, first, checksum, bytes FROM (
                SELECT e.*, sum(octet_length(bytes)) OVER w - octet_length(bytes) AS bytes_before,
                    sum(count) OVER w - count AS entries_before
                FROM (SELECT first, count, checksum, bytes FROM lkpush_journal_inputs
                    WHERE log = $1 AND first + count > $2 AND first <= $3 AND first >= COALESCE(
                        (SELECT max(s.first) FROM lkpush_journal_inputs s WHERE s.log = $1 AND s.first <= $2), 0)
                    ORDER BY first LIMIT \(LogSettings.Limits.portion_rows)) e
                WINDOW w AS (ORDER BY first ROWS UNBOUNDED PRECEDING)) p
            WHERE bytes_before < $4 AND entries_before < $5 ORDER BY first
            """
        }
    }

    private var checksumKind: LogChecksum.Kind { self == .events ? .events : .inputs }

    /// Reads the groups with the entries from `number` to `last`, or the first of them.
    func groups(
        from number: Int64, to last: Int64, entries: Int, over connection: LogConnection
    ) throws(StoreError) -> [LogGroup] {
        let call = LogCall(
            query, .text(connection.place.name), .integer(number), .integer(last),
            .integer(Int64(LogSettings.Limits.portion_bytes)), .integer(Int64(entries)))
        return try connection.query("read \(self)", call).map { row in
            let first = row[0].asInteger ?? 0
            let count = row[1].asInteger ?? 0
            let bytes = row[4].asBytes ?? []
            let isPlausible = first > 0 && count > 0 && count <= Int64(bytes.count) && first <= Int64.max - count
            let crc = LogChecksum.of(checksumKind, number: row[2].asInteger ?? 0, count: count, bytes)
            return LogGroup(
                first: first, count: count, bytes: bytes, isIntact: isPlausible && crc == row[3].asInteger)
        }
    }
}

/// Reads the events or the inputs of a log in order, a bounded number of groups at a time. Two cursors can be read in
/// turns.
struct LogCursor: EntryCursor {
    private(set) var rules = 1

    private let connection: LogConnection
    private let kind: EntryKind
    /// The number of the entry that comes next.
    private var expected: Int64
    /// The number of the last entry.
    private let last: Int64
    /// Groups that were read, in order, of which the first `taken` were used.
    private var groups: [LogGroup]
    private var taken = 0
    /// The first number of the group that was read last.
    private var position: Int64 = 0
    /// There is nothing to read beyond `groups`.
    private var isWhole: Bool
    private var group: OpenGroup?

    /// Reads the entries from `number` to `last`, which are asked for when they are needed.
    init(_ connection: LogConnection, _ kind: EntryKind, from number: Int64, to last: Int64) {
        self.connection = connection
        self.kind = kind
        expected = number
        self.last = last
        groups = []
        isWhole = false
    }

    /// Reads the events from `number` on in groups that were read already.
    init(_ connection: LogConnection, from number: Int64, in groups: [LogGroup]) {
        self.connection = connection
        kind = .events
        expected = number
        last = groups.last.map { $0.last } ?? number - 1
        self.groups = groups
        isWhole = true
    }

    mutating func next() throws(JournalError) -> EntryStep? {
        while true {
            if let step = nextOfGroup() { return step }
            guard expected <= last else { return nil }
            guard let row = try nextGroup() else {
                defer { expected = last + 1 }
                return .damaged(from: expected, to: last)
            }
            // The next intact group shows which entries are missing.
            guard row.isIntact, row.last >= expected else { continue }
            group = OpenGroup(row.bytes, from: row.first, upTo: row.last + 1)
            if row.first > expected {
                defer { expected = row.first }
                return .damaged(from: expected, to: row.first - 1)
            }
        }
    }

    private mutating func nextOfGroup() -> EntryStep? {
        while var open = group {
            guard open.number < open.end, open.number <= last, let entry = open.entry() else {
                let end = min(open.end, last + 1)
                group = nil
                // Only a fault of the writer leads here: the checksum is right, and entries are missing.
                guard expected < end else { return nil }
                defer { expected = end }
                return .damaged(from: expected, to: end - 1)
            }
            let number = open.number
            open.number += 1
            group = open
            if number < expected { continue }
            expected = number + 1
            rules = open.rules
            return .entry(number: number, entry)
        }
        return nil
    }

    private mutating func nextGroup() throws(JournalError) -> LogGroup? {
        if taken == groups.count && !isWhole {
            // A damaged group tells how many entries it had, as far as that is known.
            let start = max(expected, groups.last.map { max($0.first, $0.last) + 1 } ?? expected)
            let (kind, last, connection) = (kind, last, connection)
            groups = try JournalError.ofDatabase { () throws(StoreError) in
                try kind.groups(from: start, to: last, entries: .max, over: connection)
            }
            taken = 0
            isWhole = groups.isEmpty
        }
        guard taken < groups.count else { return nil }
        let row = groups[taken]
        taken += 1
        // Only damage gives a row that was not asked for. Reading would never end if it were accepted.
        if row.first <= position { throw JournalError(.damaged, "\(kind) are not in order") }
        position = row.first
        return row
    }
}
