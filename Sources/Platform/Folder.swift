import Glibc
package import Wire

/// Operations on files and folders as a whole.
package enum Folder {
    /// Makes a file durable. For a folder, it makes new names and renames in it durable. Wraps `fsync`.
    package static func sync(_ path: String) throws(SystemError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw SystemError("fsync", path) }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The folder of a path: all before its last slash. `.` for a name alone, `/` for what is in the root.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func move(_ old: String, to new: String) throws(SystemError) {
        guard rename(old, new) == 0 else { throw SystemError("rename", old) }
    }

    /// The size of a file; 0 where there is none.
    package static func size_bytes(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Returns the names in a folder, sorted.
    package static func names(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError("open", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Returns an unused name for a file that is moved aside, such as `journal.db.damaged-20260928T060000Z`.
    package static func asideName(of path: String, _ word: String, at time: Timestamp) -> String {
        let stamp = CivilTime(time).description.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        let plain = "\(path).\(word)-\(stamp)"
        var name = plain
        var number = 2
        while exists(name) {
            name = "\(plain)-\(number)"
            number += 1
        }
        return name
    }

    /// Returns what is wrong with a folder and these files in it; nil if nothing shows. A library that says "I/O error"
    /// or "unable to open" for many causes is asked less well than the file system.
    package static func trouble(of directory: String, files: [String]) -> SystemError? {
        var status = stat()
        if stat(directory, &status) != 0 { return SystemError("open", directory) }
        if status.st_mode & S_IFMT != S_IFDIR { return SystemError("open", directory, code: ENOTDIR) }
        if access(directory, W_OK) != 0 { return SystemError("write", directory) }
        for file in files where exists(file) && access(file, W_OK) != 0 { return SystemError("write", file) }
        guard let space = fileSystem(of: directory) else { return nil }
        let isFull = space.f_bavail == 0 || space.f_files > 0 && space.f_favail == 0
        return isFull ? SystemError("write", directory, code: ENOSPC) : nil
    }

    /// The room on a file system.
    package struct Space: Sendable, Equatable {
        /// The bytes that a program without privileges may still write.
        package let free_bytes: Int
        /// The bytes of the whole file system.
        package let size_bytes: Int

        package init(free_bytes: Int, size_bytes: Int) {
            self.free_bytes = free_bytes
            self.size_bytes = size_bytes
        }
    }

    /// Returns the room on the file system of a folder. Nil if that cannot be found out. A file system that hangs keeps
    /// the caller waiting.
    package static func space(of directory: String) -> Space? {
        guard let found = fileSystem(of: directory) else { return nil }
        func bytes(_ blocks: UInt) -> Int {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: UInt(found.f_frsize))
            return overflow ? .max : Int(clamping: product)
        }
        return Space(free_bytes: bytes(UInt(found.f_bavail)), size_bytes: bytes(UInt(found.f_blocks)))
    }

    /// Wraps `statvfs`.
    private static func fileSystem(of directory: String) -> statvfs? {
        var found = statvfs()
        return statvfs(directory, &found) == 0 ? found : nil
    }
}
