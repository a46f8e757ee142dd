import Glibc
import Platform
import TestSupport

/// A small file system in memory that a test can fill. It exists only where tests may mount one.
final class SmallDisk {
    let path: String
    private let folder = TemporaryFolder()

    static let isPermitted = SmallDisk(size: "64k") != nil

    init?(size: String) {
        path = folder.file("disk")
        guard mkdir(path, 0o700) == 0 else { return nil }
        let made = ChildProcess.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path])
        if made.status != 0 { return nil }
    }

    deinit { _ = ChildProcess.run("/bin/umount", ["-l", path]) }

    /// Fills the disk except for `spared` bytes. `free` gives the room back.
    func fill(_ name: String = "filler", sparing spared: Int = 0) {
        var space = statvfs()
        statvfs(path, &space)
        var rest = Int(space.f_bavail) * Int(space.f_bsize) - spared
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4_096)
        while rest > 0 && write(file, block, min(rest, block.count)) > 0 { rest -= block.count }
    }

    func free(_ name: String = "filler") {
        // Another test may start a program at this moment, which then has the file open for an instant.
        truncate("\(path)/\(name)", 0)
        unlink("\(path)/\(name)")
    }
}

/// Makes a file immutable, also for root; false where the file system knows no such thing.
enum Immutability {
    static func set(_ path: String, _ isImmutable: Bool) -> Bool {
        ChildProcess.run("/usr/bin/chattr", [isImmutable ? "+i" : "-i", path]).status == 0
    }

    static let isPermitted: Bool = {
        let folder = TemporaryFolder()
        let path = folder.file("x")
        close(open(path, O_WRONLY | O_CREAT, 0o600))
        return set(path, true) && set(path, false)
    }()
}
