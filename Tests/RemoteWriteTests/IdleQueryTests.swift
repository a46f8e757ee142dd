import HTTPClient
import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Queries about series that are pushed only when due. Two hours of readings, 15 s apart, are made with times in the
/// past, and written to a real Prometheus at once.
@Suite struct IdleQueryTests {
    /// One way to push the registry.
    private struct Pusher {
        var table: SeriesTable
        var encoder = RequestEncoder()
        var samples = 0

        init(_ job: String, idle: Duration) throws {
            table = SeriesTable(
                labels: try CommonLabels(job: job, instance: "one"),
                schedule: .init(pushInterval: .seconds(15), idleInterval: idle))
        }

        /// The body of a request with what is due.
        mutating func read(_ reading: RegistryReading) -> [UInt8] {
            var block = SampleBlock()
            #expect(table.take(reading, into: &block) == .made)
            table.noteAccepted(block.samples[...])
            samples += block.samples.count
            var body: [UInt8] = []
            _ = encoder.encode(
                block.samples[...], base: block.base, as: .v1, withMetadata: false, &table, into: &body)
            return body
        }
    }

    private func send(_ body: [UInt8], _ transport: Transport, _ url: EndpointURL) throws {
        _ = transport.start(
            Request(
                .post, url,
                headers: [
                    HTTPHeader(known: "Content-Encoding", "snappy"),
                    HTTPHeader(known: "Content-Type", "application/x-protobuf"),
                    HTTPHeader(known: "X-Prometheus-Remote-Write-Version", "0.1.0"),
                ], body: body))
        var completions: [Completion] = []
        while completions.isEmpty { transport.poll(until: nil, into: &completions) }
        guard case .response(let response) = completions[0].outcome, response.status == 204 else {
            Issue.record("\(completions[0])")
            return
        }
    }

    @Test func `with four times the idle interval, increases are within 10 % and active averages equal`() throws {
        let prometheus = try PrometheusServer()
        let transport = try Transport()
        let url = try #require(EndpointURL(prometheus.writeURL))
        let registry = Registry(maxSeries: 10_000)
        let counters = registry.counter("test_events_total", "T.", labels: ["pace"])
        let seconds = registry.counter("test_seconds_total", "T.", labels: ["pace"], cadence: .idleGrid)
        let histogram = registry.histogram("test_wait_seconds", "T.", labels: ["pace"], bounds: [10, 60, 600])
        let active = try #require(registry.gauge("test_active", "T.", cadence: .everyTick).series())
        let rare = try #require(registry.gauge("test_rare", "T.").series())
        var reader = RegistryReader(registry)
        var pushers = [try Pusher("every", idle: .seconds(15)), try Pusher("idle", idle: .seconds(60))]

        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        // The events per tick: from one in forty minutes to several at once.
        let paces = [0.006, 0.03, 0.1, 0.5, 3]
        let now = SystemTime().now().milliseconds
        let start = now - 2 * 3_600_000
        var level = 20.0
        for tick in 0..<480 {
            for pace in paces where Double.random(in: 0..<1, using: &random) < pace {
                let events = pace > 1 ? Int.random(in: 1...5, using: &random) : 1
                counters.series(["\(pace)"])?.increment(by: Double(events))
                histogram.series(["\(pace)"])?.observe(Double.random(in: 0...900, using: &random))
            }
            // Time passes in every series, more of it where there are more events.
            for pace in paces { seconds.series(["\(pace)"])?.increment(by: 15 * max(1, (level * pace).rounded())) }
            level = max(0, level + Double.random(in: -3...3, using: &random).rounded())
            active.set(level)
            if tick.isMultiple(of: 20) { rare.set(level) }
            let time = Timestamp(milliseconds: start + Int64(tick) * 15_000 + Int64.random(in: 0...20, using: &random))
            let reading = reader.read(at: time)
            for index in pushers.indices { try send(pushers[index].read(reading), transport, url) }
        }
        #expect(pushers[1].samples < pushers[0].samples * 7 / 10)

        for minutes in [15, 30, 60] {
            for at in [7_195, 6_300, 5_000] {
                let end = Double(start) / 1_000 + Double(at)
                for metric in [
                    "test_events_total", "test_seconds_total", "test_wait_seconds_count", "test_wait_seconds_sum",
                ] {
                    let known = Set(
                        try prometheus.query("\(metric) offset \(minutes)m", at: end).compactMap { $0.labels["pace"] })
                    for function in ["increase", "rate"] {
                        // If a series covers a range only in part, the range is effectively shorter.
                        let found = try prometheus.query("\(function)(\(metric)[\(minutes)m])", at: end)
                            .filter { known.contains($0.labels["pace"] ?? "") }
                        try compare(found, within: 0.1, "\(function) \(metric) \(minutes)m at \(at), seed \(seed)")
                    }
                }
                for metric in ["test_events_total", "test_wait_seconds_count"] {
                    let range = "\(metric)[\(minutes)m]"
                    let rise = try prometheus.query("max_over_time(\(range)) - min_over_time(\(range))", at: end)
                        .filter { $0.value > 0 }
                    try compare(rise, within: 0.001, "rise of \(range) at \(at), seed \(seed)")
                }
                let average = try prometheus.query("avg_over_time(test_active[\(minutes)m])", at: end)
                try compare(average, within: 0, "avg_over_time \(minutes)m at \(at), seed \(seed)")
            }
        }
        // No series is missing at any moment: the look-back bridges every gap.
        for expression in ["count by (job) ({__name__=~'test_events_total|test_rare'})"] {
            let counts = try prometheus.query(
                expression, from: Double(start) / 1_000 + 4_000, to: Double(start) / 1_000 + 7_190, step: 15)
            #expect(counts.count == 2)
            #expect(counts.first?.points.map(\.value) == counts.last?.points.map(\.value))
        }
    }

    private func compare(_ found: [PrometheusServer.Series], within share: Double, _ what: String) throws {
        let every = found.filter { $0.labels["job"] == "every" }
        #expect(!every.isEmpty)
        for one in every {
            let other = try #require(
                found.first { $0.labels["job"] == "idle" && $0.labels["pace"] == one.labels["pace"] }, "\(what)")
            #expect(
                abs(one.value - other.value) <= share * max(one.value, other.value),
                "\(what) pace \(one.labels["pace"] ?? ""): \(one.value) and \(other.value)")
        }
    }
}
