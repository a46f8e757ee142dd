package import Platform
package import Status
package import Wire

/// The journal, as the journal thread found it last.
package struct JournalCondition: Sendable {
    /// It can be written; nil before it was opened, and where there is none.
    package var isUp: Bool?
    /// The reason why it cannot be opened or written; empty while it can, or nothing was tried yet. With
    /// `DURABILITY=memory` it does not block readiness.
    package var error = ""
    /// The time since which that is so; nil while it can be written.
    package var since: Timestamp?
    /// What is wrong and what to do; nil while it can be written.
    package var advice: Advice?
    /// The reason why the last snapshot could not be saved; empty where it could.
    package var snapshotError = ""

    package init() {}
}

/// Rows that the database refused.
package struct DeadLetters: Sendable {
    /// The bounds, each with its reason.
    package enum Limits {
        /// The last ones that are shown. Others are in the journal.
        package static let shown = 20
    }

    /// The number that the journal keeps.
    package var kept = 0
    /// The number that was deleted to make room for later ones, as long as the journal exists.
    package var dropped = 0
    /// The last ones since the start, the newest first. No value of a row is in them.
    package internal(set) var last: [DeadLetterStatus] = []

    mutating func note(at time: Timestamp, table: String, reason: String) {
        var letter = DeadLetterStatus()
        letter.at = time
        letter.table = table
        letter.reason = reason
        if last.count >= Limits.shown { last.removeLast() }
        last.insert(letter, at: 0)
    }

    package init() {}
}
