import CMicroHTTPD
import Glibc
import Platform

/// Accepts connections from the listening socket and hands them to the HTTP library, on a thread of its own.
///
/// The library itself accepts one connection per round of its poll loop, and a round takes longer the more connections
/// are open: behind thousands of silent new connections a good client would wait for seconds. The acceptor takes all of
/// them at once, and the connection to evict is chosen before the library knows of the new one.
struct Acceptor: Sendable {
    private enum Step { case next, pause, end }

    private let file: Int32
    private let daemon: UInt
    private let engine: Engine

    /// The daemon must run until the thread has ended.
    init(_ socket: ListeningSocket, daemon: OpaquePointer, engine: Engine) {
        file = socket.file
        self.daemon = UInt(bitPattern: daemon)
        self.engine = engine
    }

    /// The body of the thread. It runs until the listening socket is shut down.
    func run() {
        let table = engine.table
        while table.waitForRoom() {
            switch acceptOne() {
            case .next: continue
            case .pause: table.waitForDeparture(until: SystemTime().monotonic() + Limits.descriptorPause)
            case .end: return
            }
        }
    }

    /// Accepts one connection. Wraps `accept` and `MHD_add_connection`.
    private func acceptOne() -> Step {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let socket = accept(file, address, &length)
                guard socket >= 0 else { return failed(errno) }
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                guard let connection = engine.admit(socket: socket) else {
                    close(socket)
                    return .next
                }
                // From here on the library owns the socket. It closes it even if it refuses it, which happens only
                // without memory.
                if MHD_add_connection(OpaquePointer(bitPattern: daemon), socket, address, length) != .YES {
                    engine.close(connection)
                }
                return .next
            }
        }
    }

    private func failed(_ code: Int32) -> Step {
        switch code {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            engine.lackDescriptors()
            return .pause
        // The socket was shut down: nothing else causes these errors.
        case EINVAL, EBADF, ENOTSOCK: return .end
        // A signal came, or the connection to be accepted failed. https://man7.org/linux/man-pages/man2/accept.2.html
        default: return .next
        }
    }
}
