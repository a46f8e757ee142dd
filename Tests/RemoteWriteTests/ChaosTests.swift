import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Series table, writer and delivery together, against a receiver with Prometheus' rules, with random failures.
@Suite struct ChaosTests {
    /// A receiver that stores a whole request or nothing, as Prometheus does for remote write 1.0.
    private struct Receiver {
        var stored: [String: [WriteRequest.Sample]] = [:]

        /// Stores a request. Returns false and stores nothing if a sample is older than the newest of its series, or
        /// differs from one with the same time.
        mutating func take(_ request: WriteRequest) -> Bool {
            var next = stored
            for series in request.series {
                for sample in series.samples {
                    if let last = next[series.text]?.last {
                        if sample.milliseconds < last.milliseconds { return false }
                        if sample.milliseconds == last.milliseconds {
                            if sample.bits != last.bits { return false }
                            continue
                        }
                    }
                    next[series.text, default: []].append(sample)
                }
            }
            stored = next
            return true
        }

        /// The increase of a counter as `increase()` adds it up, without extrapolation.
        func increase(_ series: String) -> Double {
            let values = (stored[series] ?? []).filter { !$0.isStale }.map(\.value)
            return zip(values, values.dropFirst()).reduce(0) { $0 + ($1.1 < $1.0 ? $1.1 : $1.1 - $1.0) }
        }
    }

    private struct Run {
        var fixture: SeriesTableFixture
        var delivery: Delivery
        var receiver = Receiver()
        var random: SplitMix
        var now: Int64 = 0
        var increments: [String: Double] = [:]
        /// Bodies that were stored although their answer was lost.
        var storedBodies: Set<[UInt8]> = []
        let family: Family<Counter>
        let histograms: Family<Histogram>

        init(seed: UInt64, _ way: Way, queue: ByteCount) throws {
            fixture = try SeriesTableFixture(push: 15, idle: way.idle)
            fixture.settles = false
            var settings = DeliverySettings()
            settings.queue = queue
            settings.maxShards = way.shards
            settings.message = way.message
            delivery = Delivery(settings, samples: way.samples, seed: seed)
            random = SplitMix(seed: seed)
            family = fixture.registry.counter("t_total", "T.", labels: ["n"])
            histograms = fixture.registry.histogram("t_seconds", "T.", labels: ["n"], bounds: [1, 2])
        }

        var time: MonotonicTime { MonotonicTime(nanoseconds: now * 1_000_000) }
        var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }

        /// Ends some series that were read, and perhaps begins them again at once. Then it counts.
        mutating func change(ends: Bool = true) throws {
            if ends, Int.random(in: 0..<4, using: &random) == 0 {
                let name = String(Int.random(in: 0..<6, using: &random))
                family.end([name])
                histograms.end([name])
            }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let name = String(Int.random(in: 0..<6, using: &random))
                if Bool.random(using: &random) {
                    try #require(histograms.series([name])).observe(1)
                    increments[#"t_seconds_count{instance="i",job="j",n="\#(name)"}"#, default: 0] += 1
                } else {
                    try #require(family.series([name])).increment()
                    increments[#"t_total{instance="i",job="j",n="\#(name)"}"#, default: 0] += 1
                }
            }
        }

        mutating func tick() {
            #expect(fixture.read(milliseconds: wall.milliseconds) == .made)
            delivery.noteTick(at: time)
            delivery.enqueue(fixture.block, &fixture.table)
        }

        /// Sends what can be sent now. `trouble` of 10 requests fail. Requests of several shards are under way together,
        /// and arrive in any order.
        mutating func send(trouble: Int, refusals: Bool) throws {
            var underWay: [Delivery.Attempt] = []
            while true {
                if underWay.isEmpty || Bool.random(using: &random),
                    case .send(let attempt) = delivery.next(at: time, &fixture.table)
                {
                    #expect(!underWay.contains { $0.shard == attempt.shard })
                    underWay.append(attempt)
                    continue
                }
                if underWay.isEmpty { return }
                let attempt = underWay.remove(at: Int.random(in: underWay.indices, using: &random))
                let outcome = try outcome(of: attempt, trouble: trouble, refusals: refusals)
                _ = delivery.settle(shard: attempt.shard, outcome, at: time, wall: wall, &fixture.table)
                let s = delivery.statistics
                #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
            }
        }

        private mutating func outcome(
            of attempt: Delivery.Attempt, trouble: Int, refusals: Bool
        ) throws -> Delivery.Outcome {
            let request = try WriteRequest(
                compressed: attempt.body, attempt.message == .v2 ? .v2 : .v1)
            #expect(Set(request.series.map(\.text)).count == request.series.count, "a series comes once in a request")
            if Int.random(in: 0..<10, using: &random) < trouble {
                switch Int.random(in: 0..<(refusals ? 5 : 4), using: &random) {
                case 0: return .answer(503)
                case 1: return .failed(mayHaveArrived: false)
                case 2: return .failed(mayHaveArrived: true)
                case 3:
                    // The request was stored, but its answer was lost.
                    if receiver.take(request) { storedBodies.insert(attempt.body) }
                    return .failed(mayHaveArrived: true)
                default: return .answer(400, written: written(0, attempt))
                }
            }
            let isTaken = receiver.take(request)
            #expect(isTaken || storedBodies.contains(attempt.body), "a fresh request was out of order")
            return .answer(isTaken ? 204 : 400, written: written(isTaken ? UInt64(attempt.samples) : 0, attempt))
        }

        private func written(_ samples: UInt64, _ attempt: Delivery.Attempt) -> UInt64? {
            attempt.message == .v2 ? samples : nil
        }
    }

    /// The ways to send: one request after another, or several at once; small requests, or large ones of several
    /// readings; either message.
    struct Way: Sendable, CustomTestStringConvertible {
        var idle: Int64
        var shards = 1
        var samples = 7
        var message = MessageChoice.v1

        var testDescription: String { "idle \(idle), \(shards) shards, \(samples) samples, \(message)" }

        static let all = [
            Way(idle: 15), Way(idle: 60), Way(idle: 15, shards: 4), Way(idle: 60, shards: 3, samples: 400),
            Way(idle: 15, shards: 2, samples: 300, message: .auto), Way(idle: 60, samples: 900, message: .auto),
        ]
    }

    @Test(arguments: Way.all)
    func `trouble without loss changes no increase`(_ way: Way) throws {
        for _ in 0..<12 {
            let seed = UInt64.random(in: 0 ... .max)
            var run = try Run(seed: seed, way, queue: .mebibytes(32))
            run.tick()
            for _ in 0..<60 {
                run.now += 15_000
                try run.change()
                run.tick()
                try run.send(trouble: 5, refusals: false)
            }
            while !run.delivery.isEmpty {
                run.now += 60_000
                try run.send(trouble: 0, refusals: false)
            }
            // There are twelve series. About one run in two hundred leaves one out.
            #expect(run.increments.count > 6, "seed \(seed)")
            for (series, total) in run.increments {
                #expect(run.receiver.increase(series) == total, "seed \(seed) \(series)")
            }
            #expect(run.delivery.statistics.droppedInAll + run.delivery.statistics.rejected == 0)
        }
    }

    @Test(arguments: Way.all)
    func `loss and refusals never make an increase larger than the truth`(_ way: Way) throws {
        for _ in 0..<12 {
            let seed = UInt64.random(in: 0 ... .max)
            var run = try Run(seed: seed, way, queue: ByteCount(1_500))
            run.tick()
            var trouble = 2
            for _ in 0..<100 {
                // Times in which most requests succeed alternate with outages in which the queue overflows.
                if Int.random(in: 0..<8, using: &run.random) == 0 { trouble = trouble == 2 ? 10 : 2 }
                run.now += 15_000
                try run.change()
                run.tick()
                try run.send(trouble: trouble, refusals: trouble == 2)
            }
            while !run.delivery.isEmpty {
                run.now += 60_000
                try run.send(trouble: 0, refusals: false)
            }
            for (series, total) in run.increments {
                #expect(run.receiver.increase(series) <= total, "seed \(seed) \(series)")
            }
        }
    }

    @Test(arguments: Way.all)
    func `a memory that overflows costs samples and not one increment`(_ way: Way) throws {
        for _ in 0..<12 {
            let seed = UInt64.random(in: 0 ... .max)
            var run = try Run(seed: seed, way, queue: ByteCount(1_500))
            run.tick()
            try run.send(trouble: 0, refusals: false)
            for _ in 0..<4 {
                // Nothing is sent meanwhile: the receiver has asked for a long wait.
                for _ in 0..<15 {
                    run.now += 15_000
                    try run.change(ends: false)
                    run.tick()
                }
                try run.send(trouble: 0, refusals: false)
            }
            run.now += 15_000
            run.tick()
            try run.send(trouble: 0, refusals: false)
            #expect(run.delivery.isEmpty)
            #expect(run.delivery.statistics.droppedInAll > 0)
            for (series, total) in run.increments {
                #expect(run.receiver.increase(series) == total, "seed \(seed) \(series)")
            }
        }
    }
}
