import Glibc
import Platform
import Synchronization

/// Connections whose upload was refused. The server goes on reading them for a moment, because closing a socket with
/// unread bytes makes the client see a reset in place of the response.
/// https://www.rfc-editor.org/rfc/rfc9112#section-9.6
final class LingeringClose: Sendable {
    private struct Entry {
        let file: Int32
        let until: MonotonicTime
    }

    private let entries = Mutex<[Entry]>([])

    /// Keeps the connection behind `socket` open for reading after the library has closed its own descriptor.
    /// Does nothing if too many are kept already: that client may see a reset.
    func add(_ socket: Int32, now: MonotonicTime) {
        entries.withLock { entries in
            guard entries.count < Limits.lingering else { return }
            let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return }
            // The copy shares its file description with the socket, which is non-blocking already. It is set again
            // because everything rests on it.
            _ = fcntl(copy, F_SETFL, O_NONBLOCK)
            shutdown(copy, Int32(SHUT_WR))
            entries.append(Entry(file: copy, until: now + Limits.linger))
        }
    }

    /// Reads and drops the bytes that came. Returns whether any connection is still open.
    func look(now: MonotonicTime) -> Bool {
        entries.withLock { entries in
            entries.removeAll { entry in
                let isDone = now >= entry.until || Self.hasEnded(entry.file)
                if isDone { close(entry.file) }
                return isDone
            }
            return !entries.isEmpty
        }
    }

    func closeAll() {
        entries.withLock { entries in
            for entry in entries { close(entry.file) }
            entries.removeAll()
        }
    }

    private static func hasEnded(_ file: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { scrap in
            var room = Limits.lingerRead_bytes
            while room > 0 {
                let count = recv(file, scrap.baseAddress, scrap.count, 0)
                if count > 0 {
                    room -= count
                } else {
                    return count == 0 || (errno != EAGAIN && errno != EINTR)
                }
            }
            return false
        }
    }
}
