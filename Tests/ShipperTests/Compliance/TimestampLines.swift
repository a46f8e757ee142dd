import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A counter and a histogram that begin while the program runs, and a gauge.
enum StartTimestamps {
    static func capture() throws -> Capture {
        try Exchange.capture(
            .auto, prepare: { _ in },
            later: { registry in
                try #require(registry.counter("test_counted_total", "C.").series()).increment(by: 5)
                try #require(registry.histogram("test_h_seconds", "H.", bounds: [1]).series()).observe(0.5)
                try #require(registry.gauge("test_value", "V.").series()).set(3)
            }
        ).expectingAllV2()
    }
}

/// The section *timestamps* of the suite for 2.0.
@Suite struct TimestampLines {
    private static let plain = Result { try StartTimestamps.capture() }

    private func plain() throws -> Capture { try Self.plain.get() }

    @Test func `timestamps: int64 ms`() throws {
        for request in try plain().recorded {
            let raw = try SnappyBlock.decode(request.body)
            #expect(try WriteRequest(protoc: raw, .v2) == request.decoded().asProtocTells)
        }
    }

    @Test func `timestamps: ordered within series`() throws {
        for (series, samples) in try plain().log.accepted {
            let times = samples.map(\.milliseconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "\(series)")
        }
    }

    @Test func `timestamps: start_timestamp of counters`() throws {
        let samples = try plain().samples("test_counted_total")
        let first = try #require(samples.first)
        // A zero at the time of the reading before, beside its own time as the start: not every receiver reads starts.
        #expect(first.value == 0 && first.start_ms == first.milliseconds)
        #expect(samples.dropFirst().first?.value == 5)
        #expect(samples.allSatisfy { $0.start_ms == first.milliseconds })
    }

    @Test func `timestamps: start_timestamp of histograms`() throws {
        let capture = try plain()
        let series = capture.log.accepted.keys.filter { $0.hasPrefix("test_h_seconds_") }
        #expect(series.count == 4)
        for one in series {
            let samples = capture.samples(of: one)
            let first = try #require(samples.first)
            #expect(first.value == 0 && samples.count > 1)
            #expect(samples.allSatisfy { $0.start_ms == first.milliseconds }, "\(one)")
        }
    }

    @Test func `timestamps: 0 is unset`() throws {
        let capture = try plain()
        let gauges = capture.series.filter { $0.metadata?.type == .gauge }
        #expect(gauges.contains { $0.name == "test_value" } && gauges.contains { $0.name == "up" })
        #expect(gauges.flatMap(\.samples).allSatisfy { $0.start_ms == 0 })
    }

    @Test func `timestamps: ms precision`() throws {
        let times = Set(try plain().series.flatMap(\.samples).map { $0.milliseconds % 1_000 })
        #expect(times.count > 2, "all times are whole seconds")
    }

    @Test func `timestamps: at most 5 min in the future`() throws {
        let clock = ShiftedTime()
        let exchange = try Exchange(.auto, time: clock)
        try exchange.warmUp()
        clock.shift(.seconds(3_600))
        #expect(eventually { exchange.fixture.own("readings_skipped_total") >= 3 })
        let capture = exchange.stop().expectingAllV2()
        let limit = capture.ended.milliseconds + 300_000
        #expect(capture.series.flatMap(\.samples).allSatisfy { $0.milliseconds < limit })
    }

    @Test func `timestamps: start at most the sample's time`() throws {
        let samples = try plain().series.flatMap(\.samples)
        #expect(samples.contains { $0.start_ms > 0 })
        #expect(samples.allSatisfy { $0.start_ms <= $0.milliseconds })
    }
}
