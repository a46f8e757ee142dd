package import Wire

/// The port of the journal: what must survive the process, in which order, and what may leave when.
///
/// Events and inputs are numbered from 1, each kind by itself. Rows for the database wait in the journal under the
/// numbers that the recorder gave them. A `commit` is durable as a whole or not at all. One thread opens and uses the
/// journal; only the snapshot writer is used by another one.
package protocol StateJournal: AnyObject {
    /// The numbers of the journal, as of the last commit.
    var numbers: JournalNumbers { get }
    /// The result of the last opening.
    var opening: Opening { get }
    /// `commit` can be tried. After an error it is false until `reopen` succeeds.
    var isOpen: Bool { get }
    /// Other processes append the events, and this one reads them (`appended`). Else this process commits them.
    var isShared: Bool { get }
    /// A reading is sent even where it is not committed in time.
    ///
    /// Samples that are a moment ahead of the disk are better than silence if one process writes. Such a reading is
    /// withheld if another process may take over.
    var sendsLateReadings: Bool { get }
    /// Writes snapshots, on another thread.
    var snapshotWriter: any SnapshotWriter { get }

    /// Makes all of `commit` durable, or throws and leaves everything as it was.
    ///
    /// An empty commit costs nothing. Numbers that do not follow the last ones are refused (`JournalError.Kind.other`).
    @discardableResult
    func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt

    // MARK: Reading

    /// Reads the entries after `number`, in order. In a shared log: up to the last event that a commit `eventsApplied`.
    func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor

    /// Reads the events of a shared log after `number`, at most about `limit` of them, whoever appended them.
    func appended(after number: Int64, limit: Int) throws(JournalError) -> any EntryCursor

    /// Returns the next rows of the outbox after `number`, at most `limit`. Fewer rows mean that there are no more.
    func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow>

    /// Returns the lowest and the highest number of the rows in the outbox; nil where it is empty.
    func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)?

    /// Calls `body` with each id segment, in the order of their commits. Returns how many could not be read.
    func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int

    /// Returns the keys of all series that are pushed to any destination, in no particular order.
    func shipped() throws(JournalError) -> JournalPage<[UInt8]>

    /// Reads the newest snapshot that can be read, and moves aside those that cannot.
    func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots

    // MARK: Maintenance

    /// Moves aside a snapshot that cannot be restored.
    func moveAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError)

    /// Gives up the `count` oldest rows of the outbox, for which there is no room. Returns how many there were.
    func dropOldestRows(_ count: Int) throws(JournalError) -> Int

    /// The bytes that the journal uses, without free space inside its file.
    func size_bytes() throws(JournalError) -> Int

    /// Opens the journal again after an error. It does nothing while the journal is open and in place.
    ///
    /// Committed data is there, or `opening.mayHaveLost` is true. The remains of a failed commit are removed.
    /// A new journal is made if the old one is gone, or if another one is in its place (`opening.isNew`).
    func reopen(now: Timestamp) throws(JournalError) -> Opening

    /// Closes the journal; the last reference releases the lock. `reopen` opens the journal again.
    func close()
}

/// Writes snapshots for a journal, one at a time.
package protocol SnapshotWriter: Sendable {
    /// Makes a snapshot durable. After an error the earlier snapshots are untouched.
    func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError)
}

/// The outcome of an attempt to open the journal.
package enum JournalAttempt {
    case opened(any StateJournal)
    /// Another process has the journal. `by` describes that process, as far as it wrote that down; `lock` is the lock's
    /// path.
    case held(by: String, lock: String)
}

/// Opens the journal, or makes it. The thread that calls it owns the journal from then on.
package typealias OpenJournal = @Sendable (_ now: Timestamp) throws(JournalError) -> JournalAttempt

extension StateJournal {
    package var isShared: Bool { false }

    /// Never to be called: a journal that is not shared has no events of other processes.
    package func appended(after number: Int64, limit: Int) throws(JournalError) -> any EntryCursor {
        preconditionFailure("only a shared log has events of other processes")
    }
}
