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
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                NamedThread.setName(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(code == 0, "the system gives no thread: error \(code)")
        handle = thread
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
