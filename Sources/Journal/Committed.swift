/// Proof that a commit of the journal succeeded.
///
/// An engine makes one for each commit, and one when it is opened: everything that it holds then was committed before.
package struct CommitReceipt: Sendable {
    /// The receipt of a process that keeps no journal. Nothing is promised, so nothing has to be on disk.
    package static let withoutJournal = CommitReceipt()

    /// Only an engine calls this, after the commit.
    package init() {}
}

/// A value that may leave the journal thread, because everything that caused it is committed.
///
/// Events go to the recorder and rows go to the database in this wrapper. So neither leaves too early.
package struct Committed<Value: Sendable>: Sendable {
    package let value: Value

    /// - Parameter receipt: the receipt of the commit that holds everything which caused `value`, or of a later one.
    package init(_ value: Value, by receipt: CommitReceipt) { self.value = value }
}
