package import Wire

/// The journal as the recorder's side needs it: what must survive the process, in which order, and what may leave when.
///
/// Events and other inputs are numbered 1, 2, 3 … each; rows for the database wait in it under the numbers that the
/// recorder gave them. One `commit` is durable as a whole or not at all. One thread opens and uses it; only the snapshot
/// writer is used by another one.
package protocol StateJournal: AnyObject {
    /// What it holds, as of the last commit.
    var numbers: JournalNumbers { get }
    /// What happened when it was last opened.
    var opening: Opening { get }
    /// Whether `commit` can be tried; false after an error until `reopen` succeeds.
    var isOpen: Bool { get }
    /// Whether a reading that is not committed in time is sent all the same: numbers that are a moment ahead of the disk
    /// are better than silence where one process writes. Where another process may take over, such a reading is held.
    var sendsLateReadings: Bool { get }
    /// Writes snapshots, from another thread.
    var snapshotWriter: any SnapshotWriter { get }

    /// Makes all of `commit` durable, or throws and leaves everything as it was.
    ///
    /// A commit without anything in it costs nothing. Numbers that do not follow the last ones are refused (`other`).
    @discardableResult
    func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt

    // MARK: Reading

    /// Reads the entries after a number, in order.
    func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor

    /// The next rows that wait, after a number, at most `limit`. Fewer means that there are no more.
    func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow>

    /// The lowest and the highest number of the rows that wait; nil where there are none.
    func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)?

    /// Calls `body` with each segment of ids, in the order they were committed. Returns how many could not be read.
    func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int

    /// The keys of all series that are pushed, in no order that means anything.
    func shipped() throws(JournalError) -> JournalPage<[UInt8]>

    /// Reads the newest snapshot that can be read; what cannot is moved aside.
    func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots

    // MARK: Keeping it small and well

    /// Moves a snapshot aside that cannot be restored.
    func setAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError)

    /// Gives up the `count` oldest rows, for which there is no room. Returns how many there were.
    func dropOldestRows(_ count: Int) throws(JournalError) -> Int

    /// What would have to be given up for room, in bytes.
    func size_bytes() throws(JournalError) -> Int

    /// Opens it again after an error; does nothing while it is open and in place.
    ///
    /// What was committed is there, or `opening.mayHaveLost` says so. What a failed commit left behind is removed. Where
    /// it is gone, or another one is in its place, a new one is made (`opening.isNew`).
    func reopen(now: Timestamp) throws(JournalError) -> Opening

    /// Closes it, and lets go of the lock with the last reference. `reopen` opens it again.
    func close()
}

/// Writes snapshots for a journal, one at a time.
package protocol SnapshotWriter: Sendable {
    /// Makes a snapshot durable. After an error those before are untouched.
    func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError)
}

/// What came of an attempt to open the journal.
package enum JournalAttempt {
    case opened(any StateJournal)
    /// Another process has it: which one, as far as it said so, and where the lock is.
    case held(by: String, lock: String)
}

/// Opens the journal, or makes it; called on the thread that owns it from then on.
package typealias OpenJournal = @Sendable (_ now: Timestamp) throws(JournalError) -> JournalAttempt
