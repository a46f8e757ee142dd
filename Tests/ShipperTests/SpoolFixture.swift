import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Wire

/// A folder with the spool of a destination in it.
struct SpoolFixture {
    let folder = TemporaryFolder()
    static let noon = Timestamp(seconds: 1_790_000_000)

    var directory: String { folder.file("state") }
    var path: String { SpoolFile.path(directory: directory, destination: "eu") }

    func open() throws(SpoolError) -> SpoolFile { try SpoolFile(path: path, now: Self.noon) }

    /// The names of the files in the folder.
    func names() throws -> [String] { try Folder.names(directory) }

    /// The kind of the error that `body` throws.
    static func kind(_ body: () throws -> Void) -> SpoolError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? SpoolError)?.kind
        }
    }

    /// Series `number`: gauges, counters and histograms in turn, each with 20 rows of room.
    static func series(_ number: Int) -> SpooledSeries {
        let bounds = [0.25, 1, 4.5, 60]
        let (name, kind): (String, FamilyDescriptor.Kind) =
            switch number % 3 {
            case 0: ("lk_rooms_active", .gauge)
            case 1: ("lk_room_starts_total", .counter)
            default: ("lk_room_duration_seconds", .histogram(bounds: bounds))
            }
        return SpooledSeries(
            firstRow: UInt32(number * 20), family: name, help: "Rooms, as \"seen\" by nobody.", kind: kind,
            labelNames: ["project", "room"], labelValues: ["p", number % 5 == 0 ? "" : "räum \(number)"],
            commonNames: ["job", "instance"], commonValues: ["lkpush", "a"],
            start: number % 3 == 0 ? nil : noon - .seconds(Int64(number)))
    }

    /// Samples number `number`. Their bytes are noise, and fill from a part of a page to several pages.
    static func samples(_ number: Int64) -> PackedBlock {
        var random = SeededGenerator(seed: UInt64(bitPattern: number))
        let size =
            number % 4 == 0 ? Int.random(in: 4_000...15_000, using: &random) : Int.random(in: 1...900, using: &random)
        var body: [UInt8] = []
        body.reserveCapacity(size + 8)
        while body.count < size { withUnsafeBytes(of: random.next()) { body.append(contentsOf: $0) } }
        let time = noon + .seconds(15 * number)
        return PackedBlock(base: time, count: body.count * 3, oldest: time - .seconds(1), newest: time, body: body)
    }
}

/// The content that a spool should have, or has.
struct SpoolModel: Equatable {
    struct Batch: Equatable {
        let shard: Int
        let samples: PackedBlock
    }

    var series: [UInt32: SpooledSeries] = [:]
    var blocks: [Int64: PackedBlock] = [:]
    var batches: [Int64: Batch] = [:]
    var requests: SpooledRequests?
    /// The samples of rows that the opening gave and that could not be read then.
    var unreadRows = 0
    var unreadSamples = 0

    init() {}

    /// Reads all of a spool.
    init(_ file: SpoolFile, _ contents: SpoolContents? = nil) throws {
        let contents = contents ?? file.contents
        for one in contents.series { series[one.firstRow] = one }
        requests = contents.requests
        for header in contents.blocks {
            guard let samples = try file.block(header.number) else {
                note(header)
                continue
            }
            blocks[header.number] = Self.checked(samples, header)
        }
        for header in contents.batches {
            guard let samples = try file.batch(header.number) else {
                note(header)
                continue
            }
            batches[header.number] = Batch(shard: header.shard, samples: Self.checked(samples, header))
        }
    }

    private mutating func note(_ header: SpoolContents.Header) {
        unreadRows += 1
        unreadSamples += header.count
    }

    /// Samples that differ from what their header says are no samples.
    private static func checked(_ samples: PackedBlock, _ header: SpoolContents.Header) -> PackedBlock {
        let isRight =
            samples.count == header.count && samples.oldest == header.oldest && samples.newest == header.newest
            && samples.body.count == header.bytes
        return isRight
            ? samples : PackedBlock(base: samples.base, count: -1, oldest: samples.base, newest: samples.base, body: [])
    }

    var rows: Int { series.count + blocks.count + batches.count }

    var sampleCount: Int {
        blocks.values.reduce(0) { $0 + $1.count } + batches.values.reduce(0) { $0 + $1.samples.count }
    }

    /// Does what a commit should do.
    mutating func apply(_ commit: SpoolCommit) {
        for number in commit.removedBlocks { blocks[number] = nil }
        for number in commit.removedBatches { batches[number] = nil }
        for one in commit.series { series[one.firstRow] = one }
        for block in commit.blocks { blocks[block.number] = block.samples }
        for batch in commit.batches { batches[batch.number] = Batch(shard: batch.shard, samples: batch.samples) }
        if let requests = commit.requests { self.requests = requests }
    }

    /// Everything in this is in `other`, too, with the same content.
    func isPart(of other: SpoolModel) -> Bool {
        series.allSatisfy { other.series[$0.key] == $0.value } && blocks.allSatisfy { other.blocks[$0.key] == $0.value }
            && batches.allSatisfy { other.batches[$0.key] == $0.value }
            && (requests == nil || requests == other.requests)
    }

    /// A commit as a delivery makes them: new samples, the oldest block becomes a batch, a batch was accepted.
    func nextCommit(_ number: Int64, using random: inout SeededGenerator) -> SpoolCommit {
        var commit = SpoolCommit()
        commit.isDurable = Bool.random(using: &random)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            commit.series.append(SpoolFixture.series(series.count + commit.series.count))
        }
        commit.blocks = [SpooledBlock(number: number, samples: SpoolFixture.samples(number))]
        if let oldest = blocks.keys.min(), blocks.count > 20 || Bool.random(using: &random) {
            commit.removedBlocks = [oldest]
            commit.batches = [
                SpooledBatch(number: oldest, shard: Int(oldest % 8), samples: SpoolFixture.samples(oldest))
            ]
        }
        if batches.count > 10 { commit.removedBatches = [batches.keys.min() ?? 0] }
        if number % 7 == 0 {
            commit.requests = SpooledRequests(
                shards: Int(number % 5), message: [.v1, .v2, nil][Int(number % 3)],
                endpoint: "http://127.0.0.1/\(number)")
        }
        return commit
    }
}
