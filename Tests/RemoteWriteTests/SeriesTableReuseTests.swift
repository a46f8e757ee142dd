import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Rows and groups that are reused, and batches that hold some of them.
@Suite struct SeriesTableReuseTests {
    /// Ends series of two kinds, and lets others reuse their rows.
    private func reused(_ fixture: inout SeriesTableFixture) throws {
        let gauges = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        let histograms = fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for round in 0..<3 {
            for number in 0..<4 {
                try #require(gauges.series(["\(round)-\(number)"])).set(number)
                try #require(histograms.series(["\(round)-\(number)"])).observe(1)
            }
            _ = try fixture.tick(Int64(15 + 45 * round))
            gauges.end { _ in true }
            histograms.end { _ in true }
            _ = try fixture.tick(Int64(30 + 45 * round))
            _ = try fixture.tick(Int64(45 + 45 * round))
            // The next round comes in another order.
            try #require(histograms.series(["first \(round)"])).observe(1)
        }
        for number in 0..<8 { try #require(histograms.series(["last \(number)"])).observe(1) }
        for number in 0..<8 { try #require(gauges.series(["last \(number)"])).set(1) }
    }

    @Test func `the samples of a reading are sorted by row, and a group's follow each other`() throws {
        var fixture = try SeriesTableFixture()
        try reused(&fixture)
        _ = try fixture.tick(600)
        let rows = fixture.block.samples.map(\.row)
        #expect(rows.count > 20 && rows == rows.sorted())
    }

    @Test func `what is lost is due`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        try reused(&fixture)
        let sent = try fixture.tick(600)
        fixture.lose(wasAttempted: true)
        let again = try fixture.tick(615)
        #expect(again.map { $0.prefix { $0 != ":" } } == sent.map { $0.prefix { $0 != ":" } })
    }

    @Test func `a row is not given to another series while a sample of it waits`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        try #require(family.series(["x"])).set(1)
        fixture.settles = false
        _ = try fixture.tick(15)
        let waiting = fixture.block
        family.end(["x"])
        _ = try fixture.tick(30)
        let marker = fixture.block
        try #require(family.series(["y"])).set(2)
        #expect(try fixture.tick(45) == [#"t_now{a="y"}: 2@45000"#])
        let lines = try WriteRequest(compressed: fixture.encoded(waiting)).series.map(\.text)
        #expect(lines.contains { $0.contains(#"a="x""#) })
        for block in [waiting, marker] { fixture.table.noteAccepted(block.samples[...]) }
        _ = try fixture.tick(60)
        try #require(family.series(["z"])).set(3)
        _ = try fixture.tick(75)
        let rows = Set(fixture.block.samples.map(\.row))
        #expect(rows.isSuperset(of: Set(marker.samples.map(\.row))))
    }

    @Test func `a series that ended before its batch was sent does not hide that another one was sent`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        fixture.settles = false
        _ = try fixture.tick(15)
        var sent = [fixture.block]
        try #require(family.series(["x"])).increment()
        _ = try fixture.tick(30)
        sent.append(fixture.block)
        family.end(["x"])
        let counter = try #require(family.series(["y"]))
        counter.increment(by: 5)
        #expect(try fixture.tick(45).last == #"t_total{a="y"}: 0@30000 5@45000"#)
        sent.append(fixture.block)
        _ = try fixture.tick(60)
        // The receiver answers again only now.
        for block in sent { fixture.table.noteAttempt(block.samples[...]) }
        counter.increment()
        _ = try fixture.tick(75)
        fixture.lose(fixture.block, wasAttempted: false)
        #expect(try fixture.tick(90) == [#"t_total{a="y"}: 6@90000"#])
    }
}
