import Wire

/// The samples that no request holds yet, in the order of their readings.
///
/// A reading waits packed. It is unpacked as a *block* when a shard reaches it. Several readings that wait become one
/// block, in which the samples of a series follow each other, so one request can send them under one label set. Each
/// shard has a place of its own and takes only the series whose hash is its own.
struct SampleQueue: Sendable {
    enum Limits {
        /// The most readings in one block: a histogram with all of them still fits in a request of the default size.
        static let readings = 50
        /// The buffers that are kept for later readings: one that is read, one that is sent.
        static let spareBlocks = 3
    }

    private enum Waiting {
        case open(SampleBlock)
        case packed(PackedBlock)

        var count: Int {
            switch self {
            case .open(let block): block.samples.count
            case .packed(let block): block.count
            }
        }

        var bytes: Int {
            switch self {
            case .open(let block): block.bytes
            case .packed(let block): block.bytes
            }
        }

        var base: Timestamp {
            switch self {
            case .open(let block): block.base
            case .packed(let block): block.base
            }
        }
    }

    /// The place of a shard: the block and the sample that come next.
    private struct Place {
        var block: Int
        var sample = 0
    }

    /// The memory for the samples of one block.
    let block_bytes: Int
    private var waiting = Deque<(number: UInt64, reading: Waiting)>()
    private var blocks: [SampleBlock] = []
    /// The number of samples of each block that no shard has taken. A block without any is gone, although some shard may
    /// not have looked at it.
    private var left: [Int] = []
    private var places: [Place] = [Place(block: 0)]
    private(set) var bytes = 0
    /// Readings from this number on are not unpacked until they may be sent.
    private var withheldFrom: UInt64?
    private var spare: [SampleBlock] = []
    private var raw: [UInt8] = []
    private var compressed: [UInt8] = []
    private var rowPlaces: [Int] = []
    /// The blocks that become one.
    private var parts: [SampleBlock] = []

    init(block_bytes: Int) { self.block_bytes = block_bytes }

    /// True if no sample waits here.
    var isEmpty: Bool { waiting.isEmpty && blocks.isEmpty }

    /// True if a reading waits that no shard has begun.
    var hasWaiting: Bool { !waiting.isEmpty }

    /// True if the next reading is withheld.
    var isWithholding: Bool {
        guard let withheldFrom, blocks.isEmpty, let first = waiting.first else { return false }
        return first.number >= withheldFrom
    }

    /// The time of the oldest reading here. Nil if there is none.
    var oldest: Timestamp? {
        guard let block = blocks.first else { return waiting.first?.reading.base }
        return block.samples.first.map(block.time)
    }

    // MARK: In

    /// An empty block, with memory that was used before.
    mutating func emptyBlock() -> SampleBlock { spare.popLast() ?? SampleBlock() }

    /// Adds a reading. Readings come in the order of their numbers. Returns false, and adds nothing, if it alone takes
    /// more than `most_bytes`.
    mutating func append(_ block: SampleBlock, number: UInt64, most_bytes: Int) -> Bool {
        if isEmpty && block.bytes <= block_bytes {
            bytes += block.bytes
            waiting.append((number, .open(block)))
            return true
        }
        let packed = PackedBlock(block, raw: &raw, compressed: &compressed)
        guard packed.bytes <= most_bytes else { return false }
        bytes += packed.bytes
        waiting.append((number, .packed(packed)))
        recycle(block)
        return true
    }

    mutating func recycle(_ block: SampleBlock) {
        if spare.count < Limits.spareBlocks { spare.append(block) }
    }

    mutating func withhold(from number: UInt64) { withheldFrom = min(withheldFrom ?? number, number) }
    mutating func release() { withheldFrom = nil }

    // MARK: Out

    /// Takes the next samples of a shard: whole groups, as many as fit in `limit` samples, but one group at least.
    ///
    /// - Parameters:
    ///   - readings: the most readings in one block.
    ///   - batch: gets the samples. Zeros that `SeriesTable.append` adds may make them more than `limit`.
    /// - Returns: the base time of the samples and the number of added zeros. Nil if nothing waits for the shard.
    mutating func take(
        shard: Int, limit: Int, readings: Int, _ table: inout SeriesTable, into batch: inout [QueuedSample]
    ) -> (base: Timestamp, zeros: Int)? {
        while true {
            if places[shard].block == blocks.count && !openNext(readings: readings, rowCount: table.owners.count) {
                return nil
            }
            let index = places[shard].block
            let base = blocks[index].base
            let start = places[shard].sample
            let zeros = take(shard: shard, limit: limit, blocks[index], &table, into: &batch)
            left[index] -= batch.count - zeros
            if places.count > 1 { markTaken(by: shard, in: index, from: start, table) }
            if places[shard].sample == blocks[index].samples.count { places[shard] = Place(block: index + 1) }
            dropUsed()
            if !batch.isEmpty { return (base, zeros) }
        }
    }

    private mutating func take(
        shard: Int, limit: Int, _ block: SampleBlock, _ table: inout SeriesTable, into batch: inout [QueuedSample]
    ) -> Int {
        let samples = block.samples
        let count = places.count
        var zeros = 0
        var position = places[shard].sample
        // Samples of the shard that follow each other are copied at once.
        var runStart = position
        var taken = 0
        while position < samples.count {
            if samples[position].row == QueuedSample.taken {
                zeros += table.append(samples[runStart..<position], to: &batch, base: block.base)
                position += 1
                runStart = position
                continue
            }
            let owner = table.owners[Int(samples[position].row)]
            var end = position + 1
            while end < samples.count && samples[end].row != QueuedSample.taken
                && table.owners[Int(samples[end].row)] == owner
            { end += 1 }
            if count > 1 && self.shard(of: samples[position].row, table) != shard {
                zeros += table.append(samples[runStart..<position], to: &batch, base: block.base)
                runStart = end
            } else {
                if taken > 0 && taken + end - position > limit { break }
                taken += end - position
            }
            position = end
        }
        zeros += table.append(samples[runStart..<position], to: &batch, base: block.base)
        places[shard].sample = position
        return zeros
    }

    private mutating func markTaken(by shard: Int, in block: Int, from start: Int, _ table: SeriesTable) {
        for position in start..<places[shard].sample {
            let row = blocks[block].samples[position].row
            if row != QueuedSample.taken && self.shard(of: row, table) == shard {
                blocks[block].samples[position].row = QueuedSample.taken
            }
        }
    }

    private func shard(of row: UInt32, _ table: SeriesTable) -> Int {
        Int(table.groups[Int(table.owners[Int(row)])].hash % UInt32(places.count))
    }

    /// The samples of a block that no shard has taken.
    private func rest(of block: Int) -> [QueuedSample] {
        if places.count > 1 { return blocks[block].samples.filter { $0.row != QueuedSample.taken } }
        guard places[0].block <= block else { return [] }
        return Array(blocks[block].samples[(places[0].block == block ? places[0].sample : 0)...])
    }

    /// True if the next sample of a shard is that of `up`, which is in row 0.
    func isAtUp(shard: Int, _ table: SeriesTable) -> Bool {
        guard table.groups[0].hash % UInt32(places.count) == UInt32(shard) else { return false }
        return places[shard].sample == 0 && (places[shard].block < blocks.count || hasWaiting)
    }

    /// Unpacks the next readings that may be sent into one block. Returns false if there are none.
    private mutating func openNext(readings: Int, rowCount: Int) -> Bool {
        parts.removeAll(keepingCapacity: true)
        var size = 0
        while parts.count < max(1, min(readings, Limits.readings)), let next = waiting.first,
            withheldFrom.map({ next.number < $0 }) ?? true
        {
            let more = next.reading.count * MemoryLayout<QueuedSample>.stride
            if !parts.isEmpty && (size + more > block_bytes || !isNear(next.reading.base, parts[0].base)) { break }
            _ = waiting.popFirst()
            bytes -= next.reading.bytes
            size += more
            parts.append(unpacked(next.reading))
        }
        guard !parts.isEmpty else { return false }
        if parts.count == 1, let only = parts.popLast() {
            blocks.append(only)
        } else {
            var merged = emptyBlock()
            merged.merge(parts, rowCount: rowCount, places: &rowPlaces)
            while let part = parts.popLast() { recycle(part) }
            blocks.append(merged)
        }
        bytes += size
        left.append(blocks[blocks.count - 1].samples.count)
        return true
    }

    /// True if the times are so close that the difference fits an offset.
    private func isNear(_ time: Timestamp, _ first: Timestamp) -> Bool {
        abs(time.milliseconds - first.milliseconds) < SampleBlock.Limits.span.milliseconds
    }

    /// Removes the oldest blocks of which nothing is left.
    private mutating func dropUsed() {
        while left.first == 0 {
            bytes -= blocks[0].bytes
            recycle(blocks.removeFirst())
            left.removeFirst()
            for index in places.indices {
                places[index] =
                    places[index].block == 0
                    ? Place(block: 0) : Place(block: places[index].block - 1, sample: places[index].sample)
            }
        }
    }

    // MARK: Shards

    /// Divides the samples among another number of shards. No shard may have samples under way, because the series of
    /// these may come into another shard.
    mutating func divide(into count: Int) {
        for index in blocks.indices {
            let before = blocks[index].bytes
            blocks[index].samples = rest(of: index)
            bytes -= before - blocks[index].bytes
        }
        blocks.removeAll(where: \.samples.isEmpty)
        left = blocks.map(\.samples.count)
        places = Array(repeating: Place(block: 0), count: count)
    }

    // MARK: To the spool

    /// The oldest samples here that may be sent. Nil if there are none.
    func oldestBlock() -> SampleBlock? {
        if !blocks.isEmpty {
            var block = SampleBlock()
            block.reset(base: blocks[0].base)
            block.samples = rest(of: 0)
            return block
        }
        guard let next = waiting.first, withheldFrom.map({ next.number < $0 }) ?? true else { return nil }
        switch next.reading {
        case .open(let block): return block
        case .packed(let packed):
            var block = SampleBlock()
            precondition(packed.unpack(into: &block), "a packed reading is whole")
            return block
        }
    }

    /// Removes what `oldestBlock` gave.
    mutating func removeOldestBlock() {
        guard blocks.isEmpty else {
            left[0] = 0
            return dropUsed()
        }
        guard let next = waiting.popFirst() else { return }
        bytes -= next.reading.bytes
        if case .open(let block) = next.reading { recycle(block) }
    }

    // MARK: Losing

    /// Removes the samples that no request holds and that have a time after `now`.
    ///
    /// - Parameter body: is called with the samples, in several parts.
    mutating func dropFuture(
        after now: Timestamp, _ table: inout SeriesTable,
        _ body: (inout SeriesTable, ArraySlice<QueuedSample>) -> Void
    ) {
        while let last = waiting.last, last.reading.base > now {
            _ = waiting.popLast()
            bytes -= last.reading.bytes
            body(&table, unpacked(last.reading).samples[...])
        }
        for index in blocks.indices {
            let block = blocks[index]
            let rest = rest(of: index)
            let future = rest.filter { block.time(of: $0) > now }
            guard !future.isEmpty else { continue }
            body(&table, future[...])
            blocks[index].samples = rest.filter { block.time(of: $0) <= now }
            left[index] = blocks[index].samples.count
            bytes -= block.bytes - blocks[index].bytes
            for place in places.indices where places[place].block == index { places[place].sample = 0 }
        }
        dropUsed()
    }

    private mutating func unpacked(_ reading: Waiting) -> SampleBlock {
        switch reading {
        case .open(let block): return block
        case .packed(let packed):
            var block = emptyBlock()
            // Nothing but a defect of ours damages memory.
            precondition(packed.unpack(into: &block), "a packed reading is whole")
            return block
        }
    }

    /// Removes the oldest samples that no request holds: what is left of the oldest block, or the oldest reading.
    /// Returns false if there are none.
    ///
    /// - Parameter body: is called with the samples, in one part or several.
    mutating func dropOldest(_ table: inout SeriesTable, _ body: (inout SeriesTable, ArraySlice<QueuedSample>) -> Void)
        -> Bool
    {
        if !blocks.isEmpty {
            let rest = rest(of: 0)
            left[0] = 0
            dropUsed()
            body(&table, rest[...])
            return true
        }
        guard let next = waiting.popFirst() else { return false }
        bytes -= next.reading.bytes
        let block = unpacked(next.reading)
        body(&table, block.samples[...])
        recycle(block)
        return true
    }
}
