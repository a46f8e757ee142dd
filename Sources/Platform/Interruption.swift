import Glibc
import Synchronization

/// Ends the waits of another thread for good. The thread polls the descriptor `file` beside the one that it waits for.
///
/// Any thread may interrupt; a call costs one write and never blocks. An interruption cannot be undone.
package final class Interruption: Sendable {
    /// The descriptor for `poll`. It becomes readable at the interruption and stays so.
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

    /// True after `interrupt` was called.
    package var isInterrupted: Bool { isDone.load(ordering: .relaxed) }

    /// Ends the current wait and every later one.
    package func interrupt() {
        guard !isDone.exchange(true, ordering: .relaxed) else { return }
        var byte: UInt8 = 1
        // The pipe is empty, so this write never blocks.
        _ = write(writer, &byte, 1)
    }
}
