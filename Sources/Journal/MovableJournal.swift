/// A journal whose content can be moved to another one.
package protocol MovableJournal: StateJournal {
    /// Returns the next dead letters after `sequence`, the oldest first, at most `limit`.
    func deadLetters(after sequence: Int64, limit: Int) throws(JournalError) -> JournalPage<DeadLetter>
}
