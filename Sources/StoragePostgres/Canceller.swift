import CPostgres
import Platform

/// Asks servers to end statements that nobody waits for any more.
///
/// libpq asks over a connection of its own and waits for it, without a deadline: so each request is sent on a thread of
/// its own. One that hangs, as its statement did, holds up no other; where `PostgresSettings.Limits.cancellations` are
/// under way at once further requests are left out, and the server's own time-out ends their statements.
enum Canceller {
    private struct State {
        /// Those under way, by number, and those that have nothing left to do but to return.
        var threads: [Int: NamedThread] = [:]
        var finished: Set<Int> = []
        var count = 0
    }

    private static let state = Monitor(State())

    /// What `PQcancel` needs.
    ///
    /// `@unchecked Sendable`: libpq allows `PQcancel` on any thread, and the request is handed over to one.
    struct Request: @unchecked Sendable {
        fileprivate let handle: OpaquePointer

        /// Wraps `PQgetCancel`.
        init?(_ connection: OpaquePointer) {
            guard let handle = PQgetCancel(connection) else { return nil }
            self.handle = handle
        }
    }

    /// Sends the request; never waits. Wraps `PQcancel`.
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
