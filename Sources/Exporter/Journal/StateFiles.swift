import Glibc
import Journal
import Platform
import Recording
import Wire

/// The files of `STATE_DIR`, which the journal thread owns: the lock, the journal, and the snapshots.
struct StateFiles {
    let directory: String
    private(set) var lock: StateLock
    let journal: JournalFile
    let snapshots: SnapshotFiles
    let saver: SnapshotThread
    /// The newest snapshot. The journal is kept from the one before it on.
    private(set) var current: SnapshotHeader?
    /// The highest number that any snapshot had.
    var lastNumber: Int64 = 0

    init(
        directory: String, lock: StateLock, journal: JournalFile, snapshots: SnapshotFiles, saver: SnapshotThread
    ) {
        self.directory = directory
        self.lock = lock
        self.journal = journal
        self.snapshots = snapshots
        self.saver = saver
    }

    /// The header of the next snapshot. `isExact` says that the journal has whatever follows it.
    mutating func header(of snapshot: RecorderSnapshot, isExact: Bool, at now: Timestamp) -> SnapshotHeader {
        lastNumber += 1
        return SnapshotHeader(
            journalID: journal.id, number: lastNumber, eventsApplied: snapshot.events,
            inputsApplied: snapshot.inputs, rowsEmitted: snapshot.rows, takenAt: now,
            isCleanStop: isExact || snapshot.isLast)
    }

    /// A snapshot was restored, or saved; returns up to where the journal is no longer needed.
    mutating func note(_ header: SnapshotHeader) -> SnapshotHeader? {
        defer { current = header }
        return current?.journalID == header.journalID ? current : nil
    }

    /// Opens the journal again, and makes the folder anew where it is gone.
    mutating func reopen(now: Timestamp) throws(JournalError) -> Opening {
        do throws(SystemError) {
            try FileStore.makeDirectory(directory)
            if !lock.isInPlace {
                guard case .taken(let new) = try StateLock.take(directory: directory) else {
                    throw SystemError("lock", directory, code: EAGAIN)
                }
                lock = new
            }
        } catch {
            throw JournalError(error)
        }
        return try journal.reopen(now: now)
    }

    /// The lock goes with the last copy of this.
    func close() { journal.close() }
}
