import Glibc

/// The signals that the program waits for. They are blocked in every thread, and one thread calls `wait`.
package enum Signals {
    /// The request that a signal stands for.
    package enum Received: Sendable, Equatable {
        /// SIGTERM or SIGINT: stop.
        case stop
        /// SIGHUP: read the key files again.
        case reload
        /// SIGUSR1: switch debug logging on or off.
        case toggleDebug
    }

    /// Blocks the signals in the calling thread, and so in every thread that it starts later. Call it first in `main`.
    ///
    /// SIGPIPE is ignored for good: a closed connection is an error of `write`, and does not end the program.
    package static func block() {
        var set = waited()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the next signal. Wraps `sigwait`.
    package static func wait() -> Received {
        var set = waited()
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            switch number {
            case SIGHUP: return .reload
            case SIGUSR1: return .toggleDebug
            default: return .stop
            }
        }
    }

    private static func waited() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGUSR1] { sigaddset(&set, number) }
        return set
    }
}
