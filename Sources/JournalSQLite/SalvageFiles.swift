import Glibc
import Platform
import SQLite
import Wire

/// The files of a database that is made anew from what can be read of its damaged file.
///
/// A crash in between leaves the damaged file or the finished one. `finish` then begins again, or takes the finished
/// one.
struct SalvageFiles {
    let path: String
    private let directory: String
    /// The new file: first incomplete, then complete.
    let unfinished: String
    private let finished: String

    init(directory: String, name: String) {
        self.directory = directory
        path = "\(directory)/\(name)"
        unfinished = path + ".salvage"
        finished = path + ".salvaged"
    }

    var isThere: Bool { Folder.exists(path) }

    /// The path of the file that `finish` would leave.
    var current: String { !isThere && Folder.exists(finished) ? finished : path }

    /// The device gives every byte of the file and of its log, whatever they mean.
    var isReadable: Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        for name in [path, DatabaseFiles.logPath(path)] {
            let file = open(name, O_RDONLY | O_CLOEXEC)
            if file < 0 { continue }
            defer { close(file) }
            var count = 0
            repeat { count = read(file, &buffer, buffer.count) } while count > 0
            if count < 0 { return false }
        }
        return true
    }

    /// Takes a finished file where the damaged one was moved aside already, and removes other leftovers.
    func finish() throws(SystemError) {
        try begin()
        guard Folder.exists(finished) else { return }
        if isThere {
            try remove(finished)
        } else {
            removeLog()
            try Folder.move(finished, to: path)
            try Folder.sync(directory)
        }
    }

    /// Makes room for the incomplete file.
    func begin() throws(SystemError) { try remove(unfinished) }

    /// Puts the complete file in the place of the damaged one, which is moved aside with its log. Nobody may have either
    /// open. Returns the new name of the damaged file; nil where there was none.
    func replace(at now: Timestamp) throws(SystemError) -> String? {
        let hasFiles = isThere || Folder.exists(DatabaseFiles.logPath(path))
        try Folder.sync(unfinished)
        try Folder.move(unfinished, to: finished)
        let name = hasFiles ? try moveAside("damaged", at: now) : nil
        try finish()
        return name
    }

    /// Gives the file and its log another name, and returns it.
    func moveAside(_ word: String, at now: Timestamp) throws(SystemError) -> String {
        let name = Folder.asideName(of: path, word, at: now)
        // A file without its log would be another one.
        if isThere { try Folder.move(path, to: name) }
        try moveLog(to: name)
        try Folder.sync(directory)
        return name
    }

    /// Moves a log whose file is gone, which belongs to no file that is made later. Returns its new name; nil where there
    /// is none.
    func moveAsideLog(at now: Timestamp) throws(SystemError) -> String? {
        guard !isThere, Folder.exists(DatabaseFiles.logPath(path)) else { return nil }
        let name = Folder.asideName(of: path, "damaged", at: now)
        try moveLog(to: name)
        return DatabaseFiles.logPath(name)
    }

    /// Writes a damaged log under another name, and returns it. A log for which there is no room is not kept: the usable
    /// part of the file matters more.
    func keep(_ log: [UInt8], at now: Timestamp) -> String? {
        let name = Folder.asideName(of: DatabaseFiles.logPath(path), "damaged", at: now)
        return (try? FileStore.replace(name, with: log)) != nil ? name : nil
    }

    /// Removes the log, which belongs to another file than that at the path.
    func removeLog() { for suffix in ["-wal", "-shm"] { unlink(path + suffix) } }

    private func remove(_ file: String) throws(SystemError) {
        for name in [file, file + "-wal", file + "-shm", file + "-journal"]
        where unlink(name) != 0 && errno != ENOENT { throw SystemError("unlink", name) }
    }

    private func moveLog(to name: String) throws(SystemError) {
        for suffix in ["-wal", "-shm"] where Folder.exists(path + suffix) {
            try Folder.move(path + suffix, to: name + suffix)
        }
    }
}
