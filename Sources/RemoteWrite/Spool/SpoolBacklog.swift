import Platform
import Wire

/// The bounds of a spool.
package struct SpoolBounds: Sendable, Equatable {
    package var bytes: Int
    package var age: Duration

    package init(bytes: Int, age: Duration) {
        self.bytes = bytes
        self.age = age
    }
}

/// An order of the delivery to the spool. It waits for the answer before it does anything else.
package enum SpoolOrder: Sendable {
    case commit(SpoolCommit)
    case readBlocks([Int64])
    case readBatch(Int64)
    /// Nothing is left: the file is not needed any more.
    case remove

    /// True for `remove`.
    package var isRemoval: Bool { if case .remove = self { true } else { false } }
}

/// The answer of the spool to an order.
package enum SpoolAnswer: Sendable {
    /// The order was carried out.
    case done
    /// Nil for a block that is damaged or gone.
    case blocks([PackedBlock?])
    case batch(PackedBlock?)
    /// The order was not carried out, and may be given again later.
    case failed
}

/// The blocks and batches that wait in the spool, without their samples.
struct SpoolBacklog: Sendable {
    enum Limits {
        /// The time after which an order that failed is given again.
        static let again = Duration.seconds(5)
        /// The distance of the numbers of two batches. A batch that is split again and again finds numbers in between.
        static let stride = Int64(1) << 20
    }

    /// A block or a batch in the spool.
    struct Item: Sendable, Hashable {
        let number: Int64
        let count: Int
        let oldest: Timestamp
        let newest: Timestamp
        let bytes: Int
    }

    /// The reason for an order.
    enum Purpose: Sendable {
        /// The first batch of a shard is about to be sent.
        case send(shard: Int)
        /// The next blocks are about to become batches.
        case cut([Item])
        /// A batch of a shard, or a block if the shard is nil, is about to be dropped.
        case drop(DropReason, Item, shard: Int?)
        /// The batches that are in memory only are being written: the items of each shard, in order.
        case writeBatches([[Item]])
        /// The oldest samples of the queue are being written.
        case writeBlock(Item)
        /// Rows that are not needed any more are being removed.
        case forget
        case remove
    }

    /// Nil if there is no spool.
    let bounds: SpoolBounds?
    /// True from the first failed or late request until everything is sent.
    var isActive = false
    /// True if samples in memory have waited for too long, or their receiver does not take them: they are written even if
    /// it takes samples again meanwhile.
    var mustWrite = false
    /// True if there may be a file.
    var isOnDisk = false
    /// True at a stop: all that waits goes to the spool, whatever the receiver does.
    var isForced = false
    /// The blocks, the oldest first.
    var blocks = Deque<Item>()
    /// The bytes of all blocks and batches on disk, and their samples.
    var bytes = 0
    var samples = 0
    /// Blocks and batches that are on disk and not needed any more.
    var removedBlocks: [Int64] = []
    var removedBatches: [Int64] = []
    /// The facts about requests as they are on disk.
    var requests: SpooledRequests?
    var nextBlock = Int64(1)
    /// The last block of an earlier process.
    var lastRestoredBlock = Int64(0)
    var nextBatch = Limits.stride
    /// The bytes that the file system lets the spool have.
    var room_bytes = Int.max
    /// The size of the block that was written last: room for one more is kept.
    var reading_bytes = 0
    /// Everything later than this is dropped: the clock was wrong.
    var future: Timestamp?
    /// The newest time of a reading, which ages are measured from.
    var now: Timestamp?
    /// The reason for the order that has no answer yet.
    var purpose: Purpose?
    /// The time before which nothing is written, or read, because it failed.
    var writesAt: MonotonicTime?
    var readsAt: MonotonicTime?

    init(_ bounds: SpoolBounds?) { self.bounds = bounds }

    /// The bytes that it may have now.
    var most_bytes: Int { min(bounds?.bytes ?? 0, room_bytes) }

    /// The first number after this one that a batch may have that is no half of another.
    static func number(after number: Int64) -> Int64 { (number / Limits.stride + 1) * Limits.stride }

    mutating func add(_ item: Item) {
        bytes += item.bytes
        samples += item.count
    }

    mutating func subtract(_ item: Item) {
        bytes -= item.bytes
        samples -= item.count
    }

    /// The reason for which something of these times must be dropped now. Nil if it may stay.
    func reason(against item: Item) -> DropReason? {
        if let future, item.newest > future { return .clock }
        if let bounds, let now, now.since(item.newest) > bounds.age { return .tooOld }
        guard bytes + reading_bytes > most_bytes else { return nil }
        return room_bytes < bounds?.bytes ?? 0 ? .diskReserve : .spoolFull
    }

    func mayWrite(at now: MonotonicTime) -> Bool { writesAt.map { now >= $0 } ?? true }
    func mayRead(at now: MonotonicTime) -> Bool { readsAt.map { now >= $0 } ?? true }
}
