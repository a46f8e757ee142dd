import Glibc

/// Reads and writes whole files.
package enum FileStore {
    /// Reads a whole file. Fails with `EFBIG` if the file has more than `limit` bytes.
    package static func read(_ path: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", path) }
        defer { close(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path)
            }
            content.append(contentsOf: chunk[..<count])
            if content.count > limit { throw SystemError("read", path, code: EFBIG) }
        }
    }

    /// Replaces a file atomically: a reader sees the old content or the new, never a part. It writes a temporary file,
    /// calls `fsync`, and renames.
    package static func replace(_ path: String, with content: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw SystemError("create", temporary) }
        do throws(SystemError) {
            try writeAll(content, to: file, named: temporary)
            guard fsync(file) == 0 else { throw SystemError("fsync", temporary) }
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        close(file)
        guard rename(temporary, path) == 0 else { throw SystemError("rename", path) }
    }

    /// Makes a directory and its parents if they are missing.
    package static func makeDirectory(_ path: String) throws(SystemError) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += part
            if mkdir(partial, 0o750) != 0 && errno != EEXIST { throw SystemError("mkdir", partial) }
            partial += "/"
        }
    }

    /// Writes all bytes, with as many calls as the system needs.
    package static func writeAll(_ bytes: [UInt8], to file: Int32, named name: String) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBufferPointer { buffer in
                Glibc.write(file, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write", name)
            }
            offset += count
        }
    }
}
