import Wire

/// A bounded buffer of lines for a descriptor, in order. It counts the lines that it dropped. It is pure.
///
/// Invariant: every line that was offered was written, was dropped, or is still in the buffer.
struct LineBuffer {
    enum Limits {
        /// The memory that a line takes beside its bytes.
        static let line_bytes = 64
    }

    /// The content of one write: whole lines, or the number of lines that were lost.
    struct Chunk: Sendable, Equatable {
        var bytes: [UInt8] = []
        var lines = 0
        /// The number of lost lines to report. A chunk that reports a loss holds no lines.
        var lost = 0
    }

    private enum Entry {
        case line([UInt8])
        /// This many lines were lost at this place.
        case gap(Int)
    }

    /// The largest number of bytes in the buffer.
    let capacity_bytes: Int
    private var entries = Deque<Entry>()
    private var size_bytes = 0
    /// Lines that were dropped: they were not written and never will be.
    private(set) var dropped = 0
    /// Dropped lines that no gap reports yet.
    private var untold = 0
    /// The last write failed. A loss is reported only when there is another line.
    private var isFailing = false
    /// `entered` counts the lines and gaps that were put in; `settled` counts those that were written or dropped.
    private var entered = 0
    private var settled = 0

    init(capacity_bytes: Int) { self.capacity_bytes = capacity_bytes }

    // MARK: In

    /// Appends a line, or drops and counts it.
    ///
    /// After a loss, lines are dropped until half of the room is free. So there is one long gap, reported once, instead
    /// of many short ones.
    mutating func append(_ line: [UInt8]) {
        let size = line.count + Limits.line_bytes
        guard size_bytes + size <= (untold > 0 ? capacity_bytes / 2 : capacity_bytes) else { return drop(1) }
        if untold > 0 {
            enter(.gap(untold), size: Limits.line_bytes)
            untold = 0
        }
        enter(.line(line), size: size)
    }

    /// Counts lines as dropped that never enter the buffer.
    mutating func drop(_ lines: Int) {
        dropped += lines
        untold += lines
    }

    private mutating func enter(_ entry: Entry, size: Int) {
        entries.append(entry)
        size_bytes += size
        entered += 1
    }

    // MARK: Out

    /// Takes the next chunk: as many whole lines as fit into `limit` bytes, but at least one. Returns nil if there is
    /// nothing to write.
    ///
    /// The caller settles a chunk before it takes the next.
    mutating func take(limit: Int) -> Chunk? {
        var chunk = Chunk()
        while let entry = entries.first {
            switch entry {
            case .gap(let count):
                if chunk.lines > 0 { return chunk }
                leave(size: Limits.line_bytes)
                return Chunk(lost: count)
            case .line(let line):
                if chunk.lines > 0 && chunk.bytes.count + line.count > limit { return chunk }
                leave(size: line.count + Limits.line_bytes)
                chunk.bytes.append(contentsOf: line)
                chunk.lines += 1
            }
        }
        if chunk.lines > 0 { return chunk }
        guard untold > 0 && !isFailing else { return nil }
        chunk.lost = untold
        untold = 0
        entered += 1
        return chunk
    }

    private mutating func leave(size: Int) {
        _ = entries.popFirst()
        size_bytes -= size
    }

    /// Settles the chunk that was taken last.
    ///
    /// - Parameters:
    ///   - lost: the number of its lines that were not written.
    ///   - isWhole: false if the write ended early. Then a loss that the chunk reports is reported again later.
    mutating func settle(_ chunk: Chunk, lost: Int, isWhole: Bool) {
        settled += chunk.lost > 0 ? 1 : chunk.lines
        drop(lost)
        if !isWhole { untold += chunk.lost }
        isFailing = !isWhole
    }

    // MARK: Progress

    /// The value that `progress` reaches when everything that is in the buffer now is settled and losses are reported.
    var goal: Int { entered + (untold > 0 && !isFailing ? 1 : 0) }
    /// The number of entries that were written or dropped.
    var progress: Int { settled }
    /// True if nothing is left that could be written now.
    var isIdle: Bool { settled == entered && (untold == 0 || isFailing) }
}
