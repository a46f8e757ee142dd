import CMicroHTTPD
import Glibc
import Platform

/// Takes connections from the listening socket and hands them to the HTTP library, on a thread of its own.
///
/// The library itself accepts one connection per round of its poll loop, and a round costs time for every open
/// connection: behind thousands of silent newcomers a good client would wait for seconds. Here they are all taken at
/// once, and who has to go is decided before the library knows of the newcomer.
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

    /// The body of the thread: until the listening socket is shut down.
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

    /// Wraps `accept` and `MHD_add_connection`.
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
                // From here on the socket is the library's, which closes it also where it refuses: only without memory.
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
        // The socket was shut down: nobody else makes these.
        case EINVAL, EBADF, ENOTSOCK: return .end
        // A signal, or the failure of the one connection that was to be accepted.
        // https://man7.org/linux/man-pages/man2/accept.2.html
        default: return .next
        }
    }
}
