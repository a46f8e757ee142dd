import Wire

// The contents of a spool that was there before.

extension Delivery {
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
        spool.nextBatch = SpoolBacklog.number(after: contents.batches.last?.number ?? 0)
        spool.lastRestoredBlock = contents.blocks.last?.number ?? 0
        spool.nextBlock = spool.lastRestoredBlock + 1
        statistics.enqueued += UInt64(contents.damagedSamples)
        statistics.dropped[.damaged, default: 0] += UInt64(contents.damagedSamples)
        note()
    }

    /// Counts what an earlier process left as lost: it could not be read before later samples were made.
    package mutating func giveUp(_ contents: SpoolContents) {
        let lost = (contents.batches + contents.blocks).reduce(contents.damagedSamples) { $0 + $1.count }
        statistics.enqueued += UInt64(lost)
        statistics.dropped[.damaged, default: 0] += UInt64(lost)
    }

    private static func item(_ header: SpoolContents.Header) -> SpoolBacklog.Item {
        SpoolBacklog.Item(
            number: header.number, count: header.count, oldest: header.oldest, newest: header.newest,
            bytes: header.bytes)
    }

    /// Takes over what is left of a spool that was damaged while it was used. What is not in it any more is lost. A row
    /// with other samples than those that were written is another file's, and is removed.
    package mutating func reconcile(with contents: SpoolContents, _ table: inout SeriesTable) {
        let blocks = Set(contents.blocks.map(Self.item))
        let batches = Set(contents.batches.map(Self.item))
        var lost: [SpoolBacklog.Item] = []
        var keptBlocks = Deque<SpoolBacklog.Item>()
        while let item = spool.blocks.popFirst() {
            if blocks.contains(item) { keptBlocks.append(item) } else { lost.append(item) }
        }
        spool.blocks = keptBlocks
        var known = Set(spool.blocks.all.map(\.number))
        spool.removedBlocks = contents.blocks.map(\.number).filter { !known.contains($0) }
        known.removeAll()
        for index in shards.indices {
            var kept = Deque<DeliveryBatch>()
            while var batch = shards[index].batches.popFirst() {
                if let item = batch.stored, !batches.contains(item) {
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
        spool.writesAt = nil
        spool.readsAt = nil
        note()
    }
}
