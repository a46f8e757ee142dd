package import Journal
import Platform
package import Wire
import Glibc

/// The journal in a folder: the lock, the file `journal.db`, and the snapshots beside it.
///
/// It belongs to the thread that opened it.
package final class SQLiteJournal: StateJournal {
    private let directory: String
    private var lock: StateLock
    private let file: JournalFile
    private let snapshots: SnapshotFiles

    private init(directory: String, lock: StateLock, file: JournalFile, snapshots: SnapshotFiles) {
        self.directory = directory
        self.lock = lock
        self.file = file
        self.snapshots = snapshots
    }

    /// Locks the folder and opens the journal in it. Both are made where they are missing.
    ///
    /// - Parameter snapshotFormat: the format of the snapshot bodies that this program writes. Older ones are read as
    ///   well.
    package static func open(
        directory: String, snapshotFormat: Int, now: Timestamp
    ) throws(JournalError) -> JournalAttempt {
        let outcome = try JournalError.ofSystem { () throws(SystemError) in
            try FileStore.makeDirectory(directory)
            return try StateLock.take(directory: directory)
        }
        switch outcome {
        case .held(let holder): return .held(by: holder, lock: "\(directory)/lock")
        case .taken(let lock):
            return .opened(
                SQLiteJournal(
                    directory: directory, lock: lock, file: try JournalFile(directory: directory, now: now),
                    snapshots: SnapshotFiles(directory: directory, format: snapshotFormat)))
        }
    }

    package var numbers: JournalNumbers { file.numbers }
    package var opening: Opening { file.opening }
    package var isOpen: Bool { file.isOpen }
    /// One process has the folder, so no other one can have sent other values.
    package var sendsLateReadings: Bool { true }
    package var snapshotWriter: any SnapshotWriter { snapshots }

    package func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt { try file.commit(commit) }

    package func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor {
        file.entries(kind, after: number)
    }

    package func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow> {
        try file.outbox(after: number, limit: limit)
    }

    package func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)? { try file.outboxExtent() }

    package func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int {
        try file.forEachSegment(body)
    }

    package func shipped() throws(JournalError) -> JournalPage<[UInt8]> { try file.shipped() }

    package func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        try snapshots.load(now: now)
    }

    package func moveAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError) {
        try snapshots.moveAside(number, now: now)
    }

    package func dropOldestRows(_ count: Int) throws(JournalError) -> Int { try file.dropOldestRows(count) }

    package func size_bytes() throws(JournalError) -> Int { try file.size_bytes() }

    /// Opens the file again, and makes the folder anew where it is gone.
    package func reopen(now: Timestamp) throws(JournalError) -> Opening {
        try JournalError.ofSystem { () throws(SystemError) in
            try FileStore.makeDirectory(directory)
            if lock.isInPlace { return }
            guard case .taken(let new) = try StateLock.take(directory: directory) else {
                throw SystemError("lock", directory, code: EAGAIN)
            }
            lock = new
        }
        return try file.reopen(now: now)
    }

    package func close() { file.close() }
}

extension SnapshotFiles: SnapshotWriter {}

extension SQLiteJournal: MovableJournal {
    package func deadLetters(after sequence: Int64, limit: Int) throws(JournalError) -> JournalPage<DeadLetter> {
        try file.deadLetters(after: sequence, limit: limit)
    }
}
