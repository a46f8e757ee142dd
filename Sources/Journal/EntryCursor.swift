package import Wire

/// The two kinds of entries of a journal, each numbered from 1.
package enum EntryKind: Sendable, Equatable, CaseIterable {
    /// Webhooks that were accepted.
    case events
    /// What the recorder applied besides: answers, reports, the time.
    case inputs
}

/// What a cursor gives next.
package enum EntryStep: Sendable {
    /// An entry with its number; the reader stands before its first field.
    case entry(number: Int64, MessageReader)
    /// Entries from one number to another, both included, were committed and cannot be read.
    case damaged(from: Int64, to: Int64)
}

/// Reads the entries of one kind in order. Two of them can be read in turns, on the journal's thread.
package protocol EntryCursor {
    /// The number of the rules that the entry which was given last is applied under.
    var rules: Int { get }

    /// The next entry, or which ones are missing; nil at the end.
    mutating func next() throws(JournalError) -> EntryStep?
}
