import Glibc
import Wire

/// Writes to a descriptor that others may share, that nobody may read, or that may be gone.
///
/// It never changes the descriptor's own mode: what `O_NONBLOCK` does to one it does to all who share it. So it waits
/// until there is room and writes no more than fits then. Only a terminal, or another writer that is quicker, can still
/// hold a call of `write`.
struct DescriptorOutput {
    enum Limits {
        /// So much is one piece for a pipe that has room, and never mixed with what others write: `PIPE_BUF` of Linux.
        /// https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html
        static let piece_bytes = 4_096
        /// How long a descriptor rests that says it has room and then has none.
        static let pause_ms: Int32 = 10
    }

    private let file: Int32
    /// Becomes readable when no more is to be waited for; -1 where that never happens.
    private let interruption: Int32
    /// How long to wait for room at most; negative for ever.
    private let patience_ms: Int32
    /// The last piece ended in the middle of a line.
    private var isTorn = false

    init(_ file: Int32, interruption: Int32 = -1, patience: Duration? = nil) {
        self.file = file
        self.interruption = interruption
        patience_ms = patience.map { Int32(clamping: $0.milliseconds) } ?? -1
    }

    /// Writes all bytes, which end with a line's end; returns how many it could write. Where that was not all before, a
    /// line's end comes first, so that what follows is whole.
    mutating func write(_ bytes: [UInt8]) -> Int {
        guard file >= 0 else { return 0 }
        if isTorn {
            guard put([UInt8(ascii: "\n")]) == 1 else { return 0 }
            isTorn = false
        }
        let written = put(bytes)
        if written > 0 && written < bytes.count { isTorn = bytes[written - 1] != UInt8(ascii: "\n") }
        return written
    }

    private func put(_ bytes: [UInt8]) -> Int {
        var offset = 0
        var pauses: Int32 = 0
        while offset < bytes.count {
            guard hasRoom(within: patience_ms) else { return offset }
            let count = bytes.withUnsafeBufferPointer { buffer in
                Glibc.write(
                    file, buffer.baseAddress.map { $0 + offset }, min(buffer.count - offset, Limits.piece_bytes))
            }
            if count > 0 {
                offset += count
                pauses = 0
            } else if count < 0 && errno == EAGAIN {
                // Somebody else was quicker, or there is less room than the piece needs.
                pauses += 1
                let isTooLong = patience_ms >= 0 && pauses * Limits.pause_ms > patience_ms
                if isTooLong || !pause() { return offset }
            } else if count == 0 || errno != EINTR {
                return offset
            }
        }
        return offset
    }

    /// Waits until a write would not wait, or would fail; false where it was interrupted or took too long.
    private func hasRoom(within limit_ms: Int32) -> Bool {
        while true {
            var files = [
                pollfd(fd: interruption, events: Int16(POLLIN), revents: 0),
                pollfd(fd: file, events: Int16(POLLOUT), revents: 0),
            ]
            let count = poll(&files, nfds_t(files.count), limit_ms)
            if count < 0 && errno == EINTR { continue }
            return count > 0 && files[0].revents == 0
        }
    }

    /// False where it was interrupted.
    private func pause() -> Bool {
        var files = [pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)]
        return poll(&files, nfds_t(files.count), Limits.pause_ms) <= 0
    }
}
