import Glibc

/// Writes lines to a descriptor from a thread of its own, so that nobody else ever waits for whoever reads them.
///
/// Any thread may write; it costs one short copy under a lock that is not held while anything waits. The lines of one
/// thread keep their order. What does not fit into the buffer is dropped and counted, and one line says how many were
/// lost as soon as others are written again. A line is never torn, nor mixed with what other writers of the same pipe
/// write, as long as it is no longer than 4 KiB.
package final class LineWriter: Sendable {
    /// The bounds of what waits for a reader, each with its reason.
    package enum Limits {
        /// Some 2,000 lines: enough for a burst, and nothing beside the memory of the rest.
        package static let buffer_bytes = 512 << 10
        /// A reader that takes nothing for so long is stuck: the end does not wait for it any longer.
        package static let patience = Duration.seconds(2)
        /// How long an end waits at least: the thread may just have been woken.
        static let grace = Duration.milliseconds(50)
    }

    private struct State {
        var buffer: LineBuffer
        /// The thread waits for lines.
        var isWaiting = false
        /// No more lines are taken.
        var isClosed = false
        /// The thread has ended.
        var isDone = false
        /// Nil once it was joined.
        var thread: NamedThread?
    }

    private let state: Monitor<State>
    private let interruption: Interruption
    private let time = SystemTime()

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - file: what is written to; a negative one has every line dropped.
    ///   - name: of the thread.
    ///   - capacity_bytes: the most that waits.
    ///   - notice: the line that says how many were lost; called on the thread. Nil where nobody has to be told.
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
            // Whoever closed the writer may be gone; the descriptor that was polled must not be.
            withExtendedLifetime(interruption) {}
        }
        state.withLock { $0.thread = thread }
    }

    /// What could not be written within a moment is given up.
    deinit { _ = close(by: time.monotonic() + Limits.patience) }

    /// Lines that were given up: there was no room for them, or they could not be written.
    package var dropped: Int { state.withLock { $0.buffer.dropped } }

    /// Hands a line over, with its end; never waits.
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

    /// Waits until what was handed over before is written or dropped; false where that was not by the deadline, or where
    /// nobody took anything for `patience`.
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

    /// Writes what waits, as `flush` does, and ends the thread. Later lines are dropped.
    ///
    /// False where something was given up; where the descriptor holds the thread in a call that nothing can end, it stays
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

    /// Waits for lines; nil at the end.
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
