import Glibc

/// A file system of a few megabytes in memory, mounted on a folder. It is unmounted when the object goes.
///
/// Mounting needs root. `isAllowed` is true if this machine permits it.
package final class SmallFileSystem: Sendable {
    /// The file system was not mounted, or has not the wanted state.
    package struct FileSystemError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Room for the journal, its log up to the next checkpoint, and two snapshots.
    package static let size_bytes = 16 << 20
    /// The path that it is mounted on.
    package let path: String
    /// The folder is removed after the file system in it was unmounted.
    private let folder: TemporaryFolder

    package init(
        in folder: TemporaryFolder, name: String = "small", size_bytes: Int = size_bytes
    ) throws(FileSystemError) {
        self.folder = folder
        path = folder.file(name)
        mkdir(path, 0o755)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(size_bytes),mode=755") == 0 else {
            throw FileSystemError(description: "mount \(path): error \(errno)")
        }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// True if a test may mount something here. A container without CAP_SYS_ADMIN may not.
    package static let isAllowed: Bool = (try? SmallFileSystem(in: TemporaryFolder())) != nil

    /// Takes all the room that is left, but for `spared` bytes.
    package func fill(sparing spared: Int = 0) throws(FileSystemError) {
        let file = open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileSystemError(description: "ballast: error \(errno)") }
        defer { close(file) }
        for size in [65_536, 4_096, 1] {
            let bytes = [UInt8](repeating: 0x55, count: size)
            while write(file, bytes, size) > 0 {}
        }
        guard errno == ENOSPC else { throw FileSystemError(description: "ballast: error \(errno)") }
        if spared > 0 { ftruncate(file, max(0, lseek(file, 0, SEEK_END) - spared)) }
    }

    /// Frees the room that `fill` took.
    package func free() {
        // Another test may start a program at this moment, which then has the file open for an instant.
        truncate(path + "/ballast", 0)
        unlink(path + "/ballast")
    }

    /// Makes it smaller or larger. What it holds must fit in.
    package func resize(_ size_bytes: Int) throws(FileSystemError) {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(size_bytes),mode=755") == 0 else {
            throw FileSystemError(description: "resize \(path): error \(errno)")
        }
    }

    /// Makes it read-only, or writable again, while nobody has a file open for writing.
    package func remount(isReadOnly: Bool) throws(FileSystemError) {
        let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        guard mount("tmpfs", path, "tmpfs", flags, "size=\(Self.size_bytes),mode=755") == 0 else {
            throw FileSystemError(description: "remount \(path): error \(errno)")
        }
    }
}
