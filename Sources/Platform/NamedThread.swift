import Glibc
import Wire

/// A named thread that is joined before the program ends.
///
/// The body runs once. Another thread calls `join`, at most once.
package final class NamedThread: Sendable {
    private let handle: pthread_t

    /// The argument of the C entry point, which consumes it.
    private final class Start {
        let name: String
        let body: () -> Void
        init(name: String, body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread. Linux keeps 15 bytes of a thread's name, so `name` is cut to that. `body` owns whatever it
    /// creates.
    package init(name: String, body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let code = Self.begin(Start(name: name, body: body), &thread)
        precondition(code == 0, "the system gives no thread: error \(code)")
        handle = thread
    }

    /// Starts a thread that nobody joins, for a call of the C library that may take without limit and cannot be ended.
    /// If the program ends first, the thread ends with it. Returns false if the system gives no thread.
    package static func startAbandoned(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        var thread = pthread_t()
        guard begin(Start(name: name, body: body), &thread) == 0 else { return false }
        pthread_detach(thread)
        return true
    }

    /// Wraps `pthread_create`.
    private static func begin(_ start: Start, _ thread: inout pthread_t) -> Int32 {
        let start = Unmanaged.passRetained(start)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                NamedThread.setName(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        if code != 0 { start.release() }
        return code
    }

    /// Waits until the body has returned.
    package func join() { pthread_join(handle, nil) }

    /// Names the calling thread through procfs, because Swift cannot import `pthread_setname_np`.
    private static func setName(_ name: String) {
        var bytes = Array(name.truncated(toBytes: 15).utf8)
        bytes.append(0)
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, bytes, bytes.count - 1)
        close(file)
    }
}
