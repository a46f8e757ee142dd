import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Outages and ends of the process at any moment, with a spool, against a receiver that notes what must not happen.
@Suite struct SpoolChaosTests {
    /// A process that can end at any moment, and what outlives it: the registry, whose state the journal restores, the
    /// journal's memory of what was sent, the spool, and the receiver.
    private struct Run {
        let way: ChaosTests.Way
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
        /// The samples of each reading that was enqueued: time, and whether a kill may have taken it.
        var readings: [Int64] = []
        var kills = 0
        var readsV2: Bool
        /// Requests are answered too late, or not at all.
        var trouble = 0

        init(seed: UInt64, _ way: ChaosTests.Way, readsV2: Bool) throws {
            self.way = way
            self.readsV2 = readsV2
            random = SplitMix(seed: seed)
            let registry = Registry(maxSeries: 100_000)
            counters = registry.counter("t_total", "T.", labels: ["n"])
            histograms = registry.histogram("t_seconds", "T.", labels: ["n"], bounds: [1, 2])
            fixture = try SeriesTableFixture(push: 15, idle: way.idle, registry: registry)
            fixture.settles = false
            fixture.table.recordsKeys = true
            delivery = Self.delivery(way, seed)
        }

        private static func delivery(_ way: ChaosTests.Way, _ seed: UInt64) -> Delivery {
            var settings = DeliverySettings()
            settings.maxShards = way.shards
            settings.message = way.message
            settings.spool = SpoolBounds(bytes: 64 << 20, age: .seconds(86_400))
            var limits = BatchLimits(samples: way.samples)
            // Some requests are split because they grow over the cap.
            if seed.isMultiple(of: 3) { limits.compressed_bytes = 500 }
            return Delivery(settings, limits: limits, endpoint: "http://r/", seed: seed)
        }

        var time: MonotonicTime { MonotonicTime(nanoseconds: monotonic * 1_000_000) }
        var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }

        /// The process ends without a word, and the next one begins with what is on disk.
        mutating func kill() throws {
            kills += 1
            now += 1_000
            fixture = try SeriesTableFixture(push: 15, idle: way.idle, registry: fixture.registry)
            fixture.settles = false
            var state = ShippedState(lastReading: lastReading, labels: #"instance="i",job="j""#)
            state.series = shipped.sorted()
            fixture.restore(state)
            delivery = Self.delivery(way, random.next())
            if spool.exists {
                let contents = spool.contents
                if let newest = (contents.blocks + contents.batches).map(\.newest).max() {
                    #expect(newest < wall)
                }
                try tick(restoring: contents)
            } else {
                try tick()
            }
        }

        mutating func change() throws {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let name = String(Int.random(in: 0..<5, using: &random))
                switch Int.random(in: 0..<12, using: &random) {
                case 0: counters.end([name])
                case 1: histograms.end([name])
                case 2..<7: try #require(counters.series([name])).increment()
                default: try #require(histograms.series([name])).observe(1)
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

        /// Sends what can be sent now. Returns false if the process was killed meanwhile.
        mutating func send(killing: Bool) throws -> Bool {
            var underWay: [Delivery.Attempt] = []
            while true {
                if killing, Int.random(in: 0..<6, using: &random) == 0 { return false }
                if underWay.isEmpty || Bool.random(using: &random) {
                    switch delivery.next(at: time, &fixture.table) {
                    case .send(let attempt):
                        #expect(!underWay.contains { $0.shard == attempt.shard })
                        underWay.append(attempt)
                        continue
                    case .spool(let order):
                        // A kill comes before or after the transaction, never within it.
                        let isBefore = Bool.random(using: &random)
                        let dies = killing && Int.random(in: 0..<8, using: &random) == 0
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
            let dies = killing && Int.random(in: 0..<8, using: &random) == 0
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
    }

    private static func ways() -> [ChaosTests.Way] { ChaosTests.Way.all }

    @Test(arguments: ways(), [true, false])
    func `kills in outages cost one tick each, and never two values or another order`(
        _ way: ChaosTests.Way, _ readsV2: Bool
    ) throws {
        for _ in 0..<8 {
            let seed = UInt64.random(in: 0 ... .max)
            var run = try Run(seed: seed, way, readsV2: readsV2)
            try run.tick()
            for round in 0..<60 {
                if Int.random(in: 0..<6, using: &run.random) == 0 {
                    run.trouble = [0, 5, 10, 10].randomElement(using: &run.random) ?? 0
                }
                if Int.random(in: 0..<20, using: &run.random) == 0 { run.readsV2.toggle() }
                run.now += 15_000
                run.monotonic += 15_000
                try run.change()
                try run.tick()
                let kills = round > 4 && Int.random(in: 0..<8, using: &run.random) == 0
                if try !run.send(killing: kills) { try run.kill() }
            }
            run.trouble = 0
            for _ in 0..<2_000 where !run.delivery.isEmpty {
                run.now += 60_000
                run.monotonic += 60_000
                _ = try run.send(killing: false)
            }
            #expect(run.delivery.isEmpty, "seed \(seed)")
            #expect(run.receiver.contradictions.isEmpty, "seed \(seed)")
            #expect(run.receiver.reorderings.isEmpty, "seed \(seed)")
            // `up` is in every reading, so it tells which readings are missing.
            let ups = Set((run.receiver.stored[#"up{instance="i",job="j"}"#] ?? []).map(\.milliseconds))
            let missing = run.readings.filter { !ups.contains($0) }
            #expect(missing.count <= run.kills, "seed \(seed): \(missing) of \(run.readings), \(run.kills) kills")
            #expect(run.delivery.statistics.droppedInAll == 0, "seed \(seed)")
            #expect(!run.spool.exists, "seed \(seed)")
        }
    }
}
