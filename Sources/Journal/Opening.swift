/// What happened when the journal was opened.
package struct Opening: Sendable, Equatable {
    /// The journal has an id that nobody knows yet: the file was made now, or something of it was lost. Before anything
    /// is accepted, write a snapshot of everything, and truncate up to its numbers.
    package var isNew = false
    /// Something that had been committed may be missing; what it was is not known. It is told at every opening until a
    /// commit `coversLoss`.
    package var mayHaveLost = false
    /// The id of the journal that this one was salvaged from; nil where this one keeps its id or is empty.
    package var formerID: String?
    /// Sentences for the log.
    package var notes: [String] = []
    /// Files that were moved aside, for a person to look at.
    package var movedAside: [String] = []

    /// What the journal holds was committed before.
    package var receipt: CommitReceipt { CommitReceipt() }

    package init() {}
}
