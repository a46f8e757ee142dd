import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// Two runs of a shipper, with a journal between them.
@Suite struct ShipperRestartTests {
    private static let labels = #"{instance="one",job="lkpush"}"#
    private let events = "test_events_total" + labels
    private let up = "up" + labels

    /// The next run after a fixture: its counter goes on from the last value.
    private func successor(
        of fixture: ShipperFixture, _ url: String, _ journal: MemoryJournal, time: any TimeSource = SystemTime(),
        _ change: (inout ShipperSettings) throws -> Void = { _ in }
    ) throws -> ShipperFixture {
        let next = try ShipperFixture(url, journal: journal, time: time, change)
        next.events.set(total: fixture.events.value)
        return next
    }

    @Test(arguments: [true, false])
    func `a restart changes no order, sets no counter back and ends only what is gone`(_ staleOnStop: Bool) throws {
        let receiver = try ScriptedReceiver()
        let journal = MemoryJournal()
        let first = try ShipperFixture(receiver.url, journal: journal) { $0.staleOnStop = staleOnStop }
        try #require(first.registry.gauge("test_gone", "Gone.", labels: ["a"]).series(["x"])).set(4)
        try first.shipper.makeFirstReading()
        #expect(first.run(readings: 5))
        #expect(first.stop().dropped == 0)
        let between = WriteLog(receiver.requests)
        #expect(journal.holds("test_gone") == !staleOnStop)
        #expect(journal.state.series.isEmpty == staleOnStop)
        #expect(journal.state.lastReading?.milliseconds == between.accepted[up]?.last?.milliseconds)

        let second = try successor(of: first, receiver.url, journal) { $0.staleOnStop = staleOnStop }
        _ = second.registry.gauge("test_gone", "Gone.", labels: ["a"])
        try second.shipper.makeFirstReading(restoring: journal.states)
        #expect(second.run(readings: 5))
        #expect(second.stop().dropped == 0)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        // The counter is never set back, and the only zero is the first one.
        let values = log.values(events)
        #expect(values == values.sorted())
        #expect(values.last == second.events.value)
        #expect(values.count { $0 == 0 } == between.values(events).count { $0 == 0 })
        #expect(Double(values.count) == first.readings + second.readings)
        // There is one stale marker, whichever process made it.
        let gone = try #require(log.accepted[#"test_gone{a="x",instance="one",job="lkpush"}"#])
        #expect(gone.count { $0.isStale } == 1)
        #expect(gone.last?.isStale == true)
        #expect(log.accepted[events]?.count { $0.isStale } == (staleOnStop ? 2 : 0))
    }

    @Test func `nothing of a reading leaves before it was written down`() throws {
        let receiver = try ScriptedReceiver()
        let up = up
        let journal = MemoryJournal { at in
            let sent = receiver.requests.compactMap { try? WriteRequest(compressed: $0.body) }.flatMap(\.series)
            let newest = sent.filter { $0.text == up }.flatMap(\.samples).map(\.milliseconds).max()
            #expect(newest.map { $0 < at.milliseconds } ?? true)
        }
        let fixture = try ShipperFixture(receiver.url, journal: journal) { $0.staleOnStop = false }
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 10))
        _ = fixture.stop()
        let times = try #require(WriteLog(receiver.requests).accepted[up]).map(\.milliseconds)
        #expect(times == journal.commits.map(\.at.milliseconds))
    }

    @Test func `the journal hears of each series once, and of nothing where nothing begins`() throws {
        let receiver = try ScriptedReceiver()
        let journal = MemoryJournal()
        let fixture = try ShipperFixture(receiver.url, journal: journal)
        let family = fixture.registry.counter("test_more_total", "More.", labels: ["a"])
        _ = family.series(["x"])
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 5))
        _ = family.series(["y"])
        #expect(eventually { journal.state.series.contains(SeriesKey(family: "test_more_total", labelValues: ["y"])) })
        family.end(["x"])
        #expect(eventually { !journal.state.series.contains(SeriesKey(family: "test_more_total", labelValues: ["x"])) })
        _ = fixture.stop()
        let began = journal.commits.flatMap(\.began)
        #expect(Set(began).count == began.count)
        #expect(journal.commits.count { !$0.began.isEmpty } < 6)
    }

    @Test func `a reading that may not leave is withheld, and sent when a later one may`() throws {
        let receiver = try ScriptedReceiver()
        let up = up
        let journal = MemoryJournal()
        let fixture = try ShipperFixture(receiver.url, journal: journal) { $0.staleOnStop = false }
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 2))
        journal.answer(.withhold)
        // The reading that is under way may still get the earlier outcome.
        #expect(fixture.run(readings: 2))
        let first = try #require(journal.commits.last?.at.milliseconds)
        #expect(fixture.run(readings: 5))
        let sent = try #require(WriteLog(receiver.requests).accepted[up]).map(\.milliseconds)
        #expect(sent.allSatisfy { $0 < first })
        journal.answer(.maySend)
        #expect(fixture.run(readings: 2))
        #expect(fixture.stop().dropped == 0)
        let times = try #require(WriteLog(receiver.requests).accepted[up]).map(\.milliseconds)
        #expect(times == journal.commits.map(\.at.milliseconds))
    }

    @Test func `a journal that is slow delays samples and loses none`() throws {
        let receiver = try ScriptedReceiver()
        let never = Monitor(())
        let journal = MemoryJournal { _ in
            _ = never.wait(until: SystemTime().monotonic() + .milliseconds(60)) { _ in nil as Int? }
        }
        let fixture = try ShipperFixture(receiver.url, journal: journal)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 6))
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(Double(log.values(events).count) == fixture.readings)
    }

    @Test func `a journal whose disk never answers does not silence the shipper`() throws {
        let receiver = try ScriptedReceiver()
        let never = Monitor(())
        // This is the longest wait that the port allows.
        let patience = Duration.seconds(1)
        let journal = MemoryJournal { _ in
            _ = never.wait(until: SystemTime().monotonic() + patience) { _ in nil as Int? }
        }
        let fixture = try ShipperFixture(receiver.url, journal: journal)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(2))
        #expect(fixture.stop().dropped == 0)
        #expect(WriteLog(receiver.requests).violations == [])
    }

    @Test func `a clock that is behind the last reading makes none until it is past`() throws {
        let receiver = try ScriptedReceiver()
        let clock = ShiftedTime()
        let last = SystemTime().now() + .seconds(300)
        let state = ShippedStates(
            lastReading: last, labels: #"instance="one",job="lkpush""#,
            series: [
                ShippedSeries(
                    destination: "default", key: SeriesKey(family: "test_events_total", labelValues: []))
            ])
        let fixture = try ShipperFixture(receiver.url, journal: MemoryJournal(), time: clock)
        fixture.events.increment(by: 50)
        try fixture.shipper.makeFirstReading(restoring: state)
        #expect(eventually { fixture.own("readings_skipped_total") >= 3 })
        #expect(receiver.requests.isEmpty)
        clock.shift(.seconds(400))
        #expect(fixture.run(readings: 3))
        _ = fixture.stop()
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(log.accepted.values.flatMap { $0 }.allSatisfy { $0.milliseconds > last.milliseconds })
        #expect(log.values(events).allSatisfy { $0 >= 50 })
    }

    @Test func `a stop while the clock is behind sends the last values right after those before`() throws {
        let receiver = try ScriptedReceiver()
        let last = SystemTime().now() + .seconds(300)
        let fixture = try ShipperFixture(receiver.url)
        fixture.events.increment(by: 50)
        try fixture.shipper.makeFirstReading(restoring: ShippedStates(lastReading: last))
        #expect(eventually { fixture.own("readings_skipped_total") >= 2 })
        #expect(fixture.stop().dropped == 0)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(log.accepted[events]?.map(\.milliseconds) == [last.milliseconds + 1, last.milliseconds + 2])
        #expect(log.values(events) == [50])
    }

    @Test func `markers that nobody took at the stop are made again by the next life`() throws {
        let receiver = try ScriptedReceiver()
        let journal = MemoryJournal()
        let first = try ShipperFixture(receiver.url, journal: journal)
        _ = first.registry.gauge("test_gone", "Gone.").series()
        try first.shipper.makeFirstReading()
        #expect(first.run(readings: 3))
        #expect(first.settlesWhatWaits())
        receiver.answer(.init(401))
        // The time is less than the wait for better credentials.
        _ = first.stop(within: .seconds(2))
        #expect(journal.holds("test_gone"))
        receiver.answer(.init(204))
        let second = try successor(of: first, receiver.url, journal)
        _ = second.registry.gauge("test_gone", "Gone.")
        try second.shipper.makeFirstReading(restoring: journal.states)
        #expect(second.run(readings: 3))
        #expect(eventually { !journal.holds("test_gone") })
        _ = second.stop()
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(log.accepted["test_gone" + Self.labels]?.count { $0.isStale } == 1)
    }

    @Test func `a refused stale marker is sent again`() throws {
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url)
        let family = fixture.registry.gauge("test_gone", "Gone.", labels: ["a"])
        _ = family.series(["x"])
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 3))
        let series = #"test_gone{a="x",instance="one",job="lkpush"}"#
        let isEnd: @Sendable ([UInt8]) -> Bool = { body in
            let sent = (try? WriteRequest(compressed: body))?.series.first { $0.text == series }
            return sent?.samples.contains { $0.isStale } == true
        }
        receiver.answerOnce(.init(400), to: isEnd)
        family.end(["x"])
        #expect(receiver.wait { requests in requests.count { $0.wasAnswered && isEnd($0.body) } >= 2 })
        _ = fixture.stop()
        #expect(WriteLog(receiver.requests).accepted[series]?.count { $0.isStale } == 1)
    }

    @Test(arguments: [true, false])
    func `a real Prometheus sees no reset over a restart and counts every increment`(_ staleOnStop: Bool) throws {
        let prometheus = try PrometheusServer()
        let journal = MemoryJournal()
        func change(_ settings: inout ShipperSettings) {
            settings.schedule = .init(pushInterval: .milliseconds(100), idleInterval: .milliseconds(100))
            settings.staleOnStop = staleOnStop
        }
        let first = try ShipperFixture(prometheus.writeURL, journal: journal, change)
        let waits = try #require(first.registry.histogram("test_wait_seconds", "Waits.", bounds: [1]).series())
        try first.shipper.makeFirstReading()
        #expect(first.run(readings: 8))
        waits.observe(0.5)
        #expect(first.stop().rejected == 0)
        #expect(try prometheus.query("test_events_total").isEmpty == staleOnStop)

        let second = try successor(of: first, prometheus.writeURL, journal, change)
        // These events came between the stop and the first reading.
        second.events.increment(by: 100)
        let more = try #require(second.registry.histogram("test_wait_seconds", "Waits.", bounds: [1]).series())
        more.set(waits.current)
        more.observe(0.5)
        try second.shipper.makeFirstReading(restoring: journal.states)
        #expect(second.run(readings: 8))
        #expect(second.stop().rejected == 0)

        for (metric, total) in [
            ("test_events_total", second.events.value), ("test_wait_seconds_count", 2.0),
            ("test_wait_seconds_bucket{le='1'}", 2.0),
        ] as [(String, Double)] {
            #expect(try prometheus.query("resets(\(metric)[10m])").map(\.value) == [0])
            let points = try #require(try prometheus.query("\(metric)[10m]").first).points
            #expect(points.first?.value == 0)
            #expect(points.last?.value == total)
            // There is no difference beyond what `increase()` extrapolates to the ends of its range.
            let increase = try #require(try prometheus.query("increase(\(metric)[10m])").first).value
            #expect((total * 0.999...total * 1.2).contains(increase), "\(metric): \(increase) of \(total)")
        }
        if !staleOnStop { #expect(try prometheus.query("test_events_total").map(\.value) == [second.events.value]) }
    }
}
