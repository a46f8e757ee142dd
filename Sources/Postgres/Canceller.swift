import CPostgres
import Platform

/// Asks servers to end statements that nobody waits for any more.
///
/// libpq sends such a request over a connection of its own, and waits for it without a deadline. So each request has a
/// thread of its own, and one that hangs holds up no other. If `PostgresSettings.Limits.cancellations` requests are
/// under way, further ones are left out. Then the server's own time-out ends their statements.
enum Canceller {
    private struct State {
        /// `threads` holds the threads by number; `finished` the numbers of those that only have to be joined.
        var threads: [Int: NamedThread] = [:]
        var finished: Set<Int> = []
        var count = 0
    }

    private static let state = Monitor(State())

    /// The handle that `PQcancel` needs.
    ///
    /// `@unchecked Sendable`: libpq allows `PQcancel` on any thread, and each request is handed over to one thread.
    struct Request: @unchecked Sendable {
        fileprivate let handle: OpaquePointer

        /// Wraps `PQgetCancel`.
        init?(_ connection: OpaquePointer) {
            guard let handle = PQgetCancel(connection) else { return nil }
            self.handle = handle
        }
    }

    /// Sends the request. Never blocks. Wraps `PQcancel`.
    static func send(_ request: Request) {
        let isTaken = state.change { state in
            for number in state.finished { state.threads.removeValue(forKey: number)?.join() }
            state.finished.removeAll()
            if state.threads.count >= PostgresSettings.Limits.cancellations { return false }
            state.count += 1
            let number = state.count
            state.threads[number] = NamedThread(name: "store-cancel") {
                var message = [CChar](repeating: 0, count: 256)
                PQcancel(request.handle, &message, Int32(message.count))
                PQfreeCancel(request.handle)
                Self.state.change { _ = $0.finished.insert(number) }
            }
            return true
        }
        if !isTaken { PQfreeCancel(request.handle) }
    }
}
