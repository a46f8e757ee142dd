import Glibc
import Platform
import Synchronization

/// The server's state of one TCP connection.
///
/// `@unchecked Sendable`: only the library's poll thread uses the variables of the first group, only the time-out
/// thread those of the second; the table's lock guards that of the third; the rest is atomic or locked.
final class Connection: @unchecked Sendable {
    /// The progress of the current request, as the poll thread sees it.
    enum Stage {
        /// No request line has come yet. Can become: reading, answered.
        case fresh
        /// The header is complete, and a body may follow. Can become: waiting, answered, dropped, fresh.
        case reading(Router.Match)
        /// The request's body was given up to free memory for others. Can become: fresh.
        case dropped
        /// The connection is suspended. Can become: answered.
        case waiting(PendingResponse)
        /// A response is queued. Can become: fresh.
        case answered
    }

    /// The phase of a connection, for all threads. It says which time limit applies, and since when.
    enum Phase: UInt64 {
        case idle, header, body, waiting, answering
    }

    // Poll thread.
    var stage = Stage.fresh
    var body: [UInt8] = []
    /// The number of bytes by which `body` grew in the current request.
    var bodyGrowth_bytes = 0
    /// The server owes this request a response.
    var isOwed = false
    /// The client is still sending a body that nobody will read.
    var isRefused = false
    /// The connection ended in the middle of a body.
    var isIncomplete = false

    // Time-out thread.
    /// The time at which bytes were first seen that did not make a request, and the start of the idle phase in which
    /// they came.
    var suspicion: (idleSince: Int64, at: Int64)?

    // Under the table's lock.
    /// The server has shut the connection down, and the poll thread has not noticed yet.
    private(set) var isCut = false

    /// The response that the connection is suspended for.
    let pending = Mutex<PendingResponse?>(nil)
    let socket: Int32
    private let word: Atomic<UInt64>

    init(socket: Int32, now: MonotonicTime) {
        self.socket = socket
        word = Atomic(Self.pack(.header, now))
    }

    /// The phase, and its start; for `waiting` its end.
    var phase: (Phase, MonotonicTime) {
        // Pairs with `ConnectionTimeouts.schedule`: either that sees the new wake-up time, or the time-out thread sees
        // this phase.
        let word = word.load(ordering: .sequentiallyConsistent)
        return (Phase(rawValue: word & 7) ?? .idle, MonotonicTime(nanoseconds: Int64(word >> 3)))
    }

    func enter(_ phase: Phase, _ time: MonotonicTime) {
        word.store(Self.pack(phase, time), ordering: .sequentiallyConsistent)
    }

    /// Enters the next phase of the same request, whose time goes on.
    func advance(to phase: Phase) {
        let old = word.load(ordering: .relaxed)
        word.store(old & ~7 | phase.rawValue, ordering: .relaxed)
    }

    private static func pack(_ phase: Phase, _ time: MonotonicTime) -> UInt64 {
        UInt64(max(0, time.nanoseconds)) << 3 | phase.rawValue
    }

    /// Shuts the connection down, which the poll thread then notices. Call it only while the table's lock is held: the
    /// number of the socket belongs to this connection until it has left the table. Wraps `shutdown`.
    func cut() {
        isCut = true
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Shuts down only the reading side: a response that is being sent still reaches the client.
    func endReading() { shutdown(socket, Int32(SHUT_RD)) }

    /// The time since the client's last byte. Wraps `getsockopt(TCP_INFO)`.
    var sinceLastByte: Duration? {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
        return .milliseconds(info.tcpi_last_data_recv)
    }
}
