import CPostgres
import Platform

/// Asks a server to end a statement that nobody waits for any more.
///
/// libpq asks over a connection of its own and waits for it, without a deadline: so it is done on a thread of its own,
/// one at a time. Where that one hangs, as the statement did, further requests are left out: the server's own time-out
/// ends them.
enum Canceller {
    private struct State {
        var thread: NamedThread?
        var isBusy = false
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
            if state.isBusy { return false }
            state.isBusy = true
            // It has nothing left to do but to return.
            state.thread?.join()
            state.thread = NamedThread(name: "store-cancel") {
                var message = [CChar](repeating: 0, count: 256)
                PQcancel(request.handle, &message, Int32(message.count))
                PQfreeCancel(request.handle)
                Self.state.change { $0.isBusy = false }
            }
            return true
        }
        if !isTaken { PQfreeCancel(request.handle) }
    }
}
