import RemoteWrite
import Wire

/// A spool in memory that survives the delivery, as the file does. It can refuse, and it can lose rows.
struct MemorySpool {
    private(set) var series: [SpooledSeries] = []
    private(set) var blocks: [Int64: PackedBlock] = [:]
    private(set) var batches: [Int64: SpooledBatch] = [:]
    private(set) var requests: SpooledRequests?
    private(set) var exists = false
    private(set) var commits = 0
    private(set) var removals = 0
    /// All commits are refused while it is set, as by a full disk.
    var refuses = false
    /// Nothing can be read while it is set.
    var refusesReads = false

    mutating func carryOut(_ order: SpoolOrder) -> SpoolAnswer {
        switch order {
        case .commit(let commit):
            if refuses { return .failed }
            apply(commit)
            return .done
        case .readBlocks(let numbers): return refusesReads ? .failed : .blocks(numbers.map { blocks[$0] })
        case .readBatch(let number): return refusesReads ? .failed : .batch(batches[number]?.samples)
        case .remove:
            var next = MemorySpool()
            next.refuses = refuses
            next.refusesReads = refusesReads
            next.removals = removals + 1
            self = next
            return .done
        }
    }

    private mutating func apply(_ commit: SpoolCommit) {
        exists = true
        commits += 1
        for number in commit.removedBlocks { blocks[number] = nil }
        for number in commit.removedBatches { batches[number] = nil }
        series += commit.series
        for block in commit.blocks { blocks[block.number] = block.samples }
        for batch in commit.batches { batches[batch.number] = batch }
        if let new = commit.requests { requests = new }
    }

    /// Loses a row, as a damaged file does.
    mutating func lose(block number: Int64) { blocks[number] = nil }
    mutating func lose(batch number: Int64) { batches[number] = nil }
    mutating func loseSeries() { series = [] }

    /// Puts the samples of each block into the place of another one, as a file of another time does.
    mutating func swapBlocks() {
        for (number, samples) in zip(blocks.keys.sorted(), blocks.sorted { $0.key > $1.key }.map(\.value)) {
            blocks[number] = samples
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
