package import Platform
import Wire

// The answers to the orders to the spool.

extension Delivery {
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
            spool.add(item)
            statistics.samplesSpooled += UInt64(item.count)
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

    /// Notes that batches are on disk. All but the first of each shard leave the memory.
    private mutating func noteWritten(_ items: [[SpoolBacklog.Item]], _ table: inout SeriesTable) {
        for item in items.joined() { spool.add(item) }
        var samples = 0
        for index in shards.indices {
            var written = items[index].makeIterator()
            var isFirst = true
            shards[index].batches.updateEach { batch in
                if batch.stored == nil, let item = written.next() {
                    batch.stored = item
                    batch.number = nil
                    if !batch.wasStored { samples += batch.count }
                    if !isFirst { Self.unload(&batch, &table) }
                }
                isFirst = false
                return true
            }
        }
        statistics.samplesSpooled += UInt64(samples)
    }

    private mutating func load(_ shard: Int, _ packed: PackedBlock?, _ table: inout SeriesTable) {
        guard var batch = shards[shard].batches.popFirst(), let stored = batch.stored else { return }
        guard let block = unpacked(packed, count: stored.count, &table) else {
            drop(stored, nil, .damaged, wasAttempted: batch.attempts > 0, &table)
            spool.removedBatches.append(stored.number)
            return
        }
        batch.samples = block.samples
        batch.base = block.base
        shards[shard].batches.prepend(batch)
    }

    /// The samples of a block of the spool, which wait from now on. Nil if they are damaged, or not as many as were
    /// counted.
    private mutating func unpacked(_ packed: PackedBlock?, count: Int, _ table: inout SeriesTable) -> SampleBlock? {
        var block = SampleBlock()
        guard let packed, packed.count == count, packed.unpack(into: &block), table.unspool(&block) else { return nil }
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
            if let block = unpacked(packed, count: item.count, &table) {
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
                var batch = DeliveryBatch(samples: samples, base: part.base)
                batch.wasStored = true
                shards[index].batches.append(batch)
            }
        }
    }

    // MARK: Dropping

    /// Drops what is over a bound: reads it first, since the table must know which series lost samples. Nil if nothing
    /// is over a bound, or if all of it is under way.
    mutating func dropOrder(_ table: inout SeriesTable) -> SpoolOrder? {
        while let (item, shard, reason) = victim() {
            if let shard, let batch = shards[shard].batches.first, batch.stored?.number == item.number, batch.isLoaded {
                _ = shards[shard].batches.popFirst()
                spool.removedBatches.append(item.number)
                table.noteLoss(batch.samples[...], wasAttempted: batch.attempts > 0)
                count(item, reason)
                note()
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
        drop(item, unpacked(packed, count: item.count, &table), reason, wasAttempted: wasAttempted, &table)
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

    mutating func count(_ item: SpoolBacklog.Item, _ reason: DropReason) {
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
    mutating func forgetPlace(of batch: DeliveryBatch) {
        if let stored = batch.stored { spool.subtract(stored) }
        // The disk may have refused to be told of a half, and have the whole.
        if let number = batch.placeNumber { spool.removedBatches.append(number) }
    }
}
