package import Wire

/// What a journal knows of itself, as of the last commit.
package struct JournalNumbers: Sendable, Equatable {
    /// 128 random bits in hexadecimal, made with the journal.
    package var id = ""
    /// The id of the journal that this one was recovered from.
    package var formerID: String?
    /// Something was lost, and no snapshot has been made since.
    package var hasLost = false
    /// Events up to here were truncated or, below `lastEvent`, soon will be.
    package var eventsBase: Int64 = 0
    /// Inputs up to here were truncated, likewise.
    package var inputsBase: Int64 = 0
    /// The number of the last committed event; 0 before the first.
    package var lastEvent: Int64 = 0
    /// The number of the last committed input; 0 before the first.
    package var lastInput: Int64 = 0
    /// Rows up to here are in the database, as far as the journal was told.
    package var rowsApplied: Int64 = 0
    /// The time of the last reading whose samples were sent.
    package var lastReading: Timestamp?
    /// The labels that all pushed series have in common.
    package var pushedLabels = ""
    /// The last input whose rows are in the database, as far as the journal was told; 0 where it was not.
    package var inputApplied: Int64 = 0
    /// Who may write rows under which name; empty before that was first committed.
    package var lineage = ""
    /// Dead letters that are still there.
    package var deadLetterCount = 0
    /// Dead letters that were dropped, because too many came later.
    package var deadLettersDropped: Int64 = 0
    /// The newest snapshot when a process began that journaled no events: what followed it is not known here. Nil where
    /// there was none.
    package var unjournaledAfter: Int64?
    /// Groups below the base are still there: they are deleted a few at a time.
    package var hasStaleGroups = true

    package init() {}

    /// Nothing was ever committed that has a number.
    package var isPristine: Bool { lastEvent == 0 && lastInput == 0 && rowsApplied == 0 }
}
