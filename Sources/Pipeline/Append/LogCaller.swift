import Journal
import Platform

/// The outcome of one call of the shared log.
enum LogOutcome: Sendable {
    /// The log has the groups.
    case appended(lastEvent: Int64)
    /// Nobody knows whether it has them, or it has not.
    case failed(JournalError)
}

/// The thread `log-append`, which waits for the shared log, so that the thread `append` does not. It makes one call at a
/// time.
final class LogCaller: Sendable {
    private struct State: Sendable {
        var groups: [ProducedGroup]?
        var isStopping = false
    }

    private let state = Monitor(State())
    private let thread: NamedThread

    /// - Parameter done: takes the outcome, on the thread. It must not wait.
    init(_ open: @escaping @Sendable () -> any EventLog, done: @escaping @Sendable (LogOutcome) -> Void) {
        thread = NamedThread(name: "log-append") { [state] in
            let log = open()
            while true {
                let next: [ProducedGroup]?? = state.wait(until: nil) { state in
                    if let groups = state.groups.take() { return .some(groups) }
                    return state.isStopping ? .some(nil) : nil
                }
                guard let groups = next ?? nil else { break }
                do throws(JournalError) {
                    done(.appended(lastEvent: try log.append(groups)))
                } catch {
                    done(.failed(error))
                }
            }
            log.close()
        }
    }

    /// Has groups appended. Call it only after the outcome of the call before.
    func append(_ groups: [ProducedGroup]) { state.change { $0.groups = groups } }

    /// Ends the thread after the call that is on its way. Something else ends the waits of that one.
    func stop() { state.change { $0.isStopping = true } }

    func join() { thread.join() }
}
