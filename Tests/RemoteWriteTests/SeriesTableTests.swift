import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

@Suite struct SeriesTableTests {
    @Test func `everything is sent at every tick by default`() throws {
        var fixture = try SeriesTableFixture()
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        let gauge = try #require(fixture.registry.gauge("t_rare", "T.").series())
        counter.increment(by: 2)
        gauge.set(5)
        #expect(try fixture.tick(15) == ["t_rare: 5@15000", "t_total: 2@15000"])
        #expect(try fixture.tick(30) == ["t_rare: 5@30000", "t_total: 2@30000"])
        #expect(try fixture.tick(45, "up") == ["up: 1@45000"])
    }

    @Test func `a counter that is new after the first tick starts with a zero`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        let first = try #require(family.series(["old"]))
        first.increment(by: 9)
        #expect(try fixture.tick(15) == [#"t_total{a="old"}: 9@15000"#])
        let second = try #require(family.series(["new"]))
        second.increment(by: 3)
        #expect(try fixture.tick(30) == [#"t_total{a="new"}: 0@15000 3@30000"#, #"t_total{a="old"}: 9@30000"#])
        #expect(try fixture.tick(45) == [#"t_total{a="new"}: 3@45000"#, #"t_total{a="old"}: 9@45000"#])
    }

    @Test func `a new counter that is still zero needs no other zero, and a new gauge never`() throws {
        var fixture = try SeriesTableFixture()
        _ = try fixture.tick(15)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        try #require(fixture.registry.gauge("t_now", "T.").series()).set(4)
        #expect(try fixture.tick(30) == ["t_now: 4@30000", "t_total: 0@30000"])
        counter.increment()
        #expect(try fixture.tick(45) == ["t_now: 4@45000", "t_total: 1@45000"])
    }

    @Test func `a histogram is sent whole, with cumulative buckets and the shortest bounds`() throws {
        var fixture = try SeriesTableFixture()
        _ = try fixture.tick(15)
        let histogram = try #require(
            fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [0.25, 30]).series(["x"]))
        histogram.observe(0.2)
        histogram.observe(7)
        histogram.observe(99)
        #expect(
            try fixture.tick(30) == [
                #"t_seconds_bucket{a="x",le="+Inf"}: 0@15000 3@30000"#,
                #"t_seconds_bucket{a="x",le="0.25"}: 0@15000 1@30000"#,
                #"t_seconds_bucket{a="x",le="30"}: 0@15000 2@30000"#,
                #"t_seconds_count{a="x"}: 0@15000 3@30000"#, #"t_seconds_sum{a="x"}: 0@15000 106.2@30000"#,
            ])
    }

    @Test func `a series that ends gets one stale marker, and its place is used again`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        try #require(family.series(["x"])).set(1)
        try #require(family.series(["y"])).set(2)
        _ = try fixture.tick(15)
        family.end(["x"])
        #expect(try fixture.tick(30) == [#"t_now{a="x"}: stale@30000"#, #"t_now{a="y"}: 2@30000"#])
        #expect(try fixture.tick(45) == [#"t_now{a="y"}: 2@45000"#])
        try #require(family.series(["z"])).set(3)
        #expect(try fixture.tick(60) == [#"t_now{a="y"}: 2@60000"#, #"t_now{a="z"}: 3@60000"#])
    }

    @Test func `a series that ended before it was ever sent leaves no trace`() throws {
        var fixture = try SeriesTableFixture()
        _ = try fixture.tick(15)
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        try #require(family.series(["x"])).set(1)
        family.end(["x"])
        #expect(try fixture.tick(30) == [])
    }

    @Test func `a counter that ends and comes back between two ticks is reset by a zero`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.")
        try #require(family.series()).increment(by: 50)
        _ = try fixture.tick(15)
        family.end([])
        try #require(family.series()).increment(by: 60)
        // The previous tick's own millisecond is taken, so the zero comes right after it.
        #expect(try fixture.tick(30) == ["t_total: 0@15001 60@30000"])
        #expect(try fixture.tick(45) == ["t_total: 60@45000"])
    }

    @Test func `a counter that comes back after its stale marker begins after it`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.")
        try #require(family.series()).increment(by: 50)
        _ = try fixture.tick(15)
        family.end([])
        #expect(try fixture.tick(30) == ["t_total: stale@30000"])
        try #require(family.series()).increment(by: 7)
        #expect(try fixture.tick(45) == ["t_total: 0@30001 7@45000"])
        family.end([])
        #expect(try fixture.tick(60) == ["t_total: stale@60000"])
        #expect(try fixture.tick(75) == [])
        try #require(family.series()).increment(by: 2)
        #expect(try fixture.tick(90) == ["t_total: 0@75000 2@90000"])
    }

    @Test func `a gauge that ends and comes back between two ticks just goes on`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.")
        try #require(family.series()).set(1)
        _ = try fixture.tick(15)
        family.end([])
        try #require(family.series()).set(2)
        #expect(try fixture.tick(30) == ["t_now: 2@30000"])
    }

    @Test func `the end marks every series stale, after its last sample`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        try #require(family.series(["x"])).set(1)
        _ = try fixture.tick(15)
        #expect(try fixture.end(milliseconds: 15_001) == [#"t_now{a="x"}: stale@15001"#])
    }

    @Test func `a clock that stands or goes back makes no reading`() throws {
        var fixture = try SeriesTableFixture()
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        #expect(try fixture.tick(15) == ["t_total: 0@15000"])
        counter.increment()
        #expect(try fixture.tick(15) == ["skipped"])
        #expect(try fixture.tick(14) == ["skipped"])
        #expect(try fixture.tick(16) == ["t_total: 1@16000"])
    }

    @Test func `not a number has one form, and it is not the stale marker`() throws {
        var fixture = try SeriesTableFixture()
        let gauge = try #require(fixture.registry.gauge("t_now", "T.").series())
        for bits: UInt64 in [
            0x7FF0_0000_0000_0002, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0001, 0x7FF0_0000_0000_0001,
        ] {
            gauge.set(Double(bitPattern: bits))
            let next = (fixture.table.lastReading ?? Timestamp(seconds: 1)) + .seconds(1)
            #expect(fixture.read(milliseconds: next.milliseconds) == .made)
            let request = try WriteRequest(compressed: fixture.encoded(fixture.block))
            let sample = request.series.first { $0.text.hasPrefix("t_now") }?.samples.first
            #expect(sample?.bits == 0x7FF8_0000_0000_0001)
        }
    }

    // MARK: Labels

    @Test func `a series' own labels win over job, instance and the external ones, and empty ones are left out`() throws
    {
        var fixture = try SeriesTableFixture(external: [
            (name: "region", value: "eu"), (name: "job", value: "never"), (name: "Zone", value: "z"),
            (name: "empty", value: ""),
        ])
        let family = fixture.registry.gauge("t_now", "T.", labels: ["region", "instance", "b", "empty_too"])
        try #require(family.series(["us", "own", "", ""])).set(1)
        try #require(family.series(["", "", "", "x"])).set(2)
        #expect(
            try fixture.tick(15) == [
                #"t_now{Zone="z",empty_too="x",region="eu"}: 2@15000"#,
                #"t_now{Zone="z",instance="own",region="us"}: 1@15000"#,
            ])
    }

    @Test func `names that Prometheus keeps for itself are refused`() {
        #expect(throws: CommonLabels.LabelFault.reserved("__x")) {
            try CommonLabels(job: "j", instance: "i", external: [(name: "__x", value: "1")])
        }
        for name in ["", "1a", "a-b", "ä"] {
            #expect(throws: CommonLabels.LabelFault.malformed(name)) {
                try CommonLabels(job: "j", instance: "i", external: [(name: name, value: "1")])
            }
        }
    }

    @Test func `label bytes survive any number of series that come and go`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        let long = String(repeating: "l", count: 400)
        for round in 0..<20 {
            for number in 0..<100 { try #require(family.series(["\(long)\(round)-\(number)"])).set(number) }
            let lines = try fixture.tick(Int64(15 * (round + 1)))
            #expect(lines.count == (round == 0 ? 100 : 200))
            for number in 0..<100 {
                #expect(lines.contains("t_now{a=\"\(long)\(round)-\(number)\"}: \(number)@\(15_000 * (round + 1))"))
            }
            family.end { _ in true }
        }
    }
}
