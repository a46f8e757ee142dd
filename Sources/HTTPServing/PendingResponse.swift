import CMicroHTTPD
package import Platform
import Synchronization

/// A response that is given later, exactly once: by the first one who claims it, or by its deadline.
///
/// Any thread may claim and respond. After a successful claim `respond` must follow at once, because nothing else will
/// answer then.
package final class PendingResponse: Sendable {
    private enum Stage {
        /// Can become: claimed.
        case open
        /// Somebody has the right to answer. Can become: answered.
        case claimed
        /// The response is given. Final.
        case answered(Response)
    }

    private struct State {
        var stage = Stage.open
        var deadline: MonotonicTime
        var fallback: @Sendable () -> Response
        /// The connection that is suspended for this response, while it is suspended.
        var suspended: SuspendedConnection?
    }

    private let state: Mutex<State>

    /// - Parameter fallback: makes the response for the deadline, and counts it. It is called at most once, on any
    ///   thread.
    package init(deadline: MonotonicTime, fallback: @escaping @Sendable () -> Response) {
        state = Mutex(State(deadline: deadline, fallback: fallback))
    }

    /// The time at which the fallback is sent, if nothing else was.
    package var deadline: MonotonicTime { state.withLock { $0.deadline } }

    /// Sets another deadline and another fallback, because the request now waits for something else. Returns false if
    /// it is too late.
    package func postpone(until deadline: MonotonicTime, fallback: @escaping @Sendable () -> Response) -> Bool {
        state.withLock { state in
            guard case .open = state.stage else { return false }
            state.deadline = deadline
            state.fallback = fallback
            return true
        }
    }

    /// Tries to get the right to answer. Returns false, then and forever, if the deadline or another claim came first.
    package func claim() -> Bool {
        state.withLock { state in
            guard case .open = state.stage else { return false }
            state.stage = .claimed
            return true
        }
    }

    /// Sends the response. Only the winner of `claim` may call it, once.
    package func respond(_ response: Response) {
        state.withLock { state in
            guard case .claimed = state.stage else { preconditionFailure("only a won claim may answer, once") }
            state.stage = .answered(response)
            // Under the lock, so that whoever takes the response afterwards knows that this call has returned: the
            // daemon must not be stopped before. Only the library's own lock is taken inside.
            state.suspended.take()?.resume()
        }
    }

    /// Answers unless somebody else did. Returns true if the response of this call is the one that is sent.
    @discardableResult
    package func complete(_ response: Response) -> Bool {
        guard claim() else { return false }
        respond(response)
        return true
    }

    /// Answers with the fallback unless somebody else did.
    package func expire() {
        let fallback = state.withLock { state -> (@Sendable () -> Response)? in
            guard case .open = state.stage else { return nil }
            state.stage = .claimed
            return state.fallback
        }
        // Outside the lock, because the fallback counts and may ask something else.
        if let fallback { respond(fallback()) }
    }

    /// The response, if there is one.
    var answer: Response? {
        state.withLock { if case .answered(let response) = $0.stage { response } else { nil } }
    }

    /// Suspends the connection until there is a response. Returns the response instead if it is there already.
    ///
    /// Call it only inside the library's access handler. The lock guarantees that a resume never comes before its
    /// suspend.
    func suspend(_ connection: SuspendedConnection) -> Response? {
        state.withLock { state in
            if case .answered(let response) = state.stage { return response }
            precondition(state.suspended == nil, "a pending response answers one request")
            connection.suspend()
            state.suspended = connection
            return nil
        }
    }
}

/// A connection of the library that is handed to another thread, which may only resume it.
///
/// `@unchecked Sendable`: the library allows `MHD_resume_connection` from any thread, and a suspended connection lives
/// until it is resumed.
struct SuspendedConnection: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    /// Suspends the connection. Wraps `MHD_suspend_connection`.
    func suspend() { MHD_suspend_connection(handle) }

    /// Resumes the connection. Wraps `MHD_resume_connection`.
    func resume() { MHD_resume_connection(handle) }
}
