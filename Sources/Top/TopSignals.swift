import Glibc
import HTTPClient
import Platform

/// Waits for signals and keys, and wakes the main thread for them.
enum TopSignals {
    private enum Limits {
        /// The time for the main thread to end after a signal. It may hang in a write to a terminal that takes nothing.
        static let patience_seconds = 2
    }

    private static func waited(_ numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }

    private static let ends: [Int32] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT]

    /// Blocks the signals in this thread and in those that it starts later. Call it before the first one is started.
    ///
    /// - Parameter isPicture: blocks those of a terminal too.
    static func block(isPicture: Bool) {
        Signals.block()
        var set = waited(ends + (isPicture ? [SIGWINCH, SIGTSTP, SIGCONT] : []))
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Starts the thread that waits for signals. It lives as long as the program: only a signal can end a wait for
    /// signals.
    ///
    /// - Parameter giveUp: undoes what can be undone when the main thread does not end in time, or at a second signal.
    static func start(
        isPicture: Bool, _ inbox: TopInbox, _ waker: Waker, giveUp: @escaping @Sendable () -> Void
    ) {
        _ = NamedThread(name: "signals") {
            var set = waited(ends + (isPicture ? [SIGWINCH, SIGTSTP, SIGCONT] : []))
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                let received = number
                switch received {
                case SIGWINCH, SIGCONT: inbox.put { $0.isChanged = true }
                case SIGTSTP: inbox.put { $0.isSuspended = true }
                default:
                    inbox.put { $0.ended = received }
                    waker.wake()
                    var again = waited(ends)
                    var patience = timespec(tv_sec: Limits.patience_seconds, tv_nsec: 0)
                    while sigtimedwait(&again, nil, &patience) == -1 && errno == EINTR {}
                    giveUp()
                    _exit(128 + received)
                }
                waker.wake()
            }
        }
    }

    /// Stops the process as Ctrl-Z does, until it is continued. It goes on at once where nobody could continue it.
    static func suspend() {
        // The signal is for this thread, so that the one that waits for signals does not take it.
        var set = waited([SIGTSTP])
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        pthread_kill(pthread_self(), SIGTSTP)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}

/// The thread that reads the keyboard.
final class Keyboard: Sendable {
    private let thread: NamedThread
    private let interruption: Interruption

    init(_ inbox: TopInbox, _ waker: Waker) {
        let interruption = Interruption()
        self.interruption = interruption
        thread = NamedThread(name: "keyboard") {
            var buffer = [UInt8](repeating: 0, count: 256)
            while true {
                var files = [
                    pollfd(fd: interruption.file, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                ]
                let ready = poll(&files, nfds_t(files.count), -1)
                if ready < 0 && errno == EINTR { continue }
                if interruption.isInterrupted || ready < 0 { return }
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
                // The terminal is gone, or this program is in the background: signals still end it.
                if count <= 0 { return }
                inbox.put(keys: Array(buffer[..<count]))
                waker.wake()
            }
        }
    }

    func end() {
        interruption.interrupt()
        thread.join()
    }
}
