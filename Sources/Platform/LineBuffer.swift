import Wire

/// Lines on their way to a descriptor, in order, and an account of those that did not fit. Pure.
///
/// The law: every line that was ever offered is written, dropped, or still here.
struct LineBuffer {
    enum Limits {
        /// What a line takes beside its bytes.
        static let line_bytes = 64
    }

    /// What is written at once: whole lines, or how many were lost.
    struct Chunk: Sendable, Equatable {
        var bytes: [UInt8] = []
        var lines = 0
        /// So many lines are to be told as lost; then it holds no others.
        var lost = 0
    }

    private enum Entry {
        case line([UInt8])
        /// Here so many lines are missing.
        case gap(Int)
    }

    /// The most bytes that wait.
    let capacity_bytes: Int
    private var entries = Deque<Entry>()
    private var size_bytes = 0
    /// Lines that were not written, and never will be.
    private(set) var dropped = 0
    /// Those of them that no gap tells yet.
    private var untold = 0
    /// The last attempt to write came to nothing: what is lost is told when there is another line.
    private var isFailing = false
    /// Lines and gaps that were ever put in, and those of them that are written or dropped.
    private var entered = 0
    private var settled = 0

    init(capacity_bytes: Int) { self.capacity_bytes = capacity_bytes }

    // MARK: In

    /// Puts a line at the end, or drops it: `dropped` counts. Once lines were lost, the next ones wait until half of the
    /// room is free: one long gap, told once, instead of many short ones.
    mutating func append(_ line: [UInt8]) {
        let size = line.count + Limits.line_bytes
        guard size_bytes + size <= (untold > 0 ? capacity_bytes / 2 : capacity_bytes) else { return drop(1) }
        if untold > 0 {
            enter(.gap(untold), size: Limits.line_bytes)
            untold = 0
        }
        enter(.line(line), size: size)
    }

    /// Counts lines that do not come in.
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

    /// Takes what is to be written next: as many whole lines as fit into `limit` bytes, at least one; nil where there is
    /// nothing. It has to be settled before the next is taken.
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

    /// What was taken last is written, but for so many of its lines; `isWhole` is false where not even what it tells is.
    mutating func settle(_ chunk: Chunk, lost: Int, isWhole: Bool) {
        settled += chunk.lost > 0 ? 1 : chunk.lines
        drop(lost)
        if !isWhole { untold += chunk.lost }
        isFailing = !isWhole
    }

    // MARK: How far it is

    /// How many entries are settled when everything that is here now is, and what was lost is told.
    var goal: Int { entered + (untold > 0 && !isFailing ? 1 : 0) }
    /// Entries that are written or dropped.
    var progress: Int { settled }
    /// Nothing is left that could be written now.
    var isIdle: Bool { settled == entered && (untold == 0 || isFailing) }
}
