package import Wire

/// The numbers and single values of a journal, as of the last commit.
package struct JournalNumbers: Sendable, Equatable {
    /// 128 random bits in hexadecimal, made with the journal.
    package var id = ""
    /// The id of the journal that this one was recovered from.
    package var formerID: String?
    /// Something was lost, and no snapshot was made since.
    package var hasLost = false
    /// Events up to here were truncated. Where some are still on disk, the next commits delete them.
    package var eventsBase: Int64 = 0
    /// Inputs up to here were truncated, in the same way.
    package var inputsBase: Int64 = 0
    /// The number of the last committed event; 0 before the first. In a shared log, the last one that a commit
    /// `eventsApplied`: later events wait for the recorder.
    package var lastEvent: Int64 = 0
    /// The last event of a shared log that a process applied to its end, as far as the journal was told.
    package var eventsFinished: Int64 = 0
    /// The number of the last committed input; 0 before the first.
    package var lastInput: Int64 = 0
    /// Rows up to here are applied, as far as the journal was told.
    package var rowsApplied: Int64 = 0
    /// The time of the newest reading of any destination whose samples were sent.
    package var lastReading: Timestamp?
    /// The labels that all pushed series share, as text.
    package var pushedLabels = ""
    /// The last input whose rows are applied, as far as the journal was told; 0 where it was told of none.
    package var inputApplied: Int64 = 0
    /// The starts of the program and the names of its rows, as text; empty before they were first committed.
    package var lineage = ""
    /// The number of dead letters that are kept.
    package var deadLetterCount = 0
    /// The number of dead letters that were deleted to make room for later ones.
    package var deadLettersDropped: Int64 = 0
    /// The number of the newest snapshot when a process began that journals no events. The journal does not know what
    /// followed that snapshot. Nil where no process did so.
    package var unjournaledAfter: Int64?
    /// The events during whose application processes died, with the number of deaths of each.
    package var deaths: [Int64: Int] = [:]
    /// Groups below the base, or too many free pages, are still in the file. Each commit removes a few.
    package var hasStaleGroups = true

    package init() {}

    /// Nothing that has a number was ever committed.
    package var isPristine: Bool { lastEvent == 0 && lastInput == 0 && rowsApplied == 0 }
}
