import Glibc
import Platform

/// What signals ask of the process, for the thread that does it.
///
/// The `signals` thread waits for them: the start of the exporter may wait for long, and must end where a stop is asked
/// for. A stop that takes longer than its time ends the process, and so does a second signal.
final class SignalRequests: Sendable {
    private enum Limits {
        /// How long the line that says why the process ends may take to be read.
        static let lastWords = Duration.milliseconds(100)
    }

    private struct State {
        var wantsReload = false
        /// When the stop that was asked for must have ended.
        var stopBy: MonotonicTime?
        var isFinished = false
        var onStop: @Sendable () -> Void = {}
    }

    private let state = Monitor(State())

    /// Starts the thread. It is never joined: it waits for a signal that may never come.
    init(timeout: Duration, log: Log) {
        _ = NamedThread(name: "signals") { [state] in
            while Signals.wait() == .reload { state.change { $0.wantsReload = true } }
            let deadline = SystemTime().monotonic() + timeout
            let onStop = state.change { state in
                state.stopBy = deadline
                return state.onStop
            }
            Self.guardStop(state, deadline, log)
            onStop()
            while Signals.wait() == .reload {}
            log.warning("a second signal: stopping at once")
            log.flush(by: SystemTime().monotonic() + Limits.lastWords)
            _exit(130)
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

    /// Calls `body` when a stop is asked for, at once where that was before.
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

    /// The stop is done; returns when its time would have been over.
    func finish() -> MonotonicTime {
        state.change { state in
            state.isFinished = true
            return state.stopBy ?? SystemTime().monotonic()
        }
    }
}
