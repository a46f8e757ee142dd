import Glibc
import Journal
import JournalSQLite
import Platform
import Wire

/// The state folder of a process that nobody else uses, for a move of its journal.
struct MovableFolder {
    /// The folder in which a copy is made until it is complete.
    static let unfinished = "journal.unfinished"

    let directory: String
    /// Is called before a file is renamed.
    private let step: () throws -> Void

    init(_ directory: String, step: @escaping () throws -> Void = {}) {
        self.directory = directory
        self.step = step
    }

    private var journalPath: String { "\(directory)/\(JournalFile.name)" }

    /// The folder has a journal that a start would use.
    var hasJournal: Bool { Folder.exists(journalPath) }

    /// Locks the folder, so that no start uses it meanwhile.
    func lock() throws -> StateLock? {
        if hasJournal {
            // Opening the journal locks the folder.
            if let holder = StateLock.holder(of: directory) { throw isHeld(by: holder) }
            return nil
        }
        switch try StateLock.take(directory: directory) {
        case .taken(let lock): return lock
        case .held(let holder): throw isHeld(by: holder)
        }
    }

    private func isHeld(by holder: String) -> MoveFault {
        MoveFault("STATE_DIR (\(directory)) is in use by \(holder): stop it in order first")
    }

    /// Throws where events wait in the folder for a shared log: a move away from the log would leave them behind.
    func checkSpill(isLeaving: Bool) throws {
        guard isLeaving else { return }
        if let holder = StateLock.holder(of: directory) { throw isHeld(by: holder) }
        let file = "\(directory)/\(SQLiteSpill.name)"
        let advice = "Start a replica there once: it forwards them; then stop it in order"
        let events: Int
        do throws(JournalError) {
            events = try SQLiteSpill.waiting(in: directory)
        } catch {
            throw MoveFault("\(file) cannot be read, and events may wait in it (\(error)). \(advice)")
        }
        if events > 0 { throw MoveFault("\(events) events wait in \(file) for the shared journal. \(advice)") }
    }

    // MARK: Journals

    /// Opens the journal that is there.
    func open(_ format: Int, now: Timestamp) throws -> any MovableJournal { try open(directory, format, now) }

    /// Makes a journal that has no place yet. What an earlier attempt has left is removed.
    func openUnfinished(_ format: Int, now: Timestamp) throws -> any MovableJournal {
        let folder = "\(directory)/\(Self.unfinished)"
        if Folder.exists(folder) {
            for name in try Folder.names(folder) { unlink("\(folder)/\(name)") }
        }
        try FileStore.makeDirectory(folder)
        return try open(folder, format, now)
    }

    private func open(_ directory: String, _ format: Int, _ now: Timestamp) throws -> any MovableJournal {
        switch try SQLiteJournal.open(directory: directory, snapshotFormat: format, now: now) {
        case .opened(let journal as SQLiteJournal): return journal
        case .opened: preconditionFailure("it opens its own kind")
        case .held(let holder, _): throw isHeld(by: holder)
        }
    }

    // MARK: Files

    /// Gives the journal that was copied its place. It must be closed. The file of the journal comes last: with it the
    /// journal is there.
    func finish(now: Timestamp) throws {
        let folder = "\(directory)/\(Self.unfinished)"
        for name in snapshots(try Folder.names(directory)) { try putAside(name, now) }
        for name in snapshots(try Folder.names(folder)) + [JournalFile.name] {
            try step()
            try Folder.move("\(folder)/\(name)", to: "\(directory)/\(name)")
        }
        try Folder.sync(directory)
        for name in try Folder.names(folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// Renames the journal, so that no start uses it. It must be closed. The file of the journal comes first: without it
    /// there is no journal.
    func putAside(now: Timestamp) throws {
        try putAside(JournalFile.name, now)
        for name in snapshots(try Folder.names(directory)) { try putAside(name, now) }
        try Folder.sync(directory)
    }

    private func putAside(_ name: String, _ now: Timestamp) throws {
        let path = "\(directory)/\(name)"
        try step()
        try Folder.move(path, to: Folder.asideName(of: path, "moved", at: now))
    }

    /// The names of snapshots that a start would read.
    private func snapshots(_ names: [String]) -> [String] {
        names.filter { name in name.hasPrefix("snapshot.") && Int64(name.dropFirst("snapshot.".count)) != nil }
    }
}
