import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// `METRICS_EXCLUDE`, from the registry to the receiver.
@Suite struct ExcludedFamiliesTests {
    private let labels = #"{instance="one",job="lkpush"}"#
    private let excluded = FamilySelection(excluding: ["test_secret_*"])

    /// Declares two families that the globs of these tests exclude, and one that they do not.
    private func declare(in registry: Registry) throws -> (gauge: Family<Gauge>, histogram: Histogram) {
        let gauge = registry.gauge("test_secret_users", "Users.", labels: ["org"])
        try #require(gauge.series(["a"])).set(4)
        let histogram = try #require(registry.histogram("test_secret_seconds", "Times.", bounds: [1]).series())
        histogram.observe(0.5)
        try #require(registry.gauge("test_secrets", "Counted.").series()).set(2)
        return (gauge, histogram)
    }

    private let all = [
        #"test_secret_seconds_bucket{instance="one",job="lkpush",le="+Inf"}"#,
        #"test_secret_seconds_bucket{instance="one",job="lkpush",le="1"}"#,
        #"test_secret_seconds_count{instance="one",job="lkpush"}"#,
        #"test_secret_seconds_sum{instance="one",job="lkpush"}"#,
        #"test_secret_users{instance="one",job="lkpush",org="a"}"#,
    ]

    private func page(_ registry: Registry) -> String {
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        return String(decoding: page, as: UTF8.self)
    }

    @Test(arguments: [MessageChoice.v1, .v2])
    func `families that a glob excludes never arrive, and stay on the page and in the count`(
        _ message: MessageChoice
    ) throws {
        let receiver = try ScriptedReceiver()
        let selection = excluded
        let fixture = try ShipperFixture(receiver.url) {
            $0.selection = selection
            $0.delivery.message = message
        }
        let (gauge, histogram) = try declare(in: fixture.registry)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 3))
        // What begins, changes and ends later is left out as well.
        try #require(gauge.series(["late"])).set(1)
        histogram.observe(5)
        #expect(fixture.run(readings: 3))
        gauge.end(["a"])
        #expect(fixture.run(readings: 3))
        let shown = page(fixture.registry)
        #expect(shown.contains(#"test_secret_users{org="late"} 1"#) && shown.contains("test_secret_seconds_count 2"))
        #expect(fixture.stop().dropped == 0)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(!log.accepted.keys.contains { $0.hasPrefix("test_secret_") })
        #expect(log.values("test_secrets" + labels).count == log.values("up" + labels).count)
        #expect(log.values("test_events_total" + labels).last == fixture.events.value)
    }

    @Test func `excluding everything leaves only up`() throws {
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url) { $0.selection = FamilySelection(excluding: ["*", "up"]) }
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 5))
        _ = fixture.stop()
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(Array(log.accepted.keys) == ["up" + labels])
        #expect(log.values("up" + labels).count >= 5)
    }

    @Test(arguments: [MessageChoice.v1, .v2])
    func `each series that was pushed before a restart gets one stale marker`(_ message: MessageChoice) throws {
        let receiver = try ScriptedReceiver()
        let journal = MemoryJournal()
        func run(_ selection: FamilySelection) throws {
            let fixture = try ShipperFixture(receiver.url, journal: journal) {
                $0.selection = selection
                $0.staleOnStop = false
                $0.delivery.message = message
            }
            _ = try declare(in: fixture.registry)
            try fixture.shipper.makeFirstReading(restoring: journal.states)
            #expect(fixture.run(readings: 4))
            #expect(fixture.settlesWhatWaits())
            #expect(page(fixture.registry).contains(#"test_secret_users{org="a"} 4"#))
            #expect(fixture.stop().dropped == 0)
        }
        try run(FamilySelection())
        let before = WriteLog(receiver.requests).accepted
        #expect(before.keys.filter { $0.hasPrefix("test_secret_") }.sorted() == all)
        // The second restart finds nothing that is left to end.
        try run(excluded)
        #expect(!journal.holds("test_secret_users") && !journal.holds("test_secret_seconds"))
        try run(excluded)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        for series in all {
            let samples = try #require(log.accepted[series])
            #expect(samples.count == (before[series]?.count ?? 0) + 1, "\(series)")
            #expect(samples.count { $0.isStale } == 1 && samples.last?.isStale == true, "\(series)")
        }
        #expect(log.accepted["test_secrets" + labels]?.contains { $0.isStale } == false)

        // They come back when the glob is gone.
        try run(FamilySelection())
        let after = WriteLog(receiver.requests)
        #expect(after.violations == [])
        for series in all { #expect(after.accepted[series]?.last?.isStale == false, "\(series)") }
        #expect(after.values(all[2]).allSatisfy { $0 == 1 })
    }

    @Test func `a real Prometheus shows what is excluded no more`() throws {
        let prometheus = try PrometheusServer()
        let journal = MemoryJournal()
        for selection in [FamilySelection(), excluded] {
            let fixture = try ShipperFixture(prometheus.writeURL, journal: journal) {
                $0.schedule = .init(pushInterval: .milliseconds(100), idleInterval: .milliseconds(100))
                $0.selection = selection
                $0.staleOnStop = false
                $0.delivery.message = .auto
            }
            _ = try declare(in: fixture.registry)
            try fixture.shipper.makeFirstReading(restoring: journal.states)
            let isExcluded = selection == excluded
            let found = try prometheus.wait(for: #"{__name__=~"test_secret_.*"}"#) {
                isExcluded ? $0.isEmpty : $0.count == all.count
            }
            #expect(found.count == (isExcluded ? 0 : all.count))
            #expect(fixture.run(readings: 3))
            #expect(try prometheus.query("test_secrets").map(\.value) == [2])
            #expect(fixture.stop().rejected == 0)
        }
    }
}
