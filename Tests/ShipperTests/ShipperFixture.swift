import Glibc
import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import Status
import TestSupport
import Testing

/// A registry with one counter, its shipper with short intervals, and everything that is logged.
final class ShipperFixture {
    let registry = Registry(maxSeries: 10_000)
    let events: Counter
    let shipper: Destinations
    let clocks = ClockSkew()
    private let folder = TemporaryFolder()
    private let file: Int32
    private let log: Log
    private let time = SystemTime()

    static let secret = "s3cret-value"

    init(
        _ url: String, journal: (any ReadingJournal)? = nil, time: any TimeSource = SystemTime(),
        _ change: (inout ShipperSettings) throws -> Void = { _ in }
    ) throws {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)), labels: try CommonLabels(job: "lkpush", instance: "one"),
            userAgent: "lkpush/test")
        settings.schedule = .init(pushInterval: .milliseconds(20), idleInterval: .milliseconds(20))
        settings.delivery.minBackoff = .milliseconds(10)
        settings.delivery.maxBackoff = .milliseconds(80)
        settings.timeout = Waits.limit
        settings.connectTimeout = Waits.limit
        settings.credentials = .bearer(.value(Secret(Self.secret)))
        try change(&settings)
        file = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        events = try #require(registry.counter("test_events_total", "Events.").series())
        log = Log(level: .debug, format: .json, file: file)
        shipper = Destinations(
            [settings], registry: registry, journal: journal, clocks: clocks, log: log, time: time)
    }

    deinit {
        // The log must stop writing before the descriptor is closed.
        log.end()
        close(file)
    }

    /// What the destination tells of itself.
    var status: DestinationStatus { shipper.status[0] }

    /// The lines of the log that hold `text`.
    func logged(_ text: String) throws -> [String] {
        #expect(log.settle())
        let content = String(decoding: try FileStore.read(folder.file("log"), limit: 16 << 20), as: UTF8.self)
        #expect(!content.contains(Self.secret))
        return content.split(separator: "\n").map(String.init).filter { $0.contains(text) }
    }

    /// The value of one of the shipper's own metrics, summed over all its series.
    func own(_ name: String) -> Double {
        registry.snapshot().filter { $0.family.name == "lkpush_remote_write_" + name }.flatMap(\.series).reduce(0) {
            switch $1.instrument {
            case .counter(let counter): $0 + counter.value
            case .gauge(let gauge): $0 + gauge.value
            case .histogram: $0
            }
        }
    }

    /// The readings of which samples were sent. A busy machine makes readings faster than the thread of the destination
    /// takes them; those that wait then become one with the next.
    var readings: Double { own("readings_total") - mergedReadings }
    var mergedReadings: Double { own("readings_merged_total") }

    /// Rejected samples by status code.
    var rejected: [String: Double] {
        let series = registry.snapshot().first { $0.family.name == "lkpush_remote_write_samples_rejected_total" }?
            .series
        return (series ?? []).reduce(into: [:]) { sums, one in
            if case .counter(let counter) = one.instrument { sums[one.labelValues[1]] = counter.value }
        }
    }

    /// The number of samples that were dropped for this reason.
    func dropped(_ reason: String) -> Double { counter("samples_dropped_total", reason) }

    /// The number of requests that failed in this step.
    func errors(_ kind: String) -> Double { counter("errors_total", kind) }

    private func counter(_ name: String, _ label: String) -> Double {
        let series = registry.snapshot().first { $0.family.name == "lkpush_remote_write_" + name }?.series
        if case .counter(let counter)? = series?.first(where: { $0.labelValues == ["default", label] })?.instrument {
            return counter.value
        }
        return 0
    }

    /// Waits for this many readings of which samples are sent, with an event before each.
    func run(readings: Int) -> Bool {
        var last = own("readings_total")
        let end = self.readings + Double(readings)
        return eventually {
            let now = own("readings_total")
            if now > last { events.increment() }
            last = now
            return self.readings >= end
        }
    }

    /// Waits until nothing is pending of what was enqueued before now. On a busy machine a later reading always is.
    func settlesWhatWaits() -> Bool {
        let enqueued = own("samples_enqueued_total")
        return eventually {
            // What is enqueued between the two is pending, so it makes the difference only smaller.
            let now = own("samples_enqueued_total")
            return now - own("samples_pending") >= enqueued
        }
    }

    func stop(within limit: Duration = Waits.limit) -> ShipperReport {
        let report = shipper.stop(by: time.monotonic() + limit)
        #expect(
            report.enqueued == report.accepted + report.rejected + report.ambiguous + report.dropped + report.kept)
        #expect(own("samples_enqueued_total") == Double(report.enqueued))
        #expect(own("samples_accepted_total") == Double(report.accepted))
        #expect(own("samples_pending") == Double(report.kept))
        return report
    }
}
