import Glibc
package import Platform

/// A named pipe that a test reads when it wants to, or never. It stands for a program's standard error.
package final class NamedPipe {
    package let path: String
    /// Both ends, so that opening does not wait for the other end; -1 when nobody reads.
    private var file: Int32
    private var content: [UInt8] = []

    package init(_ path: String) throws(SystemError) {
        guard mkfifo(path, 0o600) == 0 else { throw SystemError("mkfifo", path) }
        self.path = path
        file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", path) }
    }

    deinit { if file >= 0 { close(file) } }

    /// Opens another end for writing.
    package func writer(_ flags: Int32 = 0) throws(SystemError) -> Int32 {
        let writer = open(path, O_WRONLY | O_CLOEXEC | flags)
        guard writer >= 0 else { throw SystemError("open", path) }
        return writer
    }

    /// Writes until no byte fits any more. Returns the number of bytes.
    @discardableResult
    package func fill() -> Int {
        var total = 0
        for size in [4_096, 1] {
            let piece = [UInt8](repeating: UInt8(ascii: "."), count: size - 1) + [UInt8(ascii: "\n")]
            while write(file, piece, size) == size { total += size }
        }
        return total
    }

    /// Everything that was read so far, including what is in the pipe now.
    package func read() -> String {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while file >= 0 {
            let count = Glibc.read(file, &piece, piece.count)
            guard count > 0 else { break }
            content.append(contentsOf: piece[..<count])
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// The whole lines of `read`, without those that `fill` wrote.
    package var lines: [String] {
        read().split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
            .filter { !$0.isEmpty && !$0.allSatisfy { $0 == "." } }
    }

    /// Closes the reading end: a write fails from now on.
    package func abandon() {
        close(file)
        file = -1
    }

    /// Opens the reading end again.
    package func adopt() throws(SystemError) {
        file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", path) }
    }
}
