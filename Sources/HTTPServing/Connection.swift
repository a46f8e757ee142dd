import Glibc
import Platform
import Synchronization

/// What the server keeps of one TCP connection.
///
/// `@unchecked Sendable`: the variables of the first group are used by the library's poll thread alone, those of the
/// second by the time-out thread alone, that of the third under the table's lock; the rest is atomic or locked.
final class Connection: @unchecked Sendable {
    /// Where the current request stands, for the poll thread.
    enum Stage {
        /// No request line yet. Can become: reading, answered.
        case fresh
        /// The header is complete, the body may follow. Can become: waiting, answered, dropped, fresh.
        case reading(Router.Match)
        /// Its body was given up for the sake of others. Can become: fresh.
        case dropped
        /// Suspended. Can become: answered.
        case waiting(PendingResponse)
        /// An answer is queued. Can become: fresh.
        case answered
    }

    /// What everybody may know: which limit applies, and since when.
    enum Phase: UInt64 {
        case idle, header, body, waiting, answering
    }

    // Poll thread.
    var stage = Stage.fresh
    var body: [UInt8] = []
    /// What `body` grew by in the current request.
    var bodyGrowth_bytes = 0
    /// An answer is owed to this request.
    var isOwed = false
    /// The client is still sending what nobody will read.
    var isRefused = false
    /// It ended in the middle of a body.
    var isIncomplete = false

    // Time-out thread.
    /// When bytes were first seen that no request came of, and the idle time they were seen in.
    var suspicion: (idleSince: Int64, at: Int64)?

    // Under the table's lock.
    /// It was ended by us and only waits for the poll thread to notice.
    private(set) var isCut = false

    /// What the connection is suspended for.
    let pending = Mutex<PendingResponse?>(nil)
    let socket: Int32
    private let word: Atomic<UInt64>

    init(socket: Int32, now: MonotonicTime) {
        self.socket = socket
        word = Atomic(Self.pack(.header, now))
    }

    /// The phase, and its start; of `waiting` its end.
    var phase: (Phase, MonotonicTime) {
        // Pairs with `ConnectionTimeouts.schedule`: either that sees the new wake-up time or the time-out thread sees
        // this phase.
        let word = word.load(ordering: .sequentiallyConsistent)
        return (Phase(rawValue: word & 7) ?? .idle, MonotonicTime(nanoseconds: Int64(word >> 3)))
    }

    func enter(_ phase: Phase, _ time: MonotonicTime) {
        word.store(Self.pack(phase, time), ordering: .sequentiallyConsistent)
    }

    /// The next phase of the same request: its time goes on.
    func advance(to phase: Phase) {
        let old = word.load(ordering: .relaxed)
        word.store(old & ~7 | phase.rawValue, ordering: .relaxed)
    }

    private static func pack(_ phase: Phase, _ time: MonotonicTime) -> UInt64 {
        UInt64(max(0, time.nanoseconds)) << 3 | phase.rawValue
    }

    /// Makes the poll thread see the end of the connection. Only while the table's lock is held: the number of the
    /// socket belongs to this connection until it has left the table. Wraps `shutdown`.
    func cut() {
        isCut = true
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Like `cut`, but an answer that is on its way still leaves.
    func endReading() { shutdown(socket, Int32(SHUT_RD)) }

    /// How long ago the last byte of the client came. Wraps `getsockopt(TCP_INFO)`.
    var sinceLastByte: Duration? {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
        return .milliseconds(info.tcpi_last_data_recv)
    }
}
