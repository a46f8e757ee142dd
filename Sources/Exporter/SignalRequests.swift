import Glibc
import Platform

/// The requests that come as signals, for the thread that performs them.
///
/// The thread `signals` waits for signals, because a start may wait for long and must end when a stop is asked for. A
/// second stop ends the process, and so does a stop that takes too long. The thread switches debug logging itself: it
/// helps most with a start or a stop that hangs.
final class SignalRequests: Sendable {
    private enum Limits {
        /// The time for the reader of the line that says why the process ends.
        static let lastWords = Duration.milliseconds(100)
    }

    private struct State {
        var wantsReload = false
        /// The stop that was asked for must have ended at this time.
        var stopBy: MonotonicTime?
        var isFinished = false
        var onStop: @Sendable () -> Void = {}
    }

    private let state = Monitor(State())

    /// Starts the thread. It is never joined, because it waits for a signal that may never come.
    init(timeout: Duration, log: Log) {
        _ = NamedThread(name: "signals") { [state] in
            while Self.nextButDebug(log) == .reload { state.change { $0.wantsReload = true } }
            let deadline = SystemTime().monotonic() + timeout
            let onStop = state.change { state in
                state.stopBy = deadline
                return state.onStop
            }
            Self.guardStop(state, deadline, log)
            onStop()
            while Self.nextButDebug(log) == .reload {}
            log.warning("a second signal: stopping at once")
            log.flush(by: SystemTime().monotonic() + Limits.lastWords)
            _exit(130)
        }
    }

    /// Waits for the next signal that is not about debug logging.
    private static func nextButDebug(_ log: Log) -> Signals.Received {
        while true {
            let received = Signals.wait()
            guard received == .toggleDebug else { return received }
            log.toggleDebug()
        }
    }

    private static func guardStop(_ state: Monitor<State>, _ deadline: MonotonicTime, _ log: Log) {
        _ = NamedThread(name: "stop-guard") {
            if state.wait(until: deadline, { $0.isFinished ? true : nil }) != nil { return }
            log.error("stopping took longer than SHUTDOWN_TIMEOUT")
            log.flush(by: SystemTime().monotonic() + Limits.lastWords)
            _exit(1)
        }
    }

    /// Calls `body` when a stop is asked for. If that was before, it is called at once.
    func onStop(_ body: @escaping @Sendable () -> Void) {
        let isAsked = state.change { state in
            state.onStop = body
            return state.stopBy != nil
        }
        if isAsked { body() }
    }

    /// Waits for the next request.
    func next() -> Signals.Received {
        let request: Signals.Received? = state.wait(until: nil) { state in
            if state.stopBy != nil { return .stop }
            defer { state.wantsReload = false }
            return state.wantsReload ? .reload : nil
        }
        return request ?? .stop
    }

    /// The time by which the stop that was asked for must have ended: it counts from the signal.
    var stopBy: MonotonicTime { state.withLock { $0.stopBy } ?? SystemTime().monotonic() }

    /// Notes that the stop is done. Returns the deadline that it had.
    func finish() -> MonotonicTime {
        state.change { state in
            state.isFinished = true
            return state.stopBy ?? SystemTime().monotonic()
        }
    }
}
