import Glibc
package import Platform

/// The lock on a state folder: the file `lock`, which one process holds at a time, from `take` to the end of the
/// object.
///
/// The lock is on the open file, so the kernel releases it when the process ends, however it ends. The file stays.
/// Wraps `fcntl` with `F_OFD_SETLK`. https://man7.org/linux/man-pages/man2/fcntl_locking.2.html
package final class StateLock: Sendable {
    /// The outcome of an attempt to take the lock.
    package enum Outcome: Sendable {
        case taken(StateLock)
        /// Another process has the lock. `by` describes that process, as far as it wrote that down: `process 12 on
        /// host`.
        case held(by: String)
    }

    private enum Limits {
        /// Attempts to take the lock. Each fails where the file was removed between opening and locking it: somebody is
        /// at work there.
        static let attempts = 10
        /// Bytes of the file that are read: more than a process number and a host name.
        static let text_bytes = 1_024
    }

    /// `F_OFD_SETLK`, which is not among the constants that Swift imports.
    private static let setOpenFileLock: Int32 = 37
    /// `F_OFD_GETLK`
    private static let getOpenFileLock: Int32 = 36

    package let path: String
    private let file: Int32

    private init(path: String, file: Int32) {
        self.path = path
        self.file = file
    }

    deinit { close(file) }

    /// Tries to lock `directory`, which is made where it is missing. It never waits.
    package static func take(directory: String) throws(SystemError) -> Outcome {
        try FileStore.makeDirectory(directory)
        let path = directory + "/lock"
        for _ in 0..<Limits.attempts {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw SystemError("open", path) }
            let lock = StateLock(path: path, file: file)
            var region = flock()
            region.l_type = Int16(F_WRLCK)
            region.l_whence = Int16(SEEK_SET)
            if fcntl(file, setOpenFileLock, &region) != 0 {
                guard errno == EAGAIN || errno == EACCES else { throw SystemError("lock", path) }
                return .held(by: lock.text)
            }
            if lock.isInPlace {
                lock.describe()
                return .taken(lock)
            }
        }
        throw SystemError("lock", path, code: EBUSY)
    }

    /// Returns which process has the lock of `directory`; nil if none has, and if it cannot be found out. It takes no
    /// lock and makes no file. Wraps `fcntl` with `F_OFD_GETLK`.
    package static func holder(of directory: String) -> String? {
        let path = directory + "/lock"
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        let look = StateLock(path: path, file: file)
        var region = flock()
        region.l_type = Int16(F_WRLCK)
        region.l_whence = Int16(SEEK_SET)
        guard fcntl(file, getOpenFileLock, &region) == 0, region.l_type != Int16(F_UNLCK) else { return nil }
        return look.text
    }

    /// The locked file is still the one at its path. Where it is not, another process can lock the folder.
    package var isInPlace: Bool {
        var own = stat()
        var there = stat()
        return fstat(file, &own) == 0 && stat(path, &there) == 0 && own.st_dev == there.st_dev
            && own.st_ino == there.st_ino
    }

    /// Writes which process has the lock. The lock holds without that, so a full disk does not matter.
    private func describe() {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let text = Array("process \(getpid()) on \(name)\n".utf8)
        ftruncate(file, 0)
        _ = pwrite(file, text, text.count, 0)
    }

    private var text: String {
        var bytes = [UInt8](repeating: 0, count: Limits.text_bytes)
        let count = pread(file, &bytes, bytes.count, 0)
        let line = bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
        return line.isEmpty ? "an unknown process" : String(decoding: line, as: UTF8.self)
    }
}
