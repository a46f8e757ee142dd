package import Wire

/// The two kinds of entries of a journal, each numbered from 1.
package enum EntryKind: Sendable, Equatable, CaseIterable {
    /// Events that were accepted.
    case events
    /// Inputs of the recorder other than events: answers, reports, presence lists, passed time.
    case inputs
}

/// One step of a cursor.
package enum EntryStep: Sendable {
    /// An entry with its number. The reader stands before its first field.
    case entry(number: Int64, MessageReader)
    /// The entries of these numbers, both included, were committed and cannot be read.
    case damaged(from: Int64, to: Int64)
}

/// Reads the entries of one kind in order. Two cursors can be read in turns, on the journal thread.
package protocol EntryCursor {
    /// The number of the rules that apply to the entry which `next` returned last.
    var rules: Int { get }

    /// Returns the next entry, or which entries are missing; nil at the end.
    mutating func next() throws(JournalError) -> EntryStep?
}
