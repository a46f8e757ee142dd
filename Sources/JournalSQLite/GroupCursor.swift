package import Journal
import SQLite
import Wire

/// Reads the events or the inputs of a journal in order, one group at a time. Two cursors can be read in turns.
///
/// It belongs to the journal thread. Entries that are committed while it runs may be read or not.
package struct GroupCursor: EntryCursor {
    /// The number of the rules that the entry which `next` returned last was noted with.
    package private(set) var rules = 1

    private let journal: JournalFile
    private let table: EntryKind
    /// The number of the entry that comes next.
    private var expected: Int64
    /// The number of the last entry.
    private let last: Int64
    /// The first number of the group that was read last.
    private var position: Int64
    private var isStarted = false
    private var group: OpenGroup?

    init(_ journal: JournalFile, _ table: EntryKind, after number: Int64) {
        self.journal = journal
        self.table = table
        expected = max(number, journal.numbers[base: table]) + 1
        last = journal.numbers[last: table]
        position = 0
    }

    /// Returns the next entry, or which entries are missing; nil at the end.
    package mutating func next() throws(JournalError) -> EntryStep? {
        while true {
            if let step = nextOfGroup() { return step }
            guard expected <= last else { return nil }
            guard let row = try nextGroup() else {
                defer { expected = last + 1 }
                return .damaged(from: expected, to: last)
            }
            // A damaged group does not even tell how many entries it had. The next intact one shows which are missing.
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
            guard open.number < open.end, let entry = open.entry() else {
                group = nil
                // Only a fault of the writer leads here: the checksum is right, and entries are missing.
                guard expected < open.end else { return nil }
                defer { expected = open.end }
                return .damaged(from: expected, to: open.end - 1)
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

    private mutating func nextGroup() throws(JournalError) -> GroupRow? {
        let table = table
        if !isStarted {
            isStarted = true
            let expected = expected
            let start = try journal.use { connection throws(SQLiteError) in
                do throws(SQLiteError) {
                    return try table.start(of: expected, in: connection)
                } catch {
                    // The start cannot be found, so reading begins at the first group and goes past the damage.
                    if error.condition == .damaged { return nil }
                    throw error
                }
            }
            position = (start ?? 1) - 1
        }
        let key = position
        let row = try journal.use { connection throws(SQLiteError) in
            try DamagedTable.row(above: key) { key throws(SQLiteError) in try table.row(above: key, in: connection) }
        }.row
        if let row { position = row.first }
        return row
    }
}
