package import Platform
import Wire

// What waits goes to disk while the receiver does not take it.
//
// The oldest samples are in batches, which belong to a shard, and were or will be tried. The blocks come after them, and
// after these what is in memory only. A block becomes batches when a shard has none left.

extension Delivery {
    // MARK: Orders

    /// The order to the spool that comes before anything is sent. Nil if there is none.
    mutating func spoolOrder(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        guard spool.isActive else { return nil }
        if isEmpty { spool.mustWrite = false }
        if spool.samples == 0 && !spool.mustWrite && !spool.isForced && !isFailing {
            return endSpooling(&table)
        }
        if let order = dropOrder(&table) { return order }
        guard spool.mayWrite(at: now) else { return nil }
        if let order = writeBatches(&table) { return order }
        if let order = writeBlock(at: now, &table) { return order }
        if spool.mayWrite(at: now) { spool.mustWrite = false }
        guard
            !spool.removedBlocks.isEmpty || !spool.removedBatches.isEmpty
                || spool.isOnDisk && requests != spool.requests
        else { return nil }
        spool.purpose = .forget
        return .commit(commit(isDurable: false, &table))
    }

    /// Everything is sent, and the receiver is healthy.
    private mutating func endSpooling(_ table: inout SeriesTable) -> SpoolOrder? {
        guard spool.isOnDisk else {
            resetSpool(&table)
            return nil
        }
        spool.purpose = .remove
        return .remove
    }

    private mutating func resetSpool(_ table: inout SeriesTable) {
        var next = SpoolBacklog(spool.bounds)
        next.room_bytes = spool.room_bytes
        next.now = spool.now
        spool = next
        table.forgetSpool()
    }

    /// The facts about requests as they are now.
    private var requests: SpooledRequests {
        SpooledRequests(
            shards: shards.count, message: messages.isPinned ? messages.current : nil, endpoint: endpoint)
    }

    /// A commit with all that is due anyway.
    private func commit(isDurable: Bool, _ table: inout SeriesTable) -> SpoolCommit {
        var commit = SpoolCommit()
        commit.series = table.spool.unwritten
        commit.removedBlocks = spool.removedBlocks
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
    private mutating func writeBatches(_ table: inout SeriesTable) -> SpoolOrder? {
        guard shards.contains(where: { $0.batches.all.contains { $0.stored == nil } }) else { return nil }
        var batches: [SpooledBatch] = []
        var items: [[SpoolBacklog.Item]] = []
        var size = 0
        for (index, shard) in shards.enumerated() {
            var own: [SpoolBacklog.Item] = []
            for batch in shard.batches.all where batch.stored == nil {
                let number = batch.number ?? spool.nextBatch
                spool.nextBatch = max(spool.nextBatch, number + SpoolBacklog.Limits.stride)
                let packed = packer.pack(batch.samples[...], base: batch.base, &table)
                batches.append(SpooledBatch(number: number, shard: index, samples: packed))
                own.append(Self.item(number, packed))
                size += packed.bytes
            }
            items.append(own)
        }
        guard spool.bytes + size <= spool.most_bytes else { return nil }
        var commit = commit(isDurable: true, &table)
        commit.batches = batches
        spool.purpose = .writeBatches(items)
        return .commit(commit)
    }

    /// Writes the oldest samples of the queue.
    private mutating func writeBlock(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        guard let block = queue.oldestBlock() else { return nil }
        let packed = packer.pack(block.samples[...], base: block.base, &table)
        spool.reading_bytes = packed.bytes
        guard spool.bytes + packed.bytes <= spool.most_bytes else {
            if let order = dropOrder(&table) { return order }
            // There is no room for it even in an empty spool.
            spool.writesAt = now + SpoolBacklog.Limits.again
            return nil
        }
        let item = Self.item(spool.nextBlock, packed)
        var commit = commit(isDurable: true, &table)
        commit.blocks = [SpooledBlock(number: item.number, samples: packed)]
        spool.purpose = .writeBlock(item)
        return .commit(commit)
    }

    /// Reads the next blocks, which are about to become batches. Nil if they cannot be read now.
    mutating func cutOrder(at now: MonotonicTime) -> SpoolOrder? {
        guard spool.mayRead(at: now) else { return nil }
        let most = max(1, min(limits.samples / 100, SampleQueue.Limits.readings))
        var items: [SpoolBacklog.Item] = []
        var samples = 0
        for item in spool.blocks.all.prefix(most) {
            samples += item.count
            let size = samples * MemoryLayout<QueuedSample>.stride
            let isNear = items.first.map { item.newest.since($0.oldest) < SampleBlock.Limits.span } ?? true
            if !items.isEmpty && (size > queue.block_bytes || !isNear) { break }
            items.append(item)
        }
        spool.purpose = .cut(items)
        return .readBlocks(items.map(\.number))
    }

    // MARK: Answers

    /// Takes the answer to the last order.
    package mutating func take(_ answer: SpoolAnswer, at now: MonotonicTime, _ table: inout SeriesTable) {
        guard let purpose = spool.purpose else { preconditionFailure("an answer follows an order") }
        spool.purpose = nil
        defer { note() }
        switch (purpose, answer) {
        case (.remove, _):
            // A file that could not be removed is found by the next process.
            resetSpool(&table)
        case (.writeBatches(let items), .done):
            noteCommitted(&table)
            noteWritten(items, &table)
        case (.writeBlock(let item), .done):
            noteCommitted(&table)
            spool.nextBlock = item.number + 1
            spool.blocks.append(item)
            add(item)
            if let block = queue.oldestBlock() { table.noteSpooled(block.samples[...]) }
            queue.removeOldestBlock()
        case (.forget, .done): noteCommitted(&table)
        case (.writeBatches, _), (.writeBlock, _), (.forget, _):
            statistics.spoolFailures += 1
            spool.writesAt = now + SpoolBacklog.Limits.again
        case (.send(let shard), .batch(let packed)): load(shard, packed, &table)
        case (.cut(let items), .blocks(let blocks)): cut(items, blocks, &table)
        case (.drop(let reason, let item, let shard), .batch(let packed)): drop(item, packed, shard, reason, &table)
        case (.drop(let reason, let item, let shard), .blocks(let blocks)):
            drop(item, blocks.first ?? nil, shard, reason, &table)
        case (.drop(let reason, let item, let shard), _): drop(item, nil, shard, reason, &table)
        case (.send, _), (.cut, _):
            statistics.spoolFailures += 1
            spool.readsAt = now + SpoolBacklog.Limits.again
        }
    }

    private mutating func noteCommitted(_ table: inout SeriesTable) {
        spool.isOnDisk = true
        spool.writesAt = nil
        spool.removedBlocks.removeAll()
        spool.removedBatches.removeAll()
        spool.requests = requests
        table.spool.unwritten.removeAll()
    }

    private mutating func add(_ item: SpoolBacklog.Item) {
        spool.add(item)
        statistics.samplesSpooled += UInt64(item.count)
    }

    /// Notes that batches are on disk. All but the first of each shard leave the memory.
    private mutating func noteWritten(_ items: [[SpoolBacklog.Item]], _ table: inout SeriesTable) {
        for item in items.joined() { add(item) }
        for index in shards.indices {
            var written = items[index].makeIterator()
            var isFirst = true
            shards[index].batches.updateEach { batch in
                if batch.stored == nil, let item = written.next() {
                    batch.stored = item
                    batch.number = nil
                    if !isFirst { Self.unload(&batch, &table) }
                }
                isFirst = false
                return true
            }
        }
    }

    private mutating func load(_ shard: Int, _ packed: PackedBlock?, _ table: inout SeriesTable) {
        guard var batch = shards[shard].batches.popFirst(), let stored = batch.stored else { return }
        guard let block = unpacked(packed, &table) else {
            drop(stored, nil, .damaged, wasAttempted: batch.attempts > 0, &table)
            spool.removedBatches.append(stored.number)
            return
        }
        batch.samples = block.samples
        batch.base = block.base
        shards[shard].batches.prepend(batch)
    }

    /// The samples of a block of the spool, which wait from now on. Nil if they are damaged.
    private mutating func unpacked(_ packed: PackedBlock?, _ table: inout SeriesTable) -> SampleBlock? {
        var block = SampleBlock()
        guard let packed, packed.unpack(into: &block), table.unspool(&block) else { return nil }
        return block
    }

    /// Divides blocks among the shards.
    private mutating func cut(
        _ items: [SpoolBacklog.Item], _ blocks: [PackedBlock?], _ table: inout SeriesTable
    ) {
        // The batches are written before the first of them is sent.
        spool.mustWrite = true
        var parts: [SampleBlock] = []
        for (item, packed) in zip(items, blocks) {
            _ = spool.blocks.popFirst()
            spool.removedBlocks.append(item.number)
            if let block = unpacked(packed, &table) {
                spool.subtract(item)
                parts.append(block)
            } else {
                drop(item, nil, .damaged, wasAttempted: true, &table)
            }
        }
        guard !parts.isEmpty else { return }
        var merged = cutter.emptyBlock()
        var places: [Int] = []
        merged.merge(parts, rowCount: table.owners.count, places: &places)
        cutter.divide(into: shards.count)
        _ = cutter.append(merged, number: 0, most_bytes: .max)
        for index in shards.indices {
            while true {
                var samples: [QueuedSample] = []
                let isUp = messages.isFirst && cutter.isAtUp(shard: index, table)
                guard
                    let part = cutter.take(
                        shard: index, limit: isUp ? 0 : limits.samples, readings: 1, &table, into: &samples)
                else { break }
                statistics.enqueued += UInt64(part.zeros)
                statistics.batchesEnqueued += 1
                shards[index].batches.append(DeliveryBatch(samples: samples, base: part.base))
            }
        }
    }

    // MARK: Dropping

    /// Drops what is over a bound: reads it first, since the table must know which series lost samples. Nil if nothing
    /// is over a bound, or if all of it is under way.
    private mutating func dropOrder(_ table: inout SeriesTable) -> SpoolOrder? {
        while let (item, shard, reason) = victim() {
            if let shard, let batch = shards[shard].batches.first, batch.stored?.number == item.number, batch.isLoaded {
                _ = shards[shard].batches.popFirst()
                spool.removedBatches.append(item.number)
                table.noteLoss(batch.samples[...], wasAttempted: batch.attempts > 0)
                count(item, reason)
                continue
            }
            spool.purpose = .drop(reason, item, shard: shard)
            return shard == nil ? .readBlocks([item.number]) : .readBatch(item.number)
        }
        return nil
    }

    /// The oldest batch that is not under way, or block, if it is over a bound.
    private mutating func victim() -> (item: SpoolBacklog.Item, shard: Int?, reason: DropReason)? {
        if spool.future != nil, let victim = futureVictim() { return victim }
        spool.future = nil
        var oldest: (item: SpoolBacklog.Item, shard: Int?)?
        for (index, shard) in shards.enumerated() where !shard.isInFlight {
            guard let item = shard.batches.first?.stored else { continue }
            if oldest.map({ item.oldest < $0.item.oldest }) ?? true { oldest = (item, index) }
        }
        if let item = spool.blocks.first, oldest.map({ item.oldest < $0.item.oldest }) ?? true { oldest = (item, nil) }
        guard let oldest, let reason = spool.reason(against: oldest.item) else { return nil }
        return (oldest.item, oldest.shard, reason)
    }

    /// A batch or a block with samples that are later than the clock.
    private func futureVictim() -> (item: SpoolBacklog.Item, shard: Int?, reason: DropReason)? {
        guard let future = spool.future else { return nil }
        if let item = spool.blocks.last, item.newest > future { return (item, nil, .clock) }
        for (index, shard) in shards.enumerated() {
            var isUnderWay = shard.isInFlight
            for batch in shard.batches.all {
                if !isUnderWay, let item = batch.stored, item.newest > future { return (item, index, .clock) }
                isUnderWay = false
            }
        }
        return nil
    }

    /// Drops a batch or a block that was read for it.
    private mutating func drop(
        _ item: SpoolBacklog.Item, _ packed: PackedBlock?, _ shard: Int?, _ reason: DropReason,
        _ table: inout SeriesTable
    ) {
        var wasAttempted = false
        if let shard {
            var kept = Deque<DeliveryBatch>()
            while var batch = shards[shard].batches.popFirst() {
                guard batch.stored?.number == item.number else {
                    kept.append(batch)
                    continue
                }
                wasAttempted = batch.attempts > 0
                Self.unload(&batch, &table)
            }
            shards[shard].batches = kept
            spool.removedBatches.append(item.number)
        } else {
            if spool.blocks.first?.number == item.number {
                _ = spool.blocks.popFirst()
            } else {
                _ = spool.blocks.popLast()
            }
            spool.removedBlocks.append(item.number)
        }
        drop(item, unpacked(packed, &table), reason, wasAttempted: wasAttempted, &table)
    }

    /// Counts samples as lost that were on disk only. Without `block` nobody knows which they were.
    private mutating func drop(
        _ item: SpoolBacklog.Item, _ block: SampleBlock?, _ reason: DropReason, wasAttempted: Bool,
        _ table: inout SeriesTable
    ) {
        count(item, reason)
        if let block {
            table.noteLoss(block.samples[...], wasAttempted: wasAttempted)
        } else {
            table.noteUnknownLoss()
        }
    }

    private mutating func count(_ item: SpoolBacklog.Item, _ reason: DropReason) {
        spool.subtract(item)
        statistics.dropped[reason, default: 0] += UInt64(item.count)
    }

    // MARK: Memory

    /// Takes a batch that is on disk out of the memory. Returns false if there is none that is loaded and not under way.
    mutating func unload(_ table: inout SeriesTable) -> Bool {
        for index in shards.indices {
            var isUnderWay = shards[index].isInFlight
            var isDone = false
            shards[index].batches.updateEach { batch in
                if !isUnderWay && batch.stored != nil && batch.isLoaded {
                    Self.unload(&batch, &table)
                    isDone = true
                }
                isUnderWay = false
                return !isDone
            }
            if isDone { return true }
        }
        return false
    }

    private static func unload(_ batch: inout DeliveryBatch, _ table: inout SeriesTable) {
        table.noteSpooled(batch.samples[...])
        batch.samples = []
        batch.body = []
    }

    /// Notes that the fate of a batch is known.
    mutating func forgetStored(_ batch: DeliveryBatch) {
        guard let stored = batch.stored else { return }
        spool.subtract(stored)
        spool.removedBatches.append(stored.number)
    }

    // MARK: Beginning and end

    /// True while what waits goes to disk.
    package var isSpooling: Bool { spool.isActive }

    /// True if the receiver does not take what it is sent.
    package var isFailing: Bool { isHeld || shards.contains(where: \.isFailing) }

    /// True if something waits in memory only.
    package var hasUnspooled: Bool { statistics.pending > UInt64(spool.samples) }

    /// True if the spool has a file that holds something.
    package var hasSpoolFile: Bool { spool.isOnDisk }

    /// The bytes of the samples in the spool.
    package var spooled_bytes: Int { spool.bytes }

    /// What waits goes to disk from now on, until everything is sent.
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
        return shards.filter { $0.isInFlight && !$0.isLate }.compactMap { $0.begunAt.map { $0 + Limits.late } }.min()
    }

    /// Has everything that waits written to the spool, as a stop needs it: call `orderAtStop` until it is nil.
    package mutating func beginStop() {
        guard spool.bounds != nil else { return }
        spool.isActive = true
        spool.isForced = true
        spool.writesAt = nil
    }

    /// The next order to the spool at a stop. Nil if all that can be is written.
    package mutating func orderAtStop(at now: MonotonicTime, _ table: inout SeriesTable) -> SpoolOrder? {
        spoolOrder(at: now, &table)
    }

    /// The bytes that the file system lets the spool have.
    package mutating func note(room_bytes: Int) { spool.room_bytes = room_bytes }

    /// Takes over what an earlier process left. Call it after the first reading was taken, and before it is enqueued.
    ///
    /// The first batch of each shard counts as tried: nobody knows whether it was.
    package mutating func restore(_ contents: SpoolContents, _ table: inout SeriesTable) {
        table.adopt(contents.series)
        spool.isActive = true
        spool.isOnDisk = true
        spool.requests = contents.requests
        let known = contents.requests.flatMap { $0.endpoint == endpoint ? $0.message : nil }
        if let known { messages.noteKnown(known) }
        let count = max(1, min(contents.requests?.shards ?? 1, Limits.shards))
        shards = Array(repeating: DeliveryShard(), count: count)
        queue.divide(into: count)
        for header in contents.batches {
            let shard = header.shard % count
            var batch = DeliveryBatch(Self.item(header))
            if shards[shard].batches.isEmpty {
                batch.attempts = 1
                batch.mayHaveArrived = true
                batch.message = known ?? messages.current
            }
            shards[shard].batches.append(batch)
        }
        for header in contents.blocks { spool.blocks.append(Self.item(header)) }
        for header in contents.batches + contents.blocks {
            spool.add(Self.item(header))
            statistics.enqueued += UInt64(header.count)
        }
        spool.nextBatch = (contents.batches.last?.number ?? 0) + SpoolBacklog.Limits.stride
        spool.nextBlock = (contents.blocks.last?.number ?? 0) + 1
        statistics.enqueued += UInt64(contents.damagedSamples)
        statistics.dropped[.damaged, default: 0] += UInt64(contents.damagedSamples)
        note()
    }

    private static func item(_ header: SpoolContents.Header) -> SpoolBacklog.Item {
        SpoolBacklog.Item(
            number: header.number, count: header.count, oldest: header.oldest, newest: header.newest,
            bytes: header.bytes)
    }

    /// Takes over what is left of a spool that was damaged while it was used. What is not in it any more is lost.
    package mutating func reconcile(with contents: SpoolContents, _ table: inout SeriesTable) {
        let blocks = Set(contents.blocks.map(\.number))
        let batches = Set(contents.batches.map(\.number))
        var lost: [SpoolBacklog.Item] = []
        var keptBlocks = Deque<SpoolBacklog.Item>()
        while let item = spool.blocks.popFirst() {
            if blocks.contains(item.number) { keptBlocks.append(item) } else { lost.append(item) }
        }
        spool.blocks = keptBlocks
        var known = Set(spool.blocks.all.map(\.number))
        spool.removedBlocks = contents.blocks.map(\.number).filter { !known.contains($0) }
        known.removeAll()
        for index in shards.indices {
            var kept = Deque<DeliveryBatch>()
            while var batch = shards[index].batches.popFirst() {
                if let item = batch.stored, !batches.contains(item.number) {
                    if batch.isLoaded {
                        // Its samples are in memory still.
                        spool.subtract(item)
                        batch.stored = nil
                        batch.number = item.number
                    } else {
                        lost.append(item)
                        continue
                    }
                } else if let item = batch.stored {
                    known.insert(item.number)
                }
                kept.append(batch)
            }
            shards[index].batches = kept
        }
        spool.removedBatches = contents.batches.map(\.number).filter { !known.contains($0) }
        for item in lost { count(item, .damaged) }
        if !lost.isEmpty { table.noteUnknownLoss() }
        table.renewSpool(known: Set(contents.series.map(\.firstRow)))
        spool.requests = contents.requests
        note()
    }

    /// Updates the figures of the spool.
    mutating func noteSpool() {
        statistics.isSpooling = spool.isActive
        statistics.spool_bytes = spool.bytes
        statistics.spoolSamples = spool.samples
        let batches = shards.compactMap { $0.batches.first?.stored?.oldest }
        statistics.oldestSpooled = (batches + [spool.blocks.first?.oldest].compactMap { $0 }).min()
    }
}
