/// Proof that a commit of the journal ended well. An engine makes one for each commit, and one when it was opened: what
/// it then holds was committed before.
package struct CommitReceipt: Sendable {
    /// For a process that keeps no journal: nothing is promised, so nothing has to be on disk.
    package static let withoutJournal = CommitReceipt()

    /// Only an engine calls it, after the commit.
    package init() {}
}

/// A value that may leave the journal's side: what caused it is committed.
///
/// Events go to the recorder in one of these and rows go to the database in one: nothing leaves before what caused it is
/// committed.
package struct Committed<Value: Sendable>: Sendable {
    package let value: Value

    /// - Parameter receipt: of the commit that everything which caused `value` was part of, or of a later one.
    package init(_ value: Value, by receipt: CommitReceipt) { self.value = value }
}
