import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

@Suite struct ShipperPrometheusTests {
    private func settings(_ url: String, every: Duration) throws -> ShipperSettings {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)),
            labels: try CommonLabels(job: "lkpush", instance: "one", external: [("environment", "test")]),
            userAgent: "lkpush/test")
        settings.schedule = .init(pushInterval: every, idleInterval: every)
        settings.delivery.minBackoff = .milliseconds(50)
        settings.delivery.maxBackoff = .milliseconds(400)
        return settings
    }

    @Test func `a real Prometheus stores what is pushed, and sees it end`() throws {
        let prometheus = try PrometheusServer()
        let registry = Registry(maxSeries: 10_000)
        let log = Log(level: .error, format: .text)
        let counter = try #require(registry.counter("test_events_total", "Events.", labels: ["kind"]).series(["a"]))
        let histogram = try #require(
            registry.histogram("test_wait_seconds", "Waits.", bounds: [1, 2.5]).series())
        counter.increment(by: 3)
        histogram.observe(2)
        let shipper = Destinations(
            [try settings(prometheus.writeURL, every: .milliseconds(200))], registry: registry, log: log)
        try shipper.makeFirstReading()
        let seen = try prometheus.wait(for: "test_events_total") { !$0.isEmpty }
        #expect(seen.count == 1)
        #expect(seen.first?.value == 3)
        #expect(
            seen.first?.labels == [
                "__name__": "test_events_total", "kind": "a", "job": "lkpush", "instance": "one",
                "environment": "test",
            ])
        let buckets = try prometheus.query("test_wait_seconds_bucket")
        #expect(
            Dictionary(uniqueKeysWithValues: buckets.map { ($0.labels["le"], $0.value) }) == [
                "1": 0, "2.5": 1, "+Inf": 1,
            ])
        #expect(try prometheus.query("up").map(\.value) == [1])
        counter.increment(by: 4)
        #expect(try prometheus.wait(for: "test_events_total") { $0.first?.value == 7 }.first?.value == 7)
        let report = shipper.stop(by: Waits.end)
        #expect(report.enqueued == report.accepted)
        #expect(try prometheus.wait(for: "count({job='lkpush'})") { $0.isEmpty }.isEmpty)
    }

    @Test func `the probe says whether a receiver takes requests`() throws {
        let prometheus = try PrometheusServer()
        let settings = try settings(prometheus.writeURL, every: .seconds(15))
        #expect(ShipperProbe.run(settings).answer == .accepted(status: 204))
        prometheus.stop()
        #expect(!ShipperProbe.run(settings).isGood)
    }
}
