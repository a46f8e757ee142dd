import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The trouble of a run, beside a receiver that is away for a while or loses answers.
enum SpoolChaos: CaseIterable, Sendable {
    /// The process ends at any moment.
    case kills
    /// It ends several times in a row, and the settings allow another number of requests at once each time.
    case shards
    /// The disk refuses commits for a while.
    case fullDisk
    /// The same, and the process ends meanwhile.
    case fullDiskAndKills
    /// Rows of the spool are lost.
    case damage
    /// The spool may have a few kilobytes.
    case bytes
    /// Samples may wait for a few minutes.
    case age
    /// The clock is set back in an outage.
    case clock
    /// The receiver refuses large requests.
    case tooLarge

    var hasKills: Bool { self != .fullDisk && self != .tooLarge }
    var hasFullDisk: Bool { self == .fullDisk || self == .fullDiskAndKills }
    /// Samples may be lost, and are counted then.
    var mayDrop: Bool { [.damage, .bytes, .age, .clock].contains(self) }
}

/// A process that can end at any moment, and what outlives it: the registry, whose state the journal restores, the
/// journal's memory of what was sent, the spool, and the receiver.
struct SpoolChaosRun {
    let chaos: SpoolChaos
    var way: ChaosTests.Way
    var fixture: SeriesTableFixture
    var delivery: Delivery
    var spool = MemorySpool()
    var receiver = StrictReceiver()
    var shipped: Set<SeriesKey> = []
    var lastReading: Timestamp?
    var random: SplitMix
    var now: Int64 = 0
    var monotonic: Int64 = 0
    let counters: Family<Counter>
    let histograms: Family<Histogram>
    /// The times of the readings that were enqueued.
    var readings: [Int64] = []
    /// Every sample that was enqueued.
    var made: Set<String> = []
    var increments: [String: Double] = [:]
    var kills = 0
    /// The samples that were in memory only when the process ended.
    var killed = 0
    /// The samples in rows that were lost. A process that ends before it reads them cannot count them.
    var damaged = 0
    /// The samples that were counted as lost, or as maybe lost, in processes before this one.
    var lostBefore: UInt64 = 0
    var readsV2: Bool
    /// Of ten requests, those that are answered too late, or not at all.
    var trouble = 0

    init(seed: UInt64, _ chaos: SpoolChaos) throws {
        random = SplitMix(seed: seed)
        self.chaos = chaos
        way = ChaosTests.Way.all[Int.random(in: ChaosTests.Way.all.indices, using: &random)]
        readsV2 = Bool.random(using: &random)
        let registry = Registry(maxSeries: 100_000)
        counters = registry.counter("t_total", "T.", labels: ["n"])
        histograms = registry.histogram("t_seconds", "T.", labels: ["n"], bounds: [1, 2])
        if chaos == .tooLarge { try Self.addNoise(to: registry) }
        fixture = try SeriesTableFixture(push: 15, idle: way.idle, registry: registry)
        fixture.settles = false
        fixture.table.recordsKeys = true
        delivery = Self.delivery(way, chaos, seed)
    }

    /// Series whose labels make a request too large.
    private static func addNoise(to registry: Registry) throws {
        var random = SplitMix(seed: 1)
        let family = registry.gauge("t_noise", "T.", labels: ["a"])
        for _ in 0..<350 {
            let text = (0..<80).map { _ in String(random.next(), radix: 36) }.joined()
            try #require(family.series([text])).set(1)
        }
    }

    private static func delivery(_ way: ChaosTests.Way, _ chaos: SpoolChaos, _ seed: UInt64) -> Delivery {
        var settings = DeliverySettings()
        settings.maxShards = way.shards
        settings.message = way.message
        settings.spool = SpoolBounds(bytes: 64 << 20, age: .seconds(86_400))
        if chaos == .bytes { settings.spool?.bytes = 1_500 + Int(seed % 4) * 1_000 }
        if chaos == .age { settings.spool?.age = .seconds(60 + Int64(seed % 4) * 60) }
        var limits = BatchLimits(samples: chaos == .tooLarge ? 5_000 : way.samples)
        // Some requests are split because they grow over the cap.
        if chaos != .tooLarge && seed.isMultiple(of: 3) { limits.compressed_bytes = 500 }
        return Delivery(settings, limits: limits, endpoint: "http://r/", seed: seed)
    }

    var time: MonotonicTime { MonotonicTime(nanoseconds: monotonic * 1_000_000) }
    var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }

    mutating func happens(oneIn count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

    // MARK: Time

    /// A while in which trouble begins and ends, series change, and a reading is made and sent.
    mutating func step(mayKill: Bool) throws {
        if happens(oneIn: 6) { trouble = [0, 5, 10, 10].randomElement(using: &random) ?? 0 }
        if happens(oneIn: 20) { readsV2.toggle() }
        if chaos.hasFullDisk && happens(oneIn: 5) { spool.refuses.toggle() }
        if chaos == .damage && happens(oneIn: 6) { damage() }
        now += 15_000
        monotonic += 15_000
        if chaos == .clock && trouble > 0 && happens(oneIn: 4) { setClockBack() }
        try change()
        try tick()
        let kills = mayKill && chaos.hasKills && happens(oneIn: chaos == .shards ? 4 : 8)
        if try !send(killing: kills) {
            try kill()
            while chaos == .shards && Bool.random(using: &random) { try kill() }
            // The next process has until its next reading to send or to write the one that it began with.
            _ = try send(killing: false)
        }
    }

    /// The receiver and the disk are there again, and all that waits is sent.
    mutating func end() throws {
        trouble = 0
        spool.refuses = false
        for _ in 0..<2_000 where !delivery.isEmpty {
            now += 60_000
            monotonic += 60_000
            _ = try send(killing: false)
        }
    }

    /// The clock was ahead. What the receiver has is older than its new time.
    private mutating func setClockBack() {
        let newest = max(receiver.newest, 1_700_000_000_000) - 1_700_000_000_000
        guard newest + 1_000 < now - 15_000 else { return }
        now = Int64.random(in: (newest + 1_000)..<(now - 15_000), using: &random)
        fixture.table.setBack(to: wall)
        delivery.dropFuture(after: wall, &fixture.table)
        check()
    }

    private mutating func damage() {
        if let (number, block) = spool.blocks.min(by: { $0.key < $1.key }), Bool.random(using: &random) {
            damaged += block.count
            spool.lose(block: number)
        }
        if let (number, batch) = spool.batches.max(by: { $0.key < $1.key }) {
            damaged += batch.samples.count
            spool.lose(batch: number)
        }
    }

    /// The process ends without a word, and the next one begins with what is on disk.
    mutating func kill() throws {
        kills += 1
        let s = delivery.statistics
        killed += Int(s.pending) - s.spoolSamples
        lostBefore += s.droppedInAll + s.rejected + s.ambiguous
        now += 1_000
        let contents = spool.contents
        if let newest = (contents.blocks + contents.batches).map(\.newest).max(), newest >= wall {
            // The disk was not told that the clock was set back. No reading comes before what is there.
            #expect(chaos.hasFullDisk || chaos == .clock)
            now = newest.milliseconds - 1_700_000_000_000 + 1_000
        }
        fixture = try SeriesTableFixture(push: 15, idle: way.idle, registry: fixture.registry)
        fixture.settles = false
        var state = ShippedState(lastReading: lastReading, labels: #"instance="i",job="j""#)
        state.series = shipped.sorted()
        fixture.restore(state)
        if chaos == .shards { way.shards = Int.random(in: 1...5, using: &random) }
        delivery = Self.delivery(way, chaos, random.next())
        try tick(restoring: spool.exists ? contents : nil)
    }

    mutating func change() throws {
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let name = String(Int.random(in: 0..<5, using: &random))
            switch Int.random(in: 0..<12, using: &random) {
            case 0: counters.end([name])
            case 1: histograms.end([name])
            case 2..<7:
                try #require(counters.series([name])).increment()
                increments[#"t_total{instance="i",job="j",n="\#(name)"}"#, default: 0] += 1
            default:
                try #require(histograms.series([name])).observe(1)
                increments[#"t_seconds_count{instance="i",job="j",n="\#(name)"}"#, default: 0] += 1
            }
        }
    }

    mutating func tick(restoring contents: SpoolContents? = nil) throws {
        #expect(fixture.read(milliseconds: wall.milliseconds) == .made)
        if let contents { delivery.restore(contents, &fixture.table) }
        let (began, ended) = fixture.table.takeKeys()
        shipped.subtract(ended)
        shipped.formUnion(began)
        lastReading = wall
        for series in try WriteRequest(compressed: fixture.encoded(fixture.block)).series {
            for sample in series.samples { made.insert("\(series.text) \(sample.milliseconds)") }
        }
        delivery.noteTick(at: time)
        delivery.enqueue(fixture.block, &fixture.table)
        readings.append(wall.milliseconds)
        check()
    }

    func check() {
        let s = delivery.statistics
        #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
        #expect(s.spool_bytes >= 0 && s.spoolSamples >= 0 && s.pending >= UInt64(s.spoolSamples))
        #expect((s.pending == 0) == delivery.isEmpty)
    }

    // MARK: Sending

    /// Sends what can be sent now. Returns false if the process was killed meanwhile.
    mutating func send(killing: Bool) throws -> Bool {
        var underWay: [Delivery.Attempt] = []
        while true {
            if killing && happens(oneIn: 6) { return false }
            if underWay.isEmpty || Bool.random(using: &random) {
                switch delivery.next(at: time, &fixture.table) {
                case .send(let attempt):
                    #expect(!underWay.contains { $0.shard == attempt.shard })
                    underWay.append(attempt)
                    continue
                case .spool(let order):
                    // A kill comes before or after the transaction, never within it.
                    let isBefore = Bool.random(using: &random)
                    let dies = killing && happens(oneIn: 8)
                    if dies && isBefore { return false }
                    let answer = spool.carryOut(order)
                    if dies { return false }
                    delivery.take(answer, at: time, &fixture.table)
                    check()
                    continue
                case .idle, .wait: break
                }
            }
            if underWay.isEmpty { return true }
            let attempt = underWay.remove(at: Int.random(in: underWay.indices, using: &random))
            // A kill comes between the request and its answer.
            guard let outcome = try outcome(of: attempt, killing: killing) else { return false }
            _ = delivery.settle(shard: attempt.shard, outcome, at: time, wall: wall, &fixture.table)
            check()
        }
    }

    private mutating func outcome(of attempt: Delivery.Attempt, killing: Bool) throws -> Delivery.Outcome? {
        let dies = killing && happens(oneIn: 8)
        if chaos == .tooLarge && attempt.body.count > Delivery.Limits.split_bytes { return .answer(413) }
        if Int.random(in: 0..<10, using: &random) < trouble {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: return dies ? nil : .answer(503)
            case 1: return dies ? nil : .failed(mayHaveArrived: false)
            case 2: return dies ? nil : .answer(429)
            default:
                _ = try deliver(attempt)
                return dies ? nil : .failed(mayHaveArrived: true)
            }
        }
        let status = try deliver(attempt)
        let written: UInt64? =
            attempt.message == .v2 && readsV2 ? (status == 204 ? UInt64(attempt.samples) : 0) : nil
        return dies ? nil : .answer(status, written: written)
    }

    /// The receiver takes the request if it reads the message. Returns its status.
    private mutating func deliver(_ attempt: Delivery.Attempt) throws -> Int {
        if attempt.message == .v2 && !readsV2 { return 204 }
        let request = try WriteRequest(compressed: attempt.body, attempt.message == .v2 ? .v2 : .v1)
        return receiver.take(request) ? 204 : 400
    }

    // MARK: What arrived

    /// The samples that were made and did not arrive.
    var missing: [String] {
        var rest = made
        for (series, samples) in receiver.stored {
            for sample in samples { rest.remove("\(series) \(sample.milliseconds)") }
        }
        return rest.sorted()
    }

    /// The samples that were counted as lost, or as maybe lost, in all processes.
    var lost: UInt64 {
        let s = delivery.statistics
        return lostBefore + s.droppedInAll + s.rejected + s.ambiguous
    }

    /// The readings of which `up` did not arrive. It is in every reading.
    var missingReadings: [Int64] {
        let ups = Set((receiver.stored[#"up{instance="i",job="j"}"#] ?? []).map(\.milliseconds))
        return readings.filter { !ups.contains($0) }
    }
}
