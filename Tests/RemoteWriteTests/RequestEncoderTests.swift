import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Requests of version 2.0, read by the decoder of the tests and by `protoc`; and both messages of the same samples.
@Suite struct RequestEncoderTests {
    private func v2(_ fixture: inout SeriesTableFixture) throws -> WriteRequest {
        try WriteRequest(compressed: fixture.encoded(fixture.block, as: .v2), .v2)
    }

    private func series(_ name: String, _ request: WriteRequest) throws -> WriteRequest.TimeSeries {
        try #require(request.series.first { $0.name == name })
    }

    private func expect(
        _ series: WriteRequest.TimeSeries, _ type: WriteRequest.MetricType, _ help: String, unit: String
    ) {
        #expect(series.metadata?.type == type && series.metadata?.help == help && series.metadata?.unit == unit)
    }

    @Test func `a new counter has its start beside its zero, and metadata`() throws {
        var fixture = try SeriesTableFixture()
        _ = try fixture.tick(15)
        let counter = try #require(fixture.registry.counter("t_bytes_total", "Bytes of all kinds.").series())
        counter.increment(by: 3)
        #expect(fixture.read(milliseconds: 30_000) == .made)
        let first = try series("t_bytes_total", v2(&fixture))
        #expect(
            first.samples == [
                .init(bits: 0, milliseconds: 15_000, start_ms: 15_000),
                .init(bits: (3.0).bitPattern, milliseconds: 30_000, start_ms: 15_000),
            ])
        expect(first, .counter, "Bytes of all kinds.", unit: "bytes")
        #expect(fixture.read(milliseconds: 45_000) == .made)
        #expect(
            try series("t_bytes_total", v2(&fixture)).samples == [
                .init(bits: (3.0).bitPattern, milliseconds: 45_000, start_ms: 15_000)
            ])
    }

    @Test func `a gauge has no start, and every series of a histogram has the same`() throws {
        var fixture = try SeriesTableFixture()
        _ = try fixture.tick(15)
        try #require(fixture.registry.gauge("t_now", "T.").series()).set(1)
        try #require(fixture.registry.histogram("t_wait_seconds", "T.", bounds: [1]).series()).observe(0.5)
        #expect(fixture.read(milliseconds: 30_000) == .made)
        let request = try v2(&fixture)
        #expect(try series("t_now", request).samples.map(\.start_ms) == [0])
        expect(try series("t_now", request), .gauge, "T.", unit: "")
        for name in ["t_wait_seconds_bucket", "t_wait_seconds_sum", "t_wait_seconds_count"] {
            let one = try series(name, request)
            #expect(one.samples.map(\.start_ms) == [15_000, 15_000])
            expect(one, .histogram, "T.", unit: "seconds")
        }
    }

    @Test func `a counter that was there at the first reading has the time at which it began`() throws {
        let registry = Registry(maxSeries: 100, clock: { Timestamp(milliseconds: 7_000) })
        let counter = try #require(registry.counter("t_total", "T.").series(created: Timestamp(milliseconds: 4_000)))
        counter.increment()
        var table = SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i"),
            schedule: .init(pushInterval: .seconds(15), idleInterval: .seconds(15)))
        var reader = RegistryReader(registry)
        var block = SampleBlock()
        #expect(table.take(reader.read(at: Timestamp(milliseconds: 15_000)), into: &block) == .made)
        var encoder = RequestEncoder()
        var body: [UInt8] = []
        _ = encoder.encode(
            block.samples[...], base: block.base, as: .v2, withMetadata: false, &table, into: &body)
        let request = try WriteRequest(compressed: body, .v2)
        #expect(try series("t_total", request).samples.map(\.start_ms) == [4_000])
        #expect(try series("up", request).samples.map(\.start_ms) == [0])
    }

    @Test func `the labels that all series have come first among the symbols, and each text once`() throws {
        var fixture = try SeriesTableFixture(external: [(name: "region", value: "eu")])
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        for number in 0..<500 { try #require(family.series([String(number)])).set(number) }
        _ = try fixture.tick(15)
        let request = try v2(&fixture)
        #expect(Array(request.symbols.prefix(8)) == ["", "__name__", "job", "j", "instance", "i", "region", "eu"])
        #expect(Set(request.symbols).count == request.symbols.count && request.unusedSymbols == 0)
    }

    @Test func `both messages hold the same series and samples`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        var fixture = try SeriesTableFixture()
        let counters = fixture.registry.counter("t_total", "T.", labels: ["a", "b"])
        let histograms = fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for tick in 1...20 as ClosedRange<Int64> {
            for _ in 0..<20 {
                let names = [String(Int.random(in: 0..<30, using: &random)), "é\"\\\n"]
                counters.series(names)?.increment(by: Double(Int.random(in: 0...3, using: &random)))
                histograms.series([names[0]])?.observe(1.5)
                if Int.random(in: 0..<9, using: &random) == 0 { counters.end(names) }
            }
            #expect(fixture.read(milliseconds: 15_000 * tick) == .made)
            let old = try WriteRequest(compressed: fixture.encoded(fixture.block))
            let new = try v2(&fixture)
            #expect(old.series.map(\.text) == new.series.map(\.text), "seed \(seed)")
            for (a, b) in zip(old.series, new.series) {
                #expect(a.samples.map(\.bits) == b.samples.map(\.bits), "seed \(seed)")
                #expect(a.samples.map(\.milliseconds) == b.samples.map(\.milliseconds), "seed \(seed)")
                #expect(b.samples.allSatisfy { $0.start_ms <= $0.milliseconds }, "seed \(seed)")
            }
        }
    }

    // MARK: Backlogs

    @Test func `readings that wait are sent together, each series once with all of its samples`() throws {
        var fixture = try SeriesTableFixture()
        fixture.settles = false
        var delivery = Delivery(DeliverySettings())
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        let time = MonotonicTime(nanoseconds: 0)
        for tick in 1...10 as ClosedRange<Int64> {
            counter.increment()
            #expect(fixture.read(milliseconds: 15_000 * tick) == .made)
            delivery.enqueue(fixture.block, &fixture.table)
        }
        guard case .send(let attempt) = delivery.next(at: time, &fixture.table) else {
            Issue.record("nothing to send")
            return
        }
        let request = try WriteRequest(compressed: attempt.body)
        #expect(Set(request.series.map(\.text)).count == request.series.count)
        let one = try series("t_total", request)
        #expect(one.samples.map(\.value) == (1...10).map(Double.init))
        #expect(one.samples.map(\.milliseconds) == (1...10).map { 15_000 * $0 })
        _ = delivery.settle(
            shard: attempt.shard, .answer(204), at: time, wall: Timestamp(seconds: 0), &fixture.table)
        #expect(delivery.isEmpty)
    }

    @Test func `version 1.0 tells the metadata of each family with the first request, and seldom again`() throws {
        var fixture = try SeriesTableFixture()
        fixture.settles = false
        _ = fixture.registry.counter("t_total", "Things.").series()
        var delivery = Delivery(DeliverySettings())
        var told: [Int64] = []
        for second in stride(from: 0 as Int64, to: 1_200, by: 60) {
            #expect(fixture.read(milliseconds: 1_000 * (second + 1)) == .made)
            delivery.enqueue(fixture.block, &fixture.table)
            let time = MonotonicTime(nanoseconds: second * 1_000_000_000)
            while case .send(let attempt) = delivery.next(at: time, &fixture.table) {
                let families = try WriteRequest(compressed: attempt.body).families
                if families.contains(where: { $0.family == "t_total" && $0.metadata.help == "Things." }) {
                    told.append(second)
                }
                _ = delivery.settle(
                    shard: attempt.shard, .answer(204), at: time, wall: Timestamp(seconds: 0), &fixture.table)
            }
        }
        #expect(told == [0, 540, 1_080])
    }
}
