import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The first ticks after a restart, and what the journal is told.
@Suite struct SeriesTableRestoreTests {
    private static let labels = #"instance="i",job="j""#

    private func state(
        _ keys: [SeriesKey], last seconds: Int64? = 60, labels: String = labels
    ) -> ShippedState {
        ShippedState(lastReading: seconds.map { Timestamp(seconds: $0) }, labels: labels, series: keys)
    }

    private func total(_ value: String) -> SeriesKey { SeriesKey(family: "t_total", labelValues: [value]) }

    @Test func `what is still held goes on without a zero, what is not gets a stale marker`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        try #require(family.series(["unsent"])).increment(by: 3)
        rig.restore(state([total("held"), total("gone")]))
        #expect(
            try rig.tick(90) == [
                #"t_total{a="gone"}: stale@90000"#, #"t_total{a="held"}: 7@90000"#, #"t_total{a="unsent"}: 3@90000"#,
            ])
        #expect(rig.keys() == ["began t_total unsent"])
        #expect(try rig.tick(105) == [#"t_total{a="held"}: 7@105000"#, #"t_total{a="unsent"}: 3@105000"#])
        #expect(rig.keys() == ["ended t_total gone"])
        #expect(try rig.tick(120).count == 2)
        #expect(rig.keys() == [])
    }

    @Test func `a new counter after the first tick has its zero as ever`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        rig.restore(state([]))
        #expect(try rig.tick(90) == [])
        try #require(family.series(["new"])).increment(by: 2)
        #expect(try rig.tick(105) == [#"t_total{a="new"}: 0@90000 2@105000"#])
        #expect(rig.keys() == ["began t_total new"])
    }

    @Test func `a series that comes back right after its marker begins after it`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        rig.restore(state([total("x"), total("y")]))
        #expect(try rig.tick(90) == [#"t_total{a="x"}: stale@90000"#, #"t_total{a="y"}: stale@90000"#])
        try #require(family.series(["x"])).increment(by: 2)
        #expect(try rig.tick(105) == [#"t_total{a="x"}: 0@90001 2@105000"#])
        // The one that came back is in the set as before.
        #expect(rig.keys() == ["ended t_total y"])
        try #require(family.series(["y"])).increment(by: 4)
        #expect(
            try rig.tick(120) == [#"t_total{a="x"}: 2@120000"#, #"t_total{a="y"}: 0@105000 4@120000"#])
        #expect(rig.keys() == ["began t_total y"])
    }

    @Test func `a histogram counts once and ends with all of its buckets`() throws {
        var rig = try TableRig()
        _ = rig.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 30])
        rig.restore(state([SeriesKey(family: "t_seconds", labelValues: ["x"])]))
        #expect(
            try rig.tick(90) == [
                #"t_seconds_bucket{a="x",le="+Inf"}: stale@90000"#, #"t_seconds_bucket{a="x",le="1"}: stale@90000"#,
                #"t_seconds_bucket{a="x",le="30"}: stale@90000"#, #"t_seconds_count{a="x"}: stale@90000"#,
                #"t_seconds_sum{a="x"}: stale@90000"#,
            ])
        #expect(try rig.tick(105) == [])
        #expect(rig.keys() == ["ended t_seconds x"])
    }

    @Test func `families that are gone or have other labels are left alone, and the journal forgets them`() throws {
        var rig = try TableRig()
        _ = rig.registry.counter("t_total", "T.", labels: ["a", "b"])
        rig.restore(state([total("one label"), SeriesKey(family: "t_gone", labelValues: [])]))
        #expect(try rig.tick(90) == [])
        #expect(rig.keys() == ["ended t_gone ", "ended t_total one label"])
    }

    @Test func `under other common labels nothing is restored but the time`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        rig.restore(state([total("held"), total("gone")], labels: #"instance="other",job="j""#))
        #expect(try rig.tick(60) == ["skipped"])
        #expect(try rig.tick(90) == [#"t_total{a="held"}: 7@90000"#])
        // Taken out first, put in then.
        #expect(rig.keys() == ["ended t_total held", "ended t_total gone", "began t_total held"])
    }

    @Test func `nothing is sent at or before the last reading of the process before`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        rig.restore(state([total("held"), total("gone")], last: 100))
        #expect(try rig.tick(90) == ["skipped"])
        #expect(try rig.tick(100) == ["skipped"])
        // What began meanwhile was not read as zero by this process.
        try #require(family.series(["new"])).increment()
        #expect(
            try rig.tick(milliseconds: 100_001) == [
                #"t_total{a="gone"}: stale@100001"#, #"t_total{a="held"}: 7@100001"#,
                #"t_total{a="new"}: 1@100001"#,
            ])
    }

    @Test func `a held series that ends before the first reading still gets its marker`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        _ = family.series(["held"])
        rig.restore(state([total("held")], last: 100))
        #expect(try rig.tick(90) == ["skipped"])
        family.end(["held"])
        #expect(try rig.tick(105) == [#"t_total{a="held"}: stale@105000"#])
    }

    @Test func `a last reading that nobody believes any more holds nothing back`() throws {
        var rig = try TableRig()
        _ = rig.registry.counter("t_total", "T.", labels: ["a"])
        rig.restore(state([total("gone")], last: 1_000_000))
        #expect(try rig.tick(90) == ["skipped"])
        rig.table.forgetFloor()
        #expect(try rig.tick(105) == [#"t_total{a="gone"}: stale@105000"#])
        #expect(try rig.tick(120) == [])
    }

    @Test func `a restored series whose first batch is dropped is not begun again`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        try #require(family.series(["held"])).increment(by: 7)
        rig.restore(state([total("held")]))
        _ = try rig.tick(90)
        rig.lose(wasAttempted: false)
        #expect(try rig.tick(105) == [#"t_total{a="held"}: 7@105000"#])
        rig.lose(wasAttempted: false)
        family.end(["held"])
        #expect(try rig.tick(120) == [#"t_total{a="held"}: stale@120000"#])
    }

    @Test func `the idle schedule has everything due at the first tick`() throws {
        var rig = try TableRig(idle: 60)
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        let counter = try #require(family.series(["held"]))
        counter.increment(by: 7)
        rig.restore(state([total("held")]))
        #expect(try rig.tick(90) == [#"t_total{a="held"}: 7@90000"#])
        #expect(try rig.tick(105) == [])
        #expect(try rig.tick(120) == [])
        counter.increment()
        #expect(try rig.tick(135) == [#"t_total{a="held"}: 7@120000 8@135000"#])
    }

    @Test func `the end tells the journal once the receiver has the markers`() throws {
        var rig = try TableRig()
        let family = rig.registry.counter("t_total", "T.", labels: ["a"])
        _ = family.series(["x"])
        rig.restore(state([]))
        _ = try rig.tick(90)
        _ = rig.keys()
        #expect(try rig.end(milliseconds: 90_001) == [#"t_total{a="x"}: stale@90001"#])
        let sequence = try #require(rig.batches.first).sequence
        rig.table.noteSettled(before: sequence)
        rig.table.releaseEnded()
        #expect(rig.keys() == [])
        rig.table.noteSettled(before: .max)
        rig.table.releaseEnded()
        #expect(rig.keys() == ["ended t_total x"])
    }

    @Test func `keys are kept for nobody where nobody takes them`() throws {
        var rig = try TableRig()
        _ = rig.registry.counter("t_total", "T.", labels: ["a"]).series(["x"])
        _ = try rig.tick(90)
        #expect(rig.keys() == [])
    }

    @Test func `the first reading of 93,000 series names each of them once`() throws {
        var rig = try TableRig()
        let organizations = (0..<1_000).map { "0d9d7bb1-52a4-4a4c-8ef4-\(100_000_000_000 + $0)" }
        let names = ["project", "region", "org_id"]
        for number in 0..<43 {
            let family = rig.registry.counter("t\(number)_total", "T.", labels: names)
            for id in organizations { _ = family.series(["default", "eu-central-1", id]) }
        }
        for number in 0..<5 {
            let family = rig.registry.histogram(
                "t\(number)_seconds", "T.", labels: names, bounds: [1, 2, 3, 4, 5, 6, 7])
            for id in organizations { _ = family.series(["default", "eu-central-1", id]) }
        }
        rig.table.recordsKeys = true
        let clock = ContinuousClock()
        let first = clock.measure { #expect(rig.read(15) == .made) }
        let (began, ended) = rig.table.takeKeys()
        // With those of the registry itself.
        #expect(began.count == 48_002)
        #expect(ended.isEmpty)
        var size = 0
        let encoding = clock.measure { size = began.reduce(0) { $0 + $1.bytes.count } }
        let second = clock.measure { #expect(rig.read(30) == .made) }
        print(
            "93,000 series: first reading \(first), second \(second); \(began.count) keys of",
            "\(MemoryLayout<SeriesKey>.stride) bytes in memory, \(size) bytes encoded in \(encoding)")
        let state = ShippedState(lastReading: Timestamp(seconds: 30), labels: Self.labels, series: began)
        var next = try TableRig()
        let restoring = clock.measure { next.restore(state) }
        print("restored in \(restoring)")
        #expect(next.read(45) == .made)
        // None of those families exists any more, but the registry's own.
        #expect(next.table.takeKeys().ended.count == 48_000)
    }
}
