import CMicroHTTPD
package import Platform
import Synchronization

/// An answer that is given later, exactly once: by whoever claims it first, or by its deadline.
///
/// Any thread may claim and respond. After a won claim `respond` must follow at once: nothing else will answer then.
package final class PendingResponse: Sendable {
    private enum Stage {
        /// Can become: claimed.
        case open
        /// Somebody decides the answer. Can become: answered.
        case claimed
        /// Final.
        case answered(Response)
    }

    private struct State {
        var stage = Stage.open
        var deadline: MonotonicTime
        var fallback: @Sendable () -> Response
        /// Set while the connection is suspended for this answer.
        var suspended: SuspendedConnection?
    }

    private let state: Mutex<State>

    /// - Parameter fallback: makes the answer of the deadline, and counts it; called at most once, on any thread.
    package init(deadline: MonotonicTime, fallback: @escaping @Sendable () -> Response) {
        state = Mutex(State(deadline: deadline, fallback: fallback))
    }

    /// When the fallback leaves, if nothing else did.
    package var deadline: MonotonicTime { state.withLock { $0.deadline } }

    /// Gives it another deadline and another fallback: what it waits for has changed. False where it is too late.
    package func postpone(until deadline: MonotonicTime, fallback: @escaping @Sendable () -> Response) -> Bool {
        state.withLock { state in
            guard case .open = state.stage else { return false }
            state.deadline = deadline
            state.fallback = fallback
            return true
        }
    }

    /// Wins or loses the right to answer. Lost for good when the deadline or another claim came first.
    package func claim() -> Bool {
        state.withLock { state in
            guard case .open = state.stage else { return false }
            state.stage = .claimed
            return true
        }
    }

    /// Sends the answer. Only the winner of `claim` may call it, once.
    package func respond(_ response: Response) {
        state.withLock { state in
            guard case .claimed = state.stage else { preconditionFailure("only a won claim may answer, once") }
            state.stage = .answered(response)
            // Under the lock, so that whoever takes the answer afterwards knows that this call has returned: the
            // daemon must not be stopped before. The library's own lock is the only one taken inside.
            state.suspended.take()?.resume()
        }
    }

    /// Answers unless somebody else did; true if this call's answer is the one.
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
        // Outside the lock: it counts, and it may ask something else.
        if let fallback { respond(fallback()) }
    }

    /// The answer, if there is one.
    var answer: Response? {
        state.withLock { if case .answered(let response) = $0.stage { response } else { nil } }
    }

    /// Suspends the connection until there is an answer; returns the answer where it is there already.
    ///
    /// Only inside the library's access handler. The lock makes sure that a resume never comes before its suspend.
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

/// A connection of the library, on its way to another thread that may only resume it.
///
/// `@unchecked Sendable`: the library allows `MHD_resume_connection` from any thread, and a suspended connection lives
/// until it is resumed.
struct SuspendedConnection: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    /// Wraps `MHD_suspend_connection`.
    func suspend() { MHD_suspend_connection(handle) }

    /// Wraps `MHD_resume_connection`.
    func resume() { MHD_resume_connection(handle) }
}
