import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The section *batching* of the suite for 2.0.
@Suite struct BatchingLines {
    private static let large = Result {
        try Exchange.capture(
            .auto,
            settings: { settings in
                settings.schedule = .init(pushInterval: .milliseconds(500), idleInterval: .milliseconds(500))
            },
            prepare: { registry in
                for (family, count) in [("few", 3), ("some", 100), ("most", 7_000)] {
                    let gauge = registry.gauge("test_\(family)", "Many: \(family).", labels: ["n"])
                    for number in 0..<count { try #require(gauge.series([String(number)])).set(Double(number)) }
                }
            })
    }

    private func large() throws -> Capture { try Self.large.get().expectingAllV2() }

    @Test func `batching: several series and names in a request`() throws {
        let requests = try large().requests
        #expect(requests.contains { $0.series.count >= 3 && Set($0.series.map(\.name)).count >= 2 })
    }

    @Test func `batching: 1 to 10000 series per request`() throws {
        let capture = try large()
        #expect(capture.requests.allSatisfy { (1...5_000).contains($0.series.count) && $0.sampleCount <= 5_000 })
        #expect(capture.requests.contains { $0.series.count > 2_000 })
        #expect(Set(capture.series(named: "test_most").map(\.text)).count == 7_000)
    }

    @Test func `batching: varying cardinality`() throws {
        let log = try large().log
        for (name, count) in [("few", 3), ("some", 100), ("most", 7_000)] {
            #expect(log.series(of: "test_\(name)").count == count)
        }
    }

    @Test func `batching: each symbol once`() throws {
        for request in try large().requests {
            #expect(Set(request.symbols).count == request.symbols.count && request.unusedSymbols == 0)
        }
    }

    @Test func `batching: metadata`() throws {
        let requests = try large().requests
        #expect(requests.contains { Set($0.series.compactMap { $0.metadata?.help }).count >= 3 })
        #expect(requests.allSatisfy { $0.series.allSatisfy { $0.metadata != nil } })
    }

    /// Series are divided among shards while there is a backlog. Each has one request under way.
    @Test func `batching: TestConcurrentRequests`() throws {
        let exchange = try Exchange(.auto, judges: true) {
            $0.schedule = .init(pushInterval: .milliseconds(100), idleInterval: .milliseconds(100))
            $0.batches.samples = 100
            $0.delivery.maxShards = 4
        }
        let gauge = exchange.registry.gauge("test_many", "Many.", labels: ["n"])
        for number in 0..<300 { try #require(gauge.series([String(number)])).set(Double(number)) }
        try exchange.warmUp()
        // Each answer takes longer than the time in which a reading needs three.
        exchange.receiver.answer(.init(204, delay: .milliseconds(60)))
        #expect(exchange.receiver.wait { requests in requests.count { !$0.wasAnswered } >= 2 })
        exchange.receiver.answer(.init(204))
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued)
        #expect(exchange.seen.log.violations == [] && exchange.receiver.store.refusals == [])
    }
}

/// The section *edge_cases* of the suite for 2.0.
@Suite struct EdgeCaseLines {
    private static let longName = "test_" + String(repeating: "very_long_", count: 75) + "name"

    private static let plain = Result {
        try Exchange.capture(
            .auto,
            settings: { settings in
                let long = String(repeating: "x", count: 10_240)
                settings.labels = try CommonLabels(job: "lkpush", instance: "one", external: [("long", long)])
            },
            prepare: { registry in
                let room = registry.gauge("test_room", "R.", labels: ["room"])
                try #require(room.series(["Réunion 会議 🎉"])).set(1)
                for number in 0..<200 { try #require(room.series([String(number)])).set(Double(number)) }
                try #require(registry.gauge(longName, "Long.").series()).set(1)
                let value = registry.gauge("test_value", "V.", labels: ["n"])
                for (name, number) in [("nan", Double.nan), ("inf", .infinity), ("zero", 0), ("minus", -4)] {
                    try #require(value.series([name])).set(number)
                }
                try #require(registry.counter("a:b:c_total", "Colons.").series()).increment()
                try #require(registry.histogram("test_h_seconds", "H.", bounds: [1]).series()).observe(0.5)
            })
    }

    private func plain() throws -> Capture { try Self.plain.get().expectingAllV2() }

    /// Nothing but the shipper's own series.
    @Test func `edge_cases: empty scrape`() throws {
        let capture = try Exchange.capture(.auto, prepare: { _ in }).expectingAllV2()
        #expect(capture.samples("up").count >= 6)
        #expect(!capture.series.contains { $0.name.hasPrefix("test_") && $0.name != "test_events_total" })
    }

    @Test func `edge_cases: 10 KB label value`() throws {
        #expect(try plain().series.allSatisfy { $0.value(of: "long")?.utf8.count == 10_240 })
    }

    @Test func `edge_cases: Unicode`() throws {
        #expect(try plain().series(named: "test_room").contains { $0.value(of: "room") == "Réunion 会議 🎉" })
    }

    @Test func `edge_cases: many series`() throws {
        #expect(try plain().requests.contains { $0.series.count >= 10 })
    }

    @Test func `edge_cases: high cardinality`() throws {
        let requests = try plain().requests
        #expect(requests.contains { Set($0.series(named: "test_room").map { $0.value(of: "room") }).count >= 20 })
    }

    @Test func `edge_cases: metric name of 750 characters`() throws {
        #expect(Self.longName.count > 750)
        #expect(try !plain().series(named: Self.longName).isEmpty)
    }

    @Test func `edge_cases: NaN, Inf, 0, negative`() throws {
        let expected: [String: Double] = ["inf": .infinity, "zero": 0, "minus": -4]
        let values = try plain().series(named: "test_value")
        for (name, value) in expected {
            let samples = values.filter { $0.value(of: "n") == name }.flatMap(\.samples).filter { !$0.isStale }
            #expect(Set(samples.map(\.bits)) == [value.bitPattern])
        }
        let nan = values.filter { $0.value(of: "n") == "nan" }.flatMap(\.samples).filter { !$0.isStale }
        #expect(Set(nan.map(\.bits)) == [0x7FF8_0000_0000_0001])
    }

    @Test func `edge_cases: names with colons`() throws {
        #expect(try !plain().series(named: "a:b:c_total").isEmpty)
    }

    @Test func `edge_cases: StaleNaN`() throws {
        // The stop ends every series, and only it does.
        for (series, samples) in try plain().log.accepted {
            #expect(samples.last?.bits == 0x7FF0_0000_0000_0002, "\(series)")
            #expect(samples.count { $0.isStale } == 1, "\(series)")
        }
    }

    @Test func `edge_cases: mixed families`() throws {
        let types = try plain().requests.map { Set($0.series.compactMap { $0.metadata?.type }) }
        #expect(types.contains([.counter, .gauge, .histogram]))
    }

    @Test func `edge_cases: TestRobustnessUnderLoad`() throws {
        #expect(try plain().requests.contains { $0.series(named: "test_room").count >= 200 })
    }
}
