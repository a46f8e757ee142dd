import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// The values that the suites for 2.0 want to see unchanged.
private let numbers: [String: Double] = [
    "123.45": 123.45, "42": 42, "0": 0, "-15.5": -15.5, "+Inf": .infinity, "-Inf": -.infinity, "NaN": .nan,
    "large": 1.797e308, "small": Double("2.2e-308") ?? 0, "1.23e-4": 1.23e-4, "precise": 0.123456789012345,
]

private func fill(_ registry: Registry) throws {
    let family = registry.gauge("test_value", "V.", labels: ["n"])
    for (name, value) in numbers { try #require(family.series([name])).set(value) }
}

/// The bits of all samples of one of these numbers.
private func bits(_ capture: Capture, _ name: String) -> Set<UInt64> {
    Set(capture.samples(of: #"test_value{instance="one",job="lkpush",n="\#(name)"}"#).map(\.bits))
}

/// The section *samples* of the suite for 2.0.
@Suite struct SampleLines {
    private static let plain = Result { try Exchange.capture(.auto, prepare: fill) }

    private func plain() throws -> Capture { try Self.plain.get().expectingAllV2() }

    private func expectUnchanged(_ name: String) throws {
        let value = try #require(numbers[name])
        #expect(try bits(plain(), name) == [value.bitPattern])
    }

    @Test func `samples: 123.45`() throws { try expectUnchanged("123.45") }
    @Test func `samples: 42`() throws { try expectUnchanged("42") }
    @Test func `samples: 0`() throws { try expectUnchanged("0") }
    @Test func `samples: -15.5`() throws { try expectUnchanged("-15.5") }
    @Test func `samples: +Inf`() throws { try expectUnchanged("+Inf") }
    @Test func `samples: -Inf`() throws { try expectUnchanged("-Inf") }
    @Test func `samples: >1e307`() throws { try expectUnchanged("large") }
    @Test func `samples: 0<v<1e-307`() throws { try expectUnchanged("small") }
    @Test func `samples: 1.23e-4`() throws { try expectUnchanged("1.23e-4") }
    @Test func `samples: precision`() throws { try expectUnchanged("precise") }

    @Test func `samples: NaN`() throws {
        // There is one NaN for data, and it is not the stale marker.
        #expect(try bits(plain(), "NaN") == [0x7FF8_0000_0000_0001])
    }

    @Test func `samples: timestamp in ms`() throws {
        let times = try plain().series.flatMap(\.samples).map(\.milliseconds)
        #expect(times.count > 50)
        #expect(times.allSatisfy { (1_000_000_000_001..<10_000_000_000_000_000).contains($0) })
    }

    @Test func `samples: timestamp_recent`() throws {
        let capture = try plain()
        let window = capture.began.milliseconds...(capture.ended.milliseconds + 2)
        #expect(capture.series.flatMap(\.samples).allSatisfy { window.contains($0.milliseconds) })
    }

    @Test func `samples: multiple_samples_same_series`() throws {
        let capture = try Backlog.capture(.auto)
        let longest = capture.series(named: "test_events_total").max { $0.samples.count < $1.samples.count }
        #expect(try #require(longest).samples.count >= 3)
    }

    @Test func `samples: job_instance_labels_present`() throws {
        for series in try plain().series {
            #expect(series.value(of: "job") == "lkpush" && series.value(of: "instance") == "one")
        }
    }

    @Test func `samples: TestSampleOrdering`() throws {
        let capture = try Backlog.capture(.auto)
        for (series, samples) in capture.log.accepted {
            let times = samples.map(\.milliseconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "\(series)")
        }
    }
}

/// A receiver that is away for a while, so that several samples of each series wait.
enum Backlog {
    static func capture(_ message: MessageChoice) throws -> Capture {
        let exchange = try Exchange(message, judges: true)
        try exchange.warmUp()
        exchange.receiver.answer(.init(503))
        #expect(exchange.fixture.run(readings: 10))
        exchange.receiver.answer(.init(204))
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        #expect(exchange.receiver.store.refusals == [])
        let readings = exchange.fixture.readings
        #expect(Double(capture.log.values("up" + Exchange.labels).count) == readings)
        return capture
    }
}

/// The newer framework, which looks at the first request only. A forced 2.0 begins without a probe.
@Suite struct FrameworkLines {
    private static let plain = Result {
        try Exchange.capture(
            .v2,
            // The first request goes before a second reading is made, on a busy machine too.
            settings: { $0.schedule = .init(pushInterval: .seconds(2), idleInterval: .seconds(2)) },
            prepare: { registry in
                try fill(registry)
                for name in 0..<6 { try #require(registry.gauge("test_\(name)", "V.").series()).set(101.13) }
                let counter = registry.counter("test_counted_total", "C.").series()
                try #require(counter).increment(by: 101.13)
                try #require(registry.histogram("test_h_seconds", "H.", bounds: [1]).series()).observe(0.5)
            })
    }

    private func first() throws -> (capture: Capture, request: WriteRequest) {
        let capture = try Self.plain.get().expectingAllV2()
        return (capture, try #require(capture.requests.first))
    }

    @Test func `framework: samples`() throws {
        let (capture, request) = try first()
        #expect(request.series.count > 6)
        #expect(request.series.allSatisfy { $0.samples.count == 1 })
        for name in (0..<6).map({ "test_\($0)" }) + ["test_counted_total"] {
            #expect(request.series(named: name).flatMap(\.samples).map(\.value) == [101.13])
        }
        #expect(request.series.flatMap(\.samples).allSatisfy { $0.milliseconds >= capture.began.milliseconds })
    }

    @Test func `framework: start timestamps`() throws {
        let capture = try StartTimestamps.capture()
        for name in ["test_counted_total", "test_h_seconds_count"] {
            let samples = capture.samples(name)
            #expect(samples.count > 1 && samples.allSatisfy { (1...$0.milliseconds).contains($0.start_ms) })
        }
    }

    @Test func `framework: samples sorted`() throws {
        let capture = try Backlog.capture(.v2)
        let three = capture.requests.first { request in
            request.series(named: "test_events_total").contains { $0.samples.count >= 3 }
        }
        for series in try #require(three).series {
            let times = series.samples.map(\.milliseconds)
            #expect(times == times.sorted())
        }
    }

    @Test func `framework: encoding_cases`() throws {
        let request = try first().request
        for (name, value) in numbers {
            let series = request.series(named: "test_value").filter { $0.value(of: "n") == name }
            let expected = value.isNaN ? 0x7FF8_0000_0000_0001 : value.bitPattern
            #expect(series.flatMap(\.samples).map(\.bits) == [expected], "\(name)")
        }
    }
}
