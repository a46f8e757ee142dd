package import Journal
import Glibc
import Platform
package import Wire

/// The snapshots of a folder: `snapshot.<number>`, the newest and the one before it.
///
/// A file is written under another name, made durable, and renamed, so there is never a part of one. Any thread may use
/// it, one at a time. The journal keeps what follows the *older* of the two, so a damaged newest one loses nothing.
package struct SnapshotFiles: Sendable {
    package enum Limits {
        /// The number of snapshots that are kept.
        package static let generations = 2
        /// The largest file that is read. The state of 50,000 participants is some 10 MiB.
        package static let file_bytes = 1 << 30
    }

    package let directory: String
    /// The format of the body that this program writes. Older ones are read as well.
    package let format: Int

    private static let name = "snapshot."
    private static let temporary = ".new"

    package init(directory: String, format: Int) {
        self.directory = directory
        self.format = format
    }

    /// Makes a snapshot durable, then removes all but the newest two.
    ///
    /// After an error the earlier snapshots are untouched and nothing of this one is left. There is one exception: it
    /// may be there where only the folder could not be synchronized.
    package func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError) {
        let path = path(header.number)
        let head = SnapshotFormat.head(header, format: format, body: body)
        try JournalError.ofSystem { () throws(SystemError) in
            try write([head, body], to: path + Self.temporary)
            guard rename(path + Self.temporary, path) == 0 else {
                let error = SystemError("rename", path)
                unlink(path + Self.temporary)
                throw error
            }
            try Folder.sync(directory)
        }
        // A file that cannot be removed is found again the next time.
        guard let numbers = try? numbers() else { return }
        for old in numbers.dropLast(Limits.generations) { unlink(self.path(old)) }
    }

    /// Reads the newest snapshot that is whole. Snapshots that are damaged or of a newer program are moved aside, and
    /// unfinished files are removed.
    /// - Parameter now: the time in the names of files that are moved aside.
    package func load(now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        try JournalError.ofSystem { () throws(SystemError) in
            guard Folder.exists(directory) else { return LoadedSnapshots() }
            var loaded = LoadedSnapshots()
            for name in try Folder.names(directory) where Self.isTemporary(name) { unlink("\(directory)/\(name)") }
            for number in try numbers().reversed() {
                loaded.highestNumber = max(loaded.highestNumber, number)
                if loaded.newest != nil && loaded.older != nil { break }
                try load(number, into: &loaded, now)
            }
            return loaded
        }
    }

    /// Moves aside a snapshot whose body its reader cannot use.
    package func moveAside(_ number: Int64, now: Timestamp) throws(JournalError) {
        try JournalError.ofSystem { () throws(SystemError) in
            _ = try moveAside(path(number), "damaged", now)
        }
    }

    private func load(_ number: Int64, into loaded: inout LoadedSnapshots, _ now: Timestamp) throws(SystemError) {
        let path = path(number)
        let reading: SnapshotFormat.Decoded
        do throws(SystemError) {
            reading = SnapshotFormat.read(try FileStore.read(path, limit: Limits.file_bytes), format: format)
        } catch {
            // The device does not give the file, or it is far too large. Any other error is no fault of this file.
            guard error.code == EIO || error.code == EFBIG || error.code == EISDIR else { throw error }
            reading = .damaged(error.description)
        }
        switch reading {
        case .snapshot(let snapshot) where snapshot.header.number == number:
            if loaded.newest == nil { loaded.newest = snapshot } else { loaded.older = snapshot.header }
        case .snapshot:
            loaded.damaged.append(try moveAside(path, "damaged", now))
            loaded.notes.append("Snapshot \(number) was moved aside: it says that it has another number.")
        case .newer(let format):
            loaded.ofNewerProgram.append(try moveAside(path, "newer", now))
            loaded.notes.append(
                "Snapshot \(number) was moved aside: it has format \(format) of a newer program; this one knows "
                    + "\(self.format).")
        case .damaged(let reason):
            loaded.damaged.append(try moveAside(path, "damaged", now))
            loaded.notes.append("Snapshot \(number) was moved aside: \(reason).")
        }
    }

    private func moveAside(_ path: String, _ word: String, _ now: Timestamp) throws(SystemError) -> String {
        let name = Folder.asideName(of: path, word, at: now)
        try Folder.move(path, to: name)
        return name
    }

    private func write(_ parts: [[UInt8]], to path: String) throws(SystemError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("create", path) }
        do throws(SystemError) {
            for part in parts { try FileStore.writeAll(part, to: file, named: path) }
            guard fsync(file) == 0 else { throw SystemError("fsync", path) }
        } catch {
            close(file)
            unlink(path)
            throw error
        }
        close(file)
    }

    private func path(_ number: Int64) -> String { "\(directory)/\(Self.name)\(number)" }

    /// Returns the numbers of all snapshots, the lowest first.
    private func numbers() throws(SystemError) -> [Int64] {
        try Folder.names(directory).compactMap { name in
            guard name.hasPrefix(Self.name), let number = Int64(name.dropFirst(Self.name.count)) else { return nil }
            // `snapshot.+1` and `snapshot.01` do not count, because the path is made of the number again.
            return "\(Self.name)\(number)" == name ? number : nil
        }.sorted()
    }

    private static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(Self.name) && name.hasSuffix(temporary)
            && Int64(name.dropFirst(Self.name.count).dropLast(temporary.count)) != nil
    }
}
