import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// Queries give the same for pushed series as for scraped ones. 1 s stands for the 15 s of a scrape.
@Suite struct PushEqualsScrapeTests {
    private let time = SystemTime()

    @Test func `increase and rate of pushed series equal those of the same Prometheus scraping`() throws {
        let registry = Registry(maxSeries: 10_000)
        let server = try ExpositionServer(registry)
        let prometheus = try PrometheusServer(
            configuration: """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                - job_name: scraped
                  static_configs: [{targets: ["127.0.0.1:\(server.port)"], labels: {instance: one}}]
                """)
        var settings = ShipperSettings(
            url: try #require(EndpointURL(prometheus.writeURL)),
            labels: try CommonLabels(job: "pushed", instance: "one"), userAgent: "lkpush/test")
        settings.schedule = .init(pushInterval: .seconds(1), idleInterval: .seconds(1))
        let steady = try #require(registry.counter("test_steady_total", "T.").series())
        let waits = try #require(registry.histogram("test_wait_seconds", "T.", bounds: [1, 5]).series())
        let late = registry.counter("test_late_total", "T.", labels: ["kind"])
        let shipper = Destinations([settings], registry: registry, log: Log(level: .error, format: .text))
        try shipper.makeFirstReading()

        // Both see the registry before anything happens. Then something happens, and both see the result.
        func both(_ expression: String, reach value: Double) throws -> Bool {
            try eventually {
                let found = try prometheus.query(expression)
                return Set(found.compactMap { $0.labels["job"] }) == ["pushed", "scraped"]
                    && found.allSatisfy { $0.value >= value }
            }
        }
        #expect(try both("count_over_time(test_steady_total[1h])", reach: 3))
        for step in 1...40 {
            steady.increment(by: Double(step))
            waits.observe(Double(step % 8))
            if step == 20 { late.series(["new"])?.increment(by: 5) }
            if step == 30 { late.series(["new"])?.increment(by: 2) }
            #expect(try both("count_over_time(up[1h])", reach: 3 + Double(step) / 10))
        }
        #expect(try both("test_steady_total", reach: steady.value))
        // Only pushing keeps the first increment. Both know the sum.
        #expect(try both("test_late_total", reach: 7))
        let end = time.now().seconds
        #expect(try both("count_over_time(test_steady_total[1h] @ \(end + 3))", reach: 0))
        #expect(try both("timestamp(test_steady_total)", reach: end + 3))
        _ = shipper.stop(by: Waits.end)

        for series in [
            "test_steady_total", "test_wait_seconds_count", "test_wait_seconds_sum", "test_wait_seconds_bucket",
        ] {
            let window = Int(end - (try start(of: series, prometheus)) + 3)
            let error = try max(0.1, 1.6 * gap(of: series, prometheus) / Double(window))
            for function in ["increase", "rate"] {
                let found = try prometheus.query("\(function)(\(series)[\(window)s])", at: end + 2)
                let pushed = values(found, "pushed")
                let scraped = values(found, "scraped")
                #expect(!pushed.isEmpty && pushed.keys.sorted() == scraped.keys.sorted())
                for (key, value) in pushed {
                    let other = try #require(scraped[key])
                    // Each extrapolates from its own first and last sample, by at most 1.6 intervals.
                    #expect(abs(value - other) <= error * max(value, other), "\(function) \(series) \(key)")
                }
            }
            let exact = try prometheus.query("max_over_time(\(series)[1h]) - min_over_time(\(series)[1h])", at: end + 2)
            #expect(values(exact, "pushed") == values(exact, "scraped"))
        }
        let first = try prometheus.query("increase(test_late_total[1h])", at: end + 2)
        #expect(try #require(values(first, "pushed")["new"]) >= 7)
        // The extrapolation from the last sample to the end is no longer than the time between two samples.
        let count = try #require(
            values(try prometheus.query("count_over_time(test_late_total[1h])", at: end + 2), "pushed")["new"])
        #expect(try #require(values(first, "pushed")["new"]) < 7 * (1 + 1.2 / (count - 1)))
        #expect(try #require(values(first, "scraped")["new"]) < 7 * 0.5)
    }

    /// The start of the later one of the two series.
    private func start(of series: String, _ prometheus: PrometheusServer) throws -> Double {
        try prometheus.query("\(series)[1h]").compactMap { $0.points.first?.time }.max() ?? 0
    }

    /// The longest time between two samples of either series: an interval, or more on a busy machine.
    private func gap(of series: String, _ prometheus: PrometheusServer) throws -> Double {
        let all = try prometheus.query("\(series)[1h]").map(\.points)
        return all.flatMap { zip($0, $0.dropFirst()).map { $1.time - $0.time } }.max() ?? 0
    }

    /// The values of one job by the series' own labels.
    private func values(_ series: [PrometheusServer.Series], _ job: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for one in series where one.labels["job"] == job {
            values[(one.labels["le"] ?? "") + (one.labels["kind"] ?? "")] = one.value
        }
        return values
    }
}
