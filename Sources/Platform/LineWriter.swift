import Glibc

/// Writes lines to a descriptor on its own thread, so that no other thread waits for a slow reader.
///
/// Any thread may write. A call costs one short copy under a lock that is never held during a wait. The lines of one
/// thread keep their order. A line that does not fit into the buffer is dropped and counted. When lines can be written
/// again, one line reports how many were lost. A line of at most 4 KiB is never torn, nor mixed with the lines of other
/// writers to the same pipe.
package final class LineWriter: Sendable {
    /// Bounds of the buffer and of the waits, each with its reason.
    package enum Limits {
        /// Some 2,000 lines: enough for a burst, and little beside the memory of the process.
        package static let buffer_bytes = 512 << 10
        /// A reader that takes nothing for this long is stuck: closing does not wait for it any longer.
        package static let patience = Duration.seconds(2)
        /// The shortest wait of `flush` and `close`: the thread may just have been woken.
        static let grace = Duration.milliseconds(50)
    }

    private struct State {
        var buffer: LineBuffer
        /// The thread waits for lines.
        var isWaiting = false
        /// Later lines are dropped.
        var isClosed = false
        /// The thread has ended.
        var isDone = false
        /// Nil after the thread was joined.
        var thread: NamedThread?
    }

    private let state: Monitor<State>
    private let interruption: Interruption
    private let time = SystemTime()

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - file: the descriptor; with a negative one every line is dropped.
    ///   - name: the name of the thread.
    ///   - capacity_bytes: the size of the buffer.
    ///   - notice: makes the line that reports a loss; it is called on the writer's thread. Nil if no loss is to be
    ///     reported.
    package init(
        to file: Int32, name: String, capacity_bytes: Int = Limits.buffer_bytes,
        notice: (@Sendable (_ lost: Int) -> [UInt8])? = nil
    ) {
        let state = Monitor(State(buffer: LineBuffer(capacity_bytes: capacity_bytes)))
        let interruption = Interruption()
        self.state = state
        self.interruption = interruption
        let thread = NamedThread(name: name) {
            Self.run(state, DescriptorOutput(file, interruption: interruption.file), notice)
            // The writer may be gone by now, but the descriptor must stay open while the thread polls it.
            withExtendedLifetime(interruption) {}
        }
        state.withLock { $0.thread = thread }
    }

    /// Closes the writer. Lines that cannot be written within `patience` are dropped.
    deinit { _ = close(by: time.monotonic() + Limits.patience) }

    /// The number of lines that were dropped: there was no room for them, or they could not be written.
    package var dropped: Int { state.withLock { $0.buffer.dropped } }

    /// Hands over a line, which includes its line feed. Never blocks.
    package func write(_ line: [UInt8]) {
        state.changeWakingIfNeeded { state in
            if state.isClosed {
                state.buffer.drop(1)
                return false
            }
            state.buffer.append(line)
            return state.isWaiting
        }
    }

    /// Waits until all lines that were handed over before are written or dropped. Returns false at the deadline, or
    /// when the reader took nothing for `patience`.
    @discardableResult
    package func flush(by deadline: MonotonicTime, patience: Duration = Limits.patience) -> Bool {
        let goal = state.withLock { $0.buffer.goal }
        let deadline = max(deadline, time.monotonic() + Limits.grace)
        var seen = -1
        while true {
            let now = time.monotonic()
            let step: (isDone: Bool, progress: Int)? = state.wait(until: min(deadline, now + patience)) { state in
                let progress = state.buffer.progress
                if progress >= goal || state.buffer.isIdle || state.isDone { return (true, progress) }
                return progress != seen && now < deadline ? (false, progress) : nil
            }
            guard let step else { return false }
            if step.isDone { return true }
            seen = step.progress
        }
    }

    /// Writes the waiting lines, as `flush` does, and ends the thread. Later lines are dropped.
    ///
    /// Returns false if lines had to be dropped. If a call that nothing can end holds the thread, the thread is left
    /// behind.
    @discardableResult
    package func close(by deadline: MonotonicTime, patience: Duration = Limits.patience) -> Bool {
        let isFirst: Bool = state.change { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return state.withLock { $0.isDone } }
        let isFlushed = flush(by: deadline, patience: patience)
        if !isFlushed { interruption.interrupt() }
        let end = time.monotonic() + (isFlushed ? patience : Limits.grace)
        let hasEnded = state.wait(until: end) { $0.isDone ? true : nil } ?? false
        guard hasEnded else { return false }
        let thread: NamedThread? = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
        return isFlushed
    }

    // MARK: The thread

    private static func run(
        _ state: Monitor<State>, _ output: DescriptorOutput, _ notice: (@Sendable (Int) -> [UInt8])?
    ) {
        var output = output
        while let chunk = next(state) {
            let bytes = chunk.lost > 0 ? notice?(chunk.lost) ?? [] : chunk.bytes
            let written = output.write(bytes)
            let isWhole = written == bytes.count
            let ends = isWhole ? chunk.lines : bytes[..<written].count { $0 == UInt8(ascii: "\n") }
            state.change { $0.buffer.settle(chunk, lost: max(0, chunk.lines - ends), isWhole: isWhole) }
        }
        state.change { $0.isDone = true }
    }

    /// Waits for lines. Returns nil when the writer is closed and empty.
    private static func next(_ state: Monitor<State>) -> LineBuffer.Chunk? {
        let chunk: LineBuffer.Chunk?? = state.wait(until: nil) { state in
            state.isWaiting = false
            if let chunk = state.buffer.take(limit: DescriptorOutput.Limits.piece_bytes) { return .some(chunk) }
            if state.isClosed { return .some(nil) }
            state.isWaiting = true
            return nil
        }
        return chunk ?? nil
    }
}
