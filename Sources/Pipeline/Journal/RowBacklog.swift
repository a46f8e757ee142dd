import Storage
import Wire

/// Which rows for the database are in memory, and which wait on disk: as many in memory as the database needs to be kept
/// busy, the rest behind them on disk, in order.
struct RowBacklog {
    /// The bounds of the backlog, each with its reason.
    enum Limits {
        /// Rows in memory while there is a disk: four batches of the database, about 1 MB.
        static let memory = 2_000
        /// Below this many the next ones are read from disk: one batch, so that the database does not wait.
        static let lowWater = 500
        /// Rows that are read from disk, or written there, at one time.
        static let portion = 1_000
        /// Rows that wait to be written to a disk that refuses: some 10 MB; beyond them the oldest are given up.
        static let pending = 20_000
    }

    /// There is a disk for rows.
    let hasDisk: Bool
    /// The number of the newest row there is.
    private(set) var lastNumber: Int64
    /// Rows up to here are in memory, in the database, or given up; those after it are on disk or pending.
    private(set) var loadedUpTo: Int64
    /// Rows that were loaded and have these numbers or lower are on disk as well, or in the database.
    private(set) var durableUpTo: Int64
    /// Rows that belong on disk and are not there yet, oldest first.
    private(set) var pending = Deque<NumberedRow>()

    /// - Parameters:
    ///   - lastNumber: of the newest row that was ever made.
    ///   - onDisk: the number of the first row that is on disk; nil where there is none.
    init(hasDisk: Bool, lastNumber: Int64, onDisk: Int64?) {
        self.hasDisk = hasDisk
        self.lastNumber = lastNumber
        loadedUpTo = onDisk.map { $0 - 1 } ?? lastNumber
        durableUpTo = loadedUpTo
    }

    /// Numbers that no row has: how many, and the last of them.
    private var skipped: (count: Int64, last: Int64) = (0, 0)

    /// Rows that are not in memory, given-up ones between them included.
    var unloaded: Int { Int(lastNumber - loadedUpTo - (loadedUpTo < skipped.last ? skipped.count : 0)) }

    /// Rows up to here that are not loaded are to be read from disk. Those after it are pending: the disk may have them
    /// too, from before a restart that made them again.
    var readUpTo: Int64 { (pending.first?.number).map { $0 - 1 } ?? lastNumber }

    /// There are rows on disk to read.
    var hasRowsToRead: Bool { loadedUpTo < readUpTo }

    /// Takes the next row; true where it goes to memory, false where it goes to disk. `isOnDisk` where it is there
    /// already, and all before it are.
    mutating func add(_ row: NumberedRow, inMemory: Int, isOnDisk: Bool = false) -> Bool {
        precondition(row.number > lastNumber, "rows come in the order of their numbers")
        let hadUnloaded = unloaded > 0
        lastNumber = row.number
        if hasDisk && (hadUnloaded || inMemory >= Limits.memory) {
            if !isOnDisk { pending.append(row) }
            return false
        }
        loadedUpTo = lastNumber
        if isOnDisk { durableUpTo = lastNumber }
        return true
    }

    /// So many of the oldest pending rows are on disk now.
    mutating func spilled(_ count: Int) {
        for _ in 0..<count { _ = pending.popFirst() }
    }

    /// Gives up the oldest pending rows beyond the limit; returns how many.
    mutating func giveUpPending() -> Int {
        let count = max(0, pending.count - Limits.pending)
        for _ in 0..<count { _ = pending.popFirst() }
        return count
    }

    /// The rows that are in memory are on disk as well.
    mutating func memoryIsDurable() { durableUpTo = loadedUpTo }

    /// Rows up to a number were read from disk; `isAll` where no others are there.
    mutating func loaded(upTo number: Int64?, isAll: Bool) {
        // What was given up on disk leaves a gap: the pending ones come next.
        loadedUpTo = isAll ? readUpTo : max(loadedUpTo, min(number ?? 0, readUpTo))
    }

    /// Takes pending rows that come next, where nothing on disk comes before them.
    mutating func takePending(limit: Int) -> [NumberedRow] {
        guard !hasRowsToRead else { return [] }
        var taken: [NumberedRow] = []
        while taken.count < limit, let row = pending.popFirst() { taken.append(row) }
        if let last = taken.last { loadedUpTo = last.number }
        return taken
    }

    /// The disk has none of them any more; returns how many were there only.
    mutating func nothingIsDurable() -> Int {
        durableUpTo = 0
        defer { loadedUpTo = readUpTo }
        return unloaded - pending.count
    }

    /// Higher than any number of rows or inputs that was given before, as far as a clock can tell.
    static func floor(at now: Timestamp) -> Int64 { min(max(0, now.milliseconds), 1 << 42) << 20 }

    /// No row has been numbered as high as those that follow: after a restart that cannot know the highest.
    ///
    /// - Parameter floor: higher than any number that was given before, as far as a clock can tell. Where it is not, the
    ///   clock was put back.
    mutating func jump(beyond floor: Int64) {
        precondition(pending.isEmpty, "nothing is numbered yet")
        let next = floor > lastNumber ? floor : lastNumber + (1 << 32)
        if loadedUpTo == lastNumber { loadedUpTo = next }
        skipped = (next - lastNumber, next)
        lastNumber = next
    }
}
