import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// The lines of the first compliance suite, which is for 1.0. The article *RemoteWriteCompliance* has all of them.
@Suite struct RemoteWrite1Lines {
    private static let plain = Result {
        try Exchange.capture(
            .v1,
            prepare: { registry in
                let histogram = try #require(registry.histogram("test_h_seconds", "H.", bounds: [1, 2]).series())
                for value in [0.5, 1.5, 9] { histogram.observe(value) }
                let own = registry.gauge("test_own", "O.", labels: ["job", "empty", "zone"])
                try #require(own.series(["another", "", "b"])).set(1)
                _ = registry.gauge("test_ends", "E.", labels: ["n"]).series(["1"])
            })
    }

    private func plain() throws -> Capture {
        let capture = try Self.plain.get()
        #expect(capture.log.violations == [])
        #expect(capture.requests.count >= 6)
        return capture
    }

    @Test func `1.0: Counter`() throws {
        let exchange = try Exchange(.v1)
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 10))
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        let values = capture.samples("test_events_total").map(\.value)
        #expect(values.first == 0 && values.last == exchange.fixture.events.value)
        let steps = zip(values, values.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 >= 0 })
        // A reading that became one with the next leaves its event to that one. So does one that read the counter just
        // before the event.
        #expect(steps.reduce(0) { $0 + max(0, $1 - 2) } <= exchange.fixture.mergedReadings)
    }

    @Test func `1.0: Gauge`() throws {
        let exchange = try Exchange(.v1)
        let gauge = try #require(exchange.registry.gauge("test_time", "T.").series())
        let set = Monitor([Double]())
        exchange.registry.onRead {
            let now = SystemTime().now().seconds
            gauge.set(now)
            set.change { $0.append(now) }
        }
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        let values = exchange.stop().samples("test_time").map(\.value)
        #expect(values == values.sorted() && Double(values.count) == exchange.fixture.readings)
        #expect(set.withLock { Set($0) }.isSuperset(of: values))
    }

    @Test func `1.0: Histogram`() throws {
        let log = try plain().log
        let buckets = ["1", "2", "+Inf"].map { #"test_h_seconds_bucket{instance="one",job="lkpush",le="\#($0)"}"# }
        let all = buckets + ["test_h_seconds_sum", "test_h_seconds_count"].map { $0 + Exchange.labels }
        #expect(all.map { log.values($0).first } == [1, 2, 3, 11, 3])
        #expect(Set(all.map { log.values($0).count }).count == 1)
        #expect(log.accepted.keys.count { $0.hasPrefix("test_h_seconds") } == 5)
    }

    @Test func `1.0: Up`() throws {
        let values = try plain().samples("up").map(\.value)
        #expect(values.count >= 6 && Set(values) == [1])
    }

    @Test func `1.0: JobLabel`() throws {
        for series in try plain().series {
            #expect(series.value(of: "job") == (series.name == "test_own" ? "another" : "lkpush"))
        }
    }

    @Test func `1.0: InstanceLabel`() throws {
        #expect(try plain().series.allSatisfy { $0.value(of: "instance") == "one" })
    }

    @Test func `1.0: SortedLabels`() throws {
        let series = try plain().series
        #expect(series.contains { $0.names.count > 3 })
        #expect(series.allSatisfy { $0.names == $0.names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } })
    }

    @Test func `1.0: RepeatedLabels`() throws {
        let series = try plain().series
        #expect(series.allSatisfy { Set($0.names).count == $0.names.count })
        // Its own label stands in the place of the common one.
        #expect(Set(series.filter { $0.name == "test_own" }.map { $0.value(of: "job") }) == ["another"])
    }

    @Test func `1.0: EmptyLabels`() throws {
        let series = try plain().series
        #expect(series.allSatisfy { !$0.names.contains("") && !$0.values.contains("") })
        #expect(series.contains { $0.name == "test_own" })
        #expect(series.allSatisfy { !$0.names.contains("empty") })
    }

    @Test func `1.0: NameLabel`() throws {
        #expect(try plain().series.allSatisfy { !$0.name.isEmpty && $0.names.count { $0 == "__name__" } == 1 })
    }

    @Test func `1.0: Staleness`() throws {
        let exchange = try Exchange(.v1)
        let family = exchange.registry.gauge("test_ends", "E.", labels: ["n"])
        try #require(family.series(["1"])).set(7)
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 2))
        family.end(["1"])
        let series = #"test_ends{instance="one",job="lkpush",n="1"}"#
        #expect(exchange.receiver.wait { WriteLog($0).accepted[series]?.last?.isStale == true })
        let samples = try #require(exchange.stop().log.accepted[series])
        #expect(samples.dropLast().allSatisfy { $0.value == 7 })
        #expect(samples.last?.bits == 0x7FF0_0000_0000_0002)
    }

    @Test func `1.0: Timestamp`() throws {
        let capture = try plain()
        // The last two samples of a series are 1 ms apart: the values and the markers of the stop.
        let window = capture.began.milliseconds...(capture.ended.milliseconds + 2)
        for (_, samples) in capture.log.accepted {
            let times = samples.map(\.milliseconds)
            #expect(times.allSatisfy { window.contains($0) })
            #expect(times == times.sorted())
        }
    }

    @Test func `1.0: Headers`() throws {
        for request in try plain().recorded {
            #expect(request.headers["content-encoding"] == "snappy")
            #expect(request.headers["content-type"] == "application/x-protobuf")
            #expect(request.headers["x-prometheus-remote-write-version"] == "0.1.0")
        }
    }

    @Test(arguments: [1, 8])
    func `1.0: Ordering`(_ shards: Int) throws {
        // Delays of up to 50 ms stand for 5 s. Every fifth request fails.
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        let script = (0..<40).map { _ in
            ScriptedReceiver.Answer(
                Int.random(in: 0..<5, using: &random) == 0 ? 503 : 204,
                delay: .milliseconds(Int64.random(in: 0...50, using: &random)))
        }
        let exchange = try Exchange(.v1, script: script, judges: true) {
            $0.schedule = .init(pushInterval: .milliseconds(100), idleInterval: .milliseconds(100))
            $0.batches.samples = 300
            $0.delivery.maxShards = shards
        }
        let family = exchange.registry.counter("test_many_total", "M.", labels: ["n"])
        let counters = try (0..<1_000).map { try #require(family.series([String($0)])) }
        exchange.registry.onRead { for counter in counters { counter.increment() } }
        try exchange.begin()
        #expect(exchange.receiver.waitForAnswers(40))
        let capture = exchange.stop()
        #expect(capture.log.violations == [], "seed \(seed)")
        #expect(exchange.receiver.store.refusals == [], "seed \(seed)")
        let series = capture.log.series(of: "test_many_total")
        #expect(series.count == 1_000)
        let merged = exchange.fixture.mergedReadings
        for one in series {
            // No reading is missing but those that became one with the next, on a busy machine.
            let values = capture.log.values(one)
            #expect(values.allSatisfy { $0 >= 1 && $0 == $0.rounded() }, "seed \(seed) \(one)")
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed) \(one)")
            #expect(try #require(values.last) - Double(values.count) <= merged, "seed \(seed) \(one)")
        }
    }

    @Test func `1.0: Retries500`() throws {
        let exchange = try Exchange(.v1, script: [.init(204), .init(500)])
        try exchange.begin()
        #expect(exchange.receiver.waitForAnswers(4))
        let capture = exchange.stop()
        let bodies = capture.bodies(500)
        #expect(bodies.count == 1)
        #expect(capture.recorded.count { bodies.contains($0.body) && $0.isAccepted } == 1)
        #expect(capture.log.violations == [])
    }

    @Test func `1.0: Retries400`() throws {
        let exchange = try Exchange(.v1, script: [.init(204), .init(400)])
        try exchange.begin()
        #expect(exchange.receiver.waitForAnswers(6))
        let capture = exchange.stop()
        let refused = try #require(capture.recorded.first { $0.answer.status == 400 })
        #expect(try !refused.decoded().series.isEmpty)
        for series in try refused.decoded().series {
            let accepted = capture.log.accepted[series.text] ?? []
            #expect(!series.samples.contains { accepted.contains($0) }, "\(series.text)")
        }
    }
}

/// The lines of the later suite about 1.0.
@Suite struct RemoteWrite1CompatibilityLines {
    private static let plain = Result {
        try Exchange.capture(
            .v1,
            prepare: { registry in
                try #require(registry.gauge("test_value", "V.").series()).set(3.25)
                try #require(registry.histogram("test_h_seconds", "H.", bounds: [1]).series()).observe(0.5)
            })
    }

    private func plain() throws -> Capture {
        let capture = try Self.plain.get()
        #expect(capture.log.violations == [])
        #expect(capture.requests.allSatisfy { $0.version == .v1 })
        return capture
    }

    @Test func `rw1_compat: 0.1.0`() throws {
        #expect(try plain().recorded.allSatisfy { $0.headers["x-prometheus-remote-write-version"] == "0.1.0" })
    }

    @Test func `rw1_compat: bare content type`() throws {
        #expect(try plain().recorded.allSatisfy { $0.headers["content-type"] == "application/x-protobuf" })
    }

    @Test func `rw1_compat: samples`() throws {
        let capture = try plain()
        #expect(Set(capture.samples("test_value").map(\.value)) == [3.25])
        for request in capture.recorded {
            let raw = try SnappyBlock.decode(request.body)
            #expect(try WriteRequest(protoc: raw, .v1) == WriteRequest(raw: raw).asProtocTells)
        }
    }

    @Test func `rw1_compat: labels`() throws {
        #expect(try plain().series.allSatisfy { Set(["__name__", "instance", "job"]).isSubset(of: $0.names) })
    }

    /// The decoder of 1.0 takes field 4 of a series for a fault, and `protoc` has no name for it.
    @Test func `rw1_compat: no native histograms`() throws {
        let capture = try plain()
        #expect(capture.requests.allSatisfy { $0.histogramCount == 0 })
        #expect(!capture.series(named: "test_h_seconds_bucket").isEmpty)
    }

    @Test func `rw1_compat: no start timestamps`() throws {
        #expect(try plain().series.flatMap(\.samples).allSatisfy { $0.start_ms == 0 })
    }

    @Test func `rw1_compat: no symbols`() throws {
        let capture = try plain()
        #expect(capture.requests.count == capture.recorded.count, "field 4 of a request cannot be read")
        #expect(capture.requests.allSatisfy { $0.symbols.isEmpty })
    }
}
