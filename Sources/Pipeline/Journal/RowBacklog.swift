import Storage
import Wire

/// Tells which rows for the database are in memory, and which wait on disk.
///
/// As many are in memory as the database needs to be kept busy. The rest is behind them on disk, in order.
struct RowBacklog {
    /// The bounds of the backlog, each with its reason.
    enum Limits {
        /// Rows in memory while there is a disk: four batches of the database, about 1 MB.
        static let memory = 2_000
        /// Below this many rows in memory, the next ones are read from disk: one batch, so that the database does not
        /// wait.
        static let lowWater = 500
        /// Rows that are read from disk, or written there, at one time.
        static let portion = 1_000
        /// Rows that wait to be written to a disk that refuses: some 10 MB. Beyond that the oldest are given up.
        static let pending = 20_000
    }

    /// There is a disk for rows.
    let hasDisk: Bool
    /// The number of the newest row there is.
    private(set) var lastNumber: Int64
    /// Rows up to here are in memory, in the database, or given up. Those after it are on disk or pending.
    private(set) var loadedUpTo: Int64
    /// Rows in memory up to this number are on disk as well, or in the database.
    private(set) var durableUpTo: Int64
    /// Rows that belong on disk and are not there yet, the oldest first.
    private(set) var pending = Deque<NumberedRow>()

    /// - Parameters:
    ///   - lastNumber: the number of the newest row that was ever made.
    ///   - onDisk: the number of the first row that is on disk; nil where there is none.
    init(hasDisk: Bool, lastNumber: Int64, onDisk: Int64?) {
        self.hasDisk = hasDisk
        self.lastNumber = lastNumber
        loadedUpTo = onDisk.map { $0 - 1 } ?? lastNumber
        durableUpTo = loadedUpTo
    }

    /// The numbers that no row has: how many, and the last of them.
    private var skipped: (count: Int64, last: Int64) = (0, 0)

    /// The number of rows that are not in memory. Rows between them that were given up count, too.
    var unloaded: Int { Int(lastNumber - loadedUpTo - (loadedUpTo < skipped.last ? skipped.count : 0)) }

    /// Rows up to here that are not loaded are to be read from disk. Rows after it are pending. The disk may have
    /// those, too, from before a restart that made them again.
    var readUpTo: Int64 { (pending.first?.number).map { $0 - 1 } ?? lastNumber }

    /// There are rows on disk to read.
    var hasRowsToRead: Bool { loadedUpTo < readUpTo }

    /// Takes the next row. True where it goes to memory, false where it goes to disk.
    ///
    /// - Parameter isOnDisk: the row is on disk already, and so are all before it.
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

    /// Notes that the `count` oldest pending rows are on disk now.
    mutating func spilled(_ count: Int) {
        for _ in 0..<count { _ = pending.popFirst() }
    }

    /// Gives up the oldest pending rows beyond the limit. Returns how many.
    mutating func giveUpPending() -> Int {
        let count = max(0, pending.count - Limits.pending)
        for _ in 0..<count { _ = pending.popFirst() }
        return count
    }

    /// Notes that the rows in memory are on disk as well.
    mutating func memoryIsDurable() { durableUpTo = loadedUpTo }

    /// Notes that rows up to a number were read from disk. `isAll` says that no others are there.
    mutating func loaded(upTo number: Int64?, isAll: Bool) {
        // Rows that were given up on disk leave a gap. The pending ones come next.
        loadedUpTo = isAll ? readUpTo : max(loadedUpTo, min(number ?? 0, readUpTo))
    }

    /// Takes the pending rows that come next, where nothing on disk comes before them.
    mutating func takePending(limit: Int) -> [NumberedRow] {
        guard !hasRowsToRead else { return [] }
        var taken: [NumberedRow] = []
        while taken.count < limit, let row = pending.popFirst() { taken.append(row) }
        if let last = taken.last { loadedUpTo = last.number }
        return taken
    }

    /// Notes that the disk lost all rows. Returns how many were there only.
    mutating func nothingIsDurable() -> Int {
        durableUpTo = 0
        defer { loadedUpTo = readUpTo }
        return unloaded - pending.count
    }

    /// Returns a number higher than any number of rows or inputs that was given before, as far as a clock can tell.
    static func floor(at now: Timestamp) -> Int64 { min(max(0, now.milliseconds), 1 << 42) << 20 }

    /// Skips numbers, so that the next rows have higher ones than any row before: after a restart that cannot know the
    /// highest.
    ///
    /// - Parameter floor: a number higher than any that was given before, as far as a clock can tell. Where it is not
    ///   above `lastNumber`, the clock was put back.
    mutating func jump(beyond floor: Int64) {
        precondition(pending.isEmpty, "nothing is numbered yet")
        let next = floor > lastNumber ? floor : lastNumber + (1 << 32)
        if loadedUpTo == lastNumber { loadedUpTo = next }
        skipped = (next - lastNumber, next)
        lastNumber = next
    }
}
