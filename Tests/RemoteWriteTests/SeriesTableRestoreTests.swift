import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The first ticks after a restart, and what the journal gets to know.
@Suite struct SeriesTableRestoreTests {
    private static let labels = #"instance="i",job="j""#

    private func state(
        _ keys: [SeriesKey], last seconds: Int64? = 60, labels: String = labels
    ) -> ShippedState {
        ShippedState(lastReading: seconds.map { Timestamp(seconds: $0) }, labels: labels, series: keys)
    }

    private func total(_ value: String) -> SeriesKey { SeriesKey(family: "t_total", labelValues: [value]) }

    @Test func `what is still held goes on without a zero, what is not gets a stale marker`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        try #require(family.series(["unsent"])).increment(by: 3)
        fixture.restore(state([total("held"), total("gone")]))
        #expect(
            try fixture.tick(90) == [
                #"t_total{a="gone"}: stale@90000"#, #"t_total{a="held"}: 7@90000"#, #"t_total{a="unsent"}: 3@90000"#,
            ])
        #expect(fixture.keys() == ["began t_total unsent"])
        #expect(try fixture.tick(105) == [#"t_total{a="held"}: 7@105000"#, #"t_total{a="unsent"}: 3@105000"#])
        #expect(fixture.keys() == ["ended t_total gone"])
        #expect(try fixture.tick(120).count == 2)
        #expect(fixture.keys() == [])
    }

    @Test func `a new counter after the first tick has its zero as ever`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        fixture.restore(state([]))
        #expect(try fixture.tick(90) == [])
        try #require(family.series(["new"])).increment(by: 2)
        #expect(try fixture.tick(105) == [#"t_total{a="new"}: 0@90000 2@105000"#])
        #expect(fixture.keys() == ["began t_total new"])
    }

    @Test func `a series that comes back right after its marker begins after it`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        fixture.restore(state([total("x"), total("y")]))
        #expect(try fixture.tick(90) == [#"t_total{a="x"}: stale@90000"#, #"t_total{a="y"}: stale@90000"#])
        try #require(family.series(["x"])).increment(by: 2)
        #expect(try fixture.tick(105) == [#"t_total{a="x"}: 0@90001 2@105000"#])
        // The series that came back is in the set as before.
        #expect(fixture.keys() == ["ended t_total y"])
        try #require(family.series(["y"])).increment(by: 4)
        #expect(
            try fixture.tick(120) == [#"t_total{a="x"}: 2@120000"#, #"t_total{a="y"}: 0@105000 4@120000"#])
        #expect(fixture.keys() == ["began t_total y"])
    }

    @Test func `a histogram counts once and ends with all of its buckets`() throws {
        var fixture = try SeriesTableFixture()
        _ = fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 30])
        fixture.restore(state([SeriesKey(family: "t_seconds", labelValues: ["x"])]))
        #expect(
            try fixture.tick(90) == [
                #"t_seconds_bucket{a="x",le="+Inf"}: stale@90000"#, #"t_seconds_bucket{a="x",le="1"}: stale@90000"#,
                #"t_seconds_bucket{a="x",le="30"}: stale@90000"#, #"t_seconds_count{a="x"}: stale@90000"#,
                #"t_seconds_sum{a="x"}: stale@90000"#,
            ])
        #expect(try fixture.tick(105) == [])
        #expect(fixture.keys() == ["ended t_seconds x"])
    }

    @Test func `families that are gone or have other labels are left alone, and the journal forgets them`() throws {
        var fixture = try SeriesTableFixture()
        _ = fixture.registry.counter("t_total", "T.", labels: ["a", "b"])
        fixture.restore(state([total("one label"), SeriesKey(family: "t_gone", labelValues: [])]))
        #expect(try fixture.tick(90) == [])
        #expect(fixture.keys() == ["ended t_gone ", "ended t_total one label"])
    }

    @Test func `under other common labels nothing is restored but the time`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        fixture.restore(state([total("held"), total("gone")], labels: #"instance="other",job="j""#))
        #expect(try fixture.tick(60) == ["skipped"])
        #expect(try fixture.tick(90) == [#"t_total{a="held"}: 7@90000"#])
        // The series is removed first, and added then.
        #expect(fixture.keys() == ["ended t_total held", "ended t_total gone", "began t_total held"])
    }

    @Test func `nothing is sent at or before the last reading of the process before`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        fixture.restore(state([total("held"), total("gone")], last: 100))
        #expect(try fixture.tick(90) == ["skipped"])
        #expect(try fixture.tick(100) == ["skipped"])
        // A series that began meanwhile was not read as zero by this process.
        try #require(family.series(["new"])).increment()
        #expect(
            try fixture.tick(milliseconds: 100_001) == [
                #"t_total{a="gone"}: stale@100001"#, #"t_total{a="held"}: 7@100001"#,
                #"t_total{a="new"}: 1@100001"#,
            ])
    }

    @Test func `a held series that ends before the first reading still gets its marker`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        _ = family.series(["held"])
        fixture.restore(state([total("held")], last: 100))
        #expect(try fixture.tick(90) == ["skipped"])
        family.end(["held"])
        #expect(try fixture.tick(105) == [#"t_total{a="held"}: stale@105000"#])
    }

    @Test func `a last reading that nobody believes any more holds nothing back`() throws {
        var fixture = try SeriesTableFixture()
        _ = fixture.registry.counter("t_total", "T.", labels: ["a"])
        fixture.restore(state([total("gone")], last: 1_000_000))
        #expect(try fixture.tick(90) == ["skipped"])
        fixture.table.setBack(to: Timestamp(seconds: 105))
        #expect(try fixture.tick(105) == [#"t_total{a="gone"}: stale@105000"#])
        #expect(try fixture.tick(120) == [])
    }

    @Test func `after the clock is set back, series go on at once, and a new one begins from zero`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        let counter = try #require(family.series(["x"]))
        counter.increment(by: 7)
        _ = try fixture.tick(300_000)
        #expect(try fixture.tick(90) == ["skipped"])
        fixture.table.setBack(to: Timestamp(seconds: 100))
        #expect(try fixture.tick(100) == [#"t_total{a="x"}: 7@100000"#])
        counter.increment()
        try #require(family.series(["y"])).increment()
        #expect(try fixture.tick(115) == [#"t_total{a="x"}: 8@115000"#, #"t_total{a="y"}: 0@100000 1@115000"#])
        family.end(["x"])
        #expect(try fixture.tick(130) == [#"t_total{a="x"}: stale@130000"#])
    }

    @Test func `a pause of months leaves no sample at a wrong time`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        _ = try fixture.tick(15)
        try #require(family.series(["x"])).increment()
        let later: Int64 = 15 + 90 * 86_400
        #expect(
            try fixture.tick(later) == [#"t_total{a="x"}: 0@\#((later - 10 * 86_400) * 1_000) 1@\#(later * 1_000)"#])
    }

    @Test func `a restored series whose first batch is dropped is not begun again`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        fixture.restore(state([total("held")]))
        _ = try fixture.tick(90)
        fixture.lose(wasAttempted: false)
        #expect(try fixture.tick(105) == [#"t_total{a="held"}: 7@105000"#])
        fixture.lose(wasAttempted: false)
        family.end(["held"])
        #expect(try fixture.tick(120) == [#"t_total{a="held"}: stale@120000"#])
    }

    @Test func `the idle schedule has everything due at the first tick`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        let counter = try #require(family.series(["held"]))
        counter.increment(by: 7)
        fixture.restore(state([total("held")]))
        #expect(try fixture.tick(90) == [#"t_total{a="held"}: 7@90000"#])
        #expect(try fixture.tick(105) == [])
        #expect(try fixture.tick(120) == [])
        counter.increment()
        #expect(try fixture.tick(135) == [#"t_total{a="held"}: 7@120000 8@135000"#])
    }

    @Test func `the end tells the journal once the receiver has the markers`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        _ = family.series(["x"])
        fixture.restore(state([]))
        _ = try fixture.tick(90)
        _ = fixture.keys()
        #expect(try fixture.end(milliseconds: 90_001) == [#"t_total{a="x"}: stale@90001"#])
        fixture.table.releaseEnded()
        #expect(fixture.keys() == [])
        fixture.accept()
        fixture.table.releaseEnded()
        #expect(fixture.keys() == ["ended t_total x"])
    }

    @Test func `keys are kept for nobody where nobody takes them`() throws {
        var fixture = try SeriesTableFixture()
        _ = fixture.registry.counter("t_total", "T.", labels: ["a"]).series(["x"])
        _ = try fixture.tick(90)
        #expect(fixture.keys() == [])
    }

    @Test func `the first reading of 93,000 series names each of them once`() throws {
        var fixture = try SeriesTableFixture()
        let organizations = (0..<1_000).map { "0d9d7bb1-52a4-4a4c-8ef4-\(100_000_000_000 + $0)" }
        let names = ["project", "region", "org_id"]
        for number in 0..<43 {
            let family = fixture.registry.counter("t\(number)_total", "T.", labels: names)
            for id in organizations { _ = family.series(["default", "eu-central-1", id]) }
        }
        for number in 0..<5 {
            let family = fixture.registry.histogram(
                "t\(number)_seconds", "T.", labels: names, bounds: [1, 2, 3, 4, 5, 6, 7])
            for id in organizations { _ = family.series(["default", "eu-central-1", id]) }
        }
        fixture.table.recordsKeys = true
        let clock = ContinuousClock()
        let first = clock.measure { #expect(fixture.read(milliseconds: 15_000) == .made) }
        let (began, ended) = fixture.table.takeKeys()
        // This includes the series of the registry itself.
        #expect(began.count == 48_002)
        #expect(ended.isEmpty)
        var size = 0
        let encoding = clock.measure { size = began.reduce(0) { $0 + $1.bytes.count } }
        let second = clock.measure { #expect(fixture.read(milliseconds: 30_000) == .made) }
        print(
            "93,000 series: first reading \(first), second \(second); \(began.count) keys of",
            "\(MemoryLayout<SeriesKey>.stride) bytes in memory, \(size) bytes encoded in \(encoding)")
        let state = ShippedState(lastReading: Timestamp(seconds: 30), labels: Self.labels, series: began)
        var next = try SeriesTableFixture()
        let restoring = clock.measure { next.restore(state) }
        print("restored in \(restoring)")
        #expect(next.read(milliseconds: 45_000) == .made)
        // None of these families exists any more, except the registry's own.
        #expect(next.table.takeKeys().ended.count == 48_000)
    }
}
