import RemoteWrite
import Wire

/// A spool in memory, which outlives the delivery as the file does. It can refuse, and it can lose rows.
struct ModelSpool {
    private var series: [SpooledSeries] = []
    private var blocks: [Int64: PackedBlock] = [:]
    private var batches: [Int64: SpooledBatch] = [:]
    private var requests: SpooledRequests?
    private(set) var exists = false
    /// Orders are refused while it is set.
    var refuses = false
    /// True if an order was ever refused.
    private(set) var hasRefused = false
    /// True if a row was ever lost.
    private(set) var isDamaged = false

    /// The samples in it.
    var count: Int {
        blocks.values.reduce(0) { $0 + $1.count } + batches.values.reduce(0) { $0 + $1.samples.count }
    }

    mutating func carryOut(_ order: SpoolOrder) -> SpoolAnswer {
        if refuses && !order.isRemoval {
            hasRefused = true
            return .failed
        }
        switch order {
        case .commit(let commit):
            apply(commit)
            return .done
        case .readBlocks(let numbers): return .blocks(numbers.map { blocks[$0] })
        case .readBatch(let number): return .batch(batches[number]?.samples)
        case .remove:
            (series, blocks, batches, requests, exists) = ([], [:], [:], nil, false)
            return .done
        }
    }

    private mutating func apply(_ commit: SpoolCommit) {
        exists = true
        for number in commit.removedBlocks { blocks[number] = nil }
        for number in commit.removedBatches { batches[number] = nil }
        series += commit.series
        for block in commit.blocks {
            require(blocks[block.number] == nil, "a block has a number of its own")
            blocks[block.number] = block.samples
        }
        for batch in commit.batches {
            require(
                batches[batch.number].map { $0.shard == batch.shard } ?? true, "a batch replaces none of another shard")
            batches[batch.number] = batch
        }
        if let new = commit.requests { requests = new }
    }

    /// Loses the oldest row of one kind.
    mutating func lose(_ kind: Int) {
        isDamaged = true
        switch kind {
        case 0: if let number = blocks.keys.min() { blocks[number] = nil }
        case 1: if let number = batches.keys.min() { batches[number] = nil }
        default: if !series.isEmpty { series.removeFirst() }
        }
    }

    /// The content for the next process.
    var contents: SpoolContents {
        func header(_ number: Int64, _ shard: Int, _ packed: PackedBlock) -> SpoolContents.Header {
            SpoolContents.Header(
                number: number, shard: shard, count: packed.count, oldest: packed.oldest, newest: packed.newest,
                bytes: packed.bytes)
        }
        var contents = SpoolContents()
        contents.series = series.sorted { $0.firstRow < $1.firstRow }
        contents.blocks = blocks.sorted { $0.key < $1.key }.map { header($0.key, 0, $0.value) }
        contents.batches = batches.sorted { $0.key < $1.key }.map { header($0.key, $0.value.shard, $0.value.samples) }
        contents.requests = requests
        return contents
    }
}
