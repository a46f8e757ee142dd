package import Platform
import Wire

// Samples that wait go to disk while the receiver does not take them.
//
// The oldest samples are in batches, which belong to a shard, and were or will be tried. The blocks come after them, and
// after these what is in memory only. A block becomes batches when a shard has none left.

extension Delivery {
    // MARK: Beginning and end

    /// True while what waits goes to disk.
    package var isSpooling: Bool { spool.isActive }

    /// True if the receiver does not take what it is sent.
    package var isFailing: Bool { isHeld || shards.contains(where: \.isFailing) }

    /// True if the last request of a shard failed, or the credentials were refused.
    package var hasFailed: Bool { isHeld || hasFailures }

    /// True if the last request of a shard failed.
    var hasFailures: Bool { shards.contains { $0.failures > 0 } }

    /// True if the receiver does not answer: a stop need not wait for it. One failure may be a hiccup, and a request that
    /// began a moment ago may be answered.
    package func isReceiverAway(at now: MonotonicTime) -> Bool {
        isHeld
            || shards.contains { shard in
                shard.failures > 1
                    || shard.isInFlight && shard.begunAt.map { now.since($0) >= Limits.late } ?? false
            }
    }

    /// True if something waits in memory only.
    package var hasUnspooled: Bool { statistics.pending > UInt64(spool.samples) }

    /// True if the spool has a file that holds something.
    package var hasSpoolFile: Bool { spool.isOnDisk }

    /// The bytes of the samples in the spool.
    package var spooled_bytes: Int { spool.bytes }

    /// Samples that wait go to disk from now on, until everything is sent.
    mutating func beginSpooling() {
        guard spool.bounds != nil else { return }
        spool.isActive = true
        spool.mustWrite = true
    }

    /// Marks the requests under way that fulfil a condition as late.
    mutating func noteLate(_ isLate: (DeliveryShard) -> Bool) {
        guard spool.bounds != nil else { return }
        for index in shards.indices where shards[index].isInFlight && !shards[index].isLate && isLate(shards[index]) {
            shards[index].isLate = true
            beginSpooling()
        }
    }

    /// The time at which the first of the requests under way is late. Nil without a spool, or if all are.
    var lateAt: MonotonicTime? {
        guard spool.bounds != nil else { return nil }
        var first: MonotonicTime?
        for shard in shards where shard.isInFlight && !shard.isLate {
            if let begun = shard.begunAt { first = min(first ?? begun, begun) }
        }
        return first.map { $0 + Limits.late }
    }

    /// Has everything that waits written to the spool, as a stop needs it: call `spoolOrder` until it is nil.
    package mutating func beginStop() {
        guard spool.bounds != nil else { return }
        spool.isActive = true
        spool.isForced = true
        spool.writesAt = nil
    }

    /// The bytes that the file system lets the spool have.
    package mutating func note(room_bytes: Int) { spool.room_bytes = room_bytes }

    /// Updates the figures of the spool.
    mutating func noteSpool() {
        statistics.isSpooling = spool.isActive
        statistics.spool_bytes = spool.bytes
        statistics.spoolSamples = spool.samples
        var oldest = spool.blocks.first?.oldest
        for shard in shards {
            if let first = shard.batches.first?.stored { oldest = min(oldest ?? first.oldest, first.oldest) }
        }
        statistics.oldestSpooled = oldest
    }

    // MARK: Orders

    /// The order to the spool that comes before anything is sent. Nil if there is none.
    package mutating func spoolOrder(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        guard spool.isActive else { return nil }
        if isEmpty { spool.mustWrite = false }
        if spool.samples == 0 && !spool.mustWrite && !spool.isForced && !isFailing {
            return endSpooling(&table)
        }
        if let order = dropOrder(&table) { return order }
        guard spool.mayWrite(at: now) else { return nil }
        if let order = writeBatches(at: now, &table) { return order }
        if let order = writeBlock(at: now, &table) { return order }
        if spool.mayWrite(at: now) && !hasUnwrittenBatches { spool.mustWrite = false }
        guard
            !spool.removedBlocks.isEmpty && !hasUnwrittenBatches || !spool.removedBatches.isEmpty
                || spool.isOnDisk && requests != spool.requests
        else { return nil }
        spool.purpose = .forget
        return .commit(commit(isDurable: false, &table))
    }

    /// Everything is sent, and the receiver is healthy.
    private mutating func endSpooling(_ table: inout SeriesTable) -> SpoolOrder? {
        guard spool.isOnDisk else {
            resetSpool(&table)
            note()
            return nil
        }
        spool.purpose = .remove
        return .remove
    }

    mutating func resetSpool(_ table: inout SeriesTable) {
        var next = SpoolBacklog(spool.bounds)
        next.room_bytes = spool.room_bytes
        next.now = spool.now
        spool = next
        // A place in this file means nothing in the next one.
        for index in shards.indices {
            shards[index].batches.updateEach { batch in
                batch.number = nil
                return true
            }
        }
        table.forgetSpool()
    }

    /// The facts about requests as they are now.
    var requests: SpooledRequests {
        SpooledRequests(
            shards: shards.count, message: messages.isPinned ? messages.current : nil, endpoint: endpoint)
    }

    /// True if a batch is in memory only.
    private var hasUnwrittenBatches: Bool { shards.contains { $0.batches.all.contains { $0.stored == nil } } }

    /// A commit with all that is due anyway. A block that became batches goes with the commit that has them.
    private func commit(isDurable: Bool, withBatches: Bool = false, _ table: inout SeriesTable) -> SpoolCommit {
        var commit = SpoolCommit()
        commit.series = table.spool.unwritten
        if withBatches || !hasUnwrittenBatches { commit.removedBlocks = spool.removedBlocks }
        commit.removedBatches = spool.removedBatches
        if requests != spool.requests { commit.requests = requests }
        commit.isDurable = isDurable
        return commit
    }

    private static func item(_ number: Int64, _ packed: PackedBlock) -> SpoolBacklog.Item {
        SpoolBacklog.Item(
            number: number, count: packed.count, oldest: packed.oldest, newest: packed.newest, bytes: packed.bytes)
    }

    /// Writes all batches that are in memory only.
    private mutating func writeBatches(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        guard hasUnwrittenBatches else { return nil }
        var batches: [SpooledBatch] = []
        var items: [[SpoolBacklog.Item]] = []
        var size = 0
        for (index, shard) in shards.enumerated() {
            var own: [SpoolBacklog.Item] = []
            for batch in shard.batches.all where batch.stored == nil {
                let number = batch.number ?? spool.nextBatch
                if batch.number == nil { spool.nextBatch += SpoolBacklog.Limits.stride }
                let packed = packer.pack(batch.samples[...], base: batch.base, &table)
                batches.append(SpooledBatch(number: number, shard: index, samples: packed))
                own.append(Self.item(number, packed))
                size += packed.bytes
            }
            items.append(own)
        }
        // They were in the spool as blocks, or are a few requests. If it is over its bound with them, the oldest go next.
        guard size <= spool.most_bytes else { return makeRoom(at: now, &table) }
        var commit = commit(isDurable: true, withBatches: true, &table)
        commit.batches = batches
        spool.purpose = .writeBatches(items)
        return .commit(commit)
    }

    /// Drops what is oldest. Nil if there is no room even so: nothing is written for a while.
    private mutating func makeRoom(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        if let order = dropOrder(&table) { return order }
        spool.writesAt = now + SpoolBacklog.Limits.again
        return nil
    }

    /// Writes the oldest samples of the queue.
    private mutating func writeBlock(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        guard let block = queue.oldestBlock() else { return nil }
        let packed = packer.pack(block.samples[...], base: block.base, &table)
        guard packed.bytes <= spool.most_bytes else {
            // There is no room for it even in an empty spool.
            spool.writesAt = now + SpoolBacklog.Limits.again
            return nil
        }
        spool.reading_bytes = packed.bytes
        guard spool.bytes + packed.bytes <= spool.most_bytes else { return makeRoom(at: now, &table) }
        let item = Self.item(spool.nextBlock, packed)
        var commit = commit(isDurable: true, &table)
        commit.blocks = [SpooledBlock(number: item.number, samples: packed)]
        spool.purpose = .writeBlock(item)
        return .commit(commit)
    }

    /// Reads the next blocks, which are about to become batches. Nil if they cannot be read now.
    mutating func cutOrder(at now: MonotonicTime, _ table: SeriesTable) -> SpoolOrder? {
        guard spool.mayRead(at: now) else { return nil }
        // Rows of different processes may be one series to the receiver, and have no order within a request.
        let most = table.spool.hasTwins ? 1 : max(1, min(limits.samples / 100, SampleQueue.Limits.readings))
        var items: [SpoolBacklog.Item] = []
        var samples = 0
        for item in spool.blocks.all.prefix(most) {
            samples += item.count
            let size = samples * MemoryLayout<QueuedSample>.stride
            if let first = items.first {
                let isNear = item.newest.since(first.oldest) < SampleBlock.Limits.span
                // Samples of an earlier process may be refused because of later ones from elsewhere, and a
                // request is refused as a whole.
                let isOfBoth = first.number <= spool.lastRestoredBlock && item.number > spool.lastRestoredBlock
                if size > queue.block_bytes || !isNear || isOfBoth { break }
            }
            items.append(item)
        }
        spool.purpose = .cut(items)
        return .readBlocks(items.map(\.number))
    }
}
