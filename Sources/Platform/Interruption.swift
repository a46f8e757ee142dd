import Glibc
import Synchronization

/// Ends the waits of another thread for good: a descriptor that becomes readable once, beside the one waited for.
///
/// Any thread may interrupt; it costs one write and never waits. There is no way back.
package final class Interruption: Sendable {
    /// Readable from the interruption on, for `poll`.
    package let file: Int32
    private let writer: Int32
    private let isDone = Atomic(false)

    package init() {
        var ends: [Int32] = [-1, -1]
        let code = pipe(&ends)
        precondition(code == 0, "the system gives no pipe: error \(errno)")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (file, writer) = (ends[0], ends[1])
    }

    deinit {
        close(file)
        close(writer)
    }

    /// Whether it happened.
    package var isInterrupted: Bool { isDone.load(ordering: .relaxed) }

    /// Ends the current wait and every later one.
    package func interrupt() {
        guard !isDone.exchange(true, ordering: .relaxed) else { return }
        var byte: UInt8 = 1
        // An empty pipe has room for it.
        _ = write(writer, &byte, 1)
    }
}
