/// The result of opening the journal.
package struct Opening: Sendable, Equatable {
    /// Nobody knows the id of the journal yet: its file was made now, or something of it was lost.
    ///
    /// Before anything is accepted, a complete snapshot must be written, and the journal truncated up to its numbers.
    package var isNew = false
    /// Something that had been committed may be missing, and it is not known what. Every opening reports this until a
    /// commit `coversLoss`.
    package var mayHaveLost = false
    /// The id of the journal that this one was recovered from; nil where this one keeps its id or is empty.
    package var formerID: String?
    /// Sentences for the log.
    package var notes: [String] = []
    /// The files that were moved aside, for a person to look at.
    package var movedAside: [String] = []

    /// A receipt for what the journal holds, because that was committed before.
    package var receipt: CommitReceipt { CommitReceipt() }

    package init() {}
}
