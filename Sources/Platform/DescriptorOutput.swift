import Glibc
import Wire

/// Writes to a file descriptor that other processes may share, that nobody may read, or that may be closed at the other
/// end.
///
/// It never sets `O_NONBLOCK`, because that flag applies to everybody who shares the descriptor. Instead it waits until
/// there is room, and then writes no more than fits. `write` can still block on a terminal, or if another writer takes
/// the room first.
struct DescriptorOutput {
    enum Limits {
        /// The size of one write: `PIPE_BUF` of Linux. A pipe that is ready has room for this much, and the kernel
        /// never mixes such a write with those of other writers.
        /// https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html
        static let piece_bytes = 4_096
        /// The pause before the next attempt when `poll` reported room and `write` found none.
        static let pause_ms: Int32 = 10
    }

    private let file: Int32
    /// A descriptor that becomes readable when the waits must end; -1 if nothing ends them.
    private let interruption: Int32
    /// The longest wait for room; negative for no limit.
    private let patience_ms: Int32
    /// The last write ended in the middle of a line.
    private var isTorn = false

    init(_ file: Int32, interruption: Int32 = -1, patience: Duration? = nil) {
        self.file = file
        self.interruption = interruption
        patience_ms = patience.map { Int32(clamping: $0.milliseconds) } ?? -1
    }

    /// Writes all bytes, which must end with a line feed. Returns the number of bytes that were written.
    ///
    /// If the write before this one ended in the middle of a line, a line feed comes first, so that this text begins on
    /// a line of its own.
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
                // Another writer took the room, or there is less room than the piece needs.
                pauses += 1
                let isTooLong = patience_ms >= 0 && pauses * Limits.pause_ms > patience_ms
                if isTooLong || !pause() { return offset }
            } else if count == 0 || errno != EINTR {
                return offset
            }
        }
        return offset
    }

    /// Waits until a write would not block, or would fail. Returns false if the wait was interrupted or took too long.
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

    /// Waits for a moment. Returns false if the wait was interrupted.
    private func pause() -> Bool {
        var files = [pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)]
        return poll(&files, nfds_t(files.count), Limits.pause_ms) <= 0
    }
}
