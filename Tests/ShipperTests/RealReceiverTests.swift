import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// Receivers as Debian has them. Both read version 1.0 only, and answer 204 to a body of 2.0 without storing anything.
@Suite struct RealReceiverTests {
    enum Product: CaseIterable { case prometheus, victoriaMetrics }

    private enum Receiver {
        case prometheus(PrometheusServer)
        case victoriaMetrics(VictoriaMetricsServer)

        init(_ product: Product) throws {
            switch product {
            case .prometheus: self = .prometheus(try PrometheusServer())
            case .victoriaMetrics: self = .victoriaMetrics(try VictoriaMetricsServer())
            }
        }

        var writeURL: String {
            switch self {
            case .prometheus(let server): server.writeURL
            case .victoriaMetrics(let server): server.writeURL
            }
        }

        /// All samples of the only series that matches, as they are stored.
        func samples(_ selector: String) throws -> [QueryAPI.Point] {
            let found =
                switch self {
                case .prometheus(let server): try server.query("\(selector)[1h]")
                case .victoriaMetrics(let server): try server.query("\(selector)[1h]")
                }
            #expect(found.count <= 1)
            return found.first?.points ?? []
        }
    }

    private func settings(_ url: String, _ message: MessageChoice) throws -> ShipperSettings {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)), labels: try CommonLabels(job: "lkpush", instance: "one"),
            userAgent: "lkpush/test")
        settings.schedule = .init(pushInterval: .milliseconds(200), idleInterval: .milliseconds(200))
        settings.delivery.message = message
        settings.staleOnStop = false
        return settings
    }

    @Test(arguments: Product.allCases, [MessageChoice.auto, .v1])
    func `the first sample is stored, with its time and value, and so is every later one`(
        product: Product, message: MessageChoice
    ) throws {
        let receiver = try Receiver(product)
        let registry = Registry(maxSeries: 10_000)
        let counter = try #require(registry.counter("test_events_total", "Events.", labels: ["kind"]).series(["a"]))
        counter.increment(by: 3)
        let journal = MemoryJournal()
        let shipper = Destinations(
            [try settings(receiver.writeURL, message)], registry: registry, journal: journal,
            log: Log(level: .error, format: .text))
        try shipper.makeFirstReading()
        #expect(try eventually { try receiver.samples("test_events_total").count >= 3 })
        counter.increment(by: 4)
        #expect(try eventually { try receiver.samples("test_events_total").last?.value == 7 })
        let report = shipper.stop(by: Waits.end)
        #expect(report.enqueued == report.accepted)

        // The journal has the time of each reading.
        let times = journal.commits.map(\.at.seconds)
        var ups: [QueryAPI.Point] = []
        var events: [QueryAPI.Point] = []
        #expect(
            try eventually {
                ups = try receiver.samples("up{job='lkpush'}")
                events = try receiver.samples("test_events_total")
                return ups.count >= times.count && events.count >= times.count
            })
        #expect(ups.map(\.time) == times)
        #expect(events.map(\.time) == times)
        #expect(ups.allSatisfy { $0.value == 1 })
        #expect(events.first?.value == 3)
        #expect(events.allSatisfy { $0.value == 3 || $0.value == 7 })
    }

    @Test func `a Prometheus without its receiver answers 404`() throws {
        let prometheus = try PrometheusServer(takesWrites: false)
        let registry = Registry(maxSeries: 10_000)
        let shipper = Destinations(
            [try settings(prometheus.writeURL, .v1)], registry: registry, log: Log(level: .error, format: .text))
        try shipper.makeFirstReading()
        let report = shipper.stop(by: Waits.end)
        #expect(report.enqueued == report.rejected)
        let status = registry.snapshot().first { $0.family.name == "lkpush_remote_write_requests_total" }?.series.first
        #expect(status?.labelValues == ["default", "404"])
    }
}
