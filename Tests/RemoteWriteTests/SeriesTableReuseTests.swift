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

    @Test func `the batches of a reading have rows that rise and do not overlap`() throws {
        var fixture = try SeriesTableFixture()
        fixture.writer.limits.samples = 2
        try reused(&fixture)
        _ = try fixture.tick(600)
        #expect(fixture.batches.count > 8)
        for (batch, next) in zip(fixture.batches, fixture.batches.dropFirst()) {
            #expect(batch.rows.upperBound <= next.rows.lowerBound)
        }
    }

    @Test func `a batch names all of its rows: what it loses is due`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        try reused(&fixture)
        let sent = try fixture.tick(600)
        let batch = try #require(fixture.batches.first)
        fixture.table.noteAttempt(rows: batch.rows, sequence: batch.sequence)
        fixture.table.noteLoss(rows: batch.rows, sequence: batch.sequence, wasAttempted: true)
        let again = try fixture.tick(615)
        #expect(again.map { $0.prefix { $0 != ":" } } == sent.map { $0.prefix { $0 != ":" } })
    }

    @Test func `a series that ended before its batch was sent does not hide that another one was sent`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.counter("t_total", "T.", labels: ["a"])
        _ = try fixture.tick(15)
        var sent = fixture.batches
        try #require(family.series(["x"])).increment()
        _ = try fixture.tick(30)
        sent += fixture.batches
        family.end(["x"])
        let counter = try #require(family.series(["y"]))
        counter.increment(by: 5)
        #expect(try fixture.tick(45).last == #"t_total{a="y"}: 0@30000 5@45000"#)
        sent += fixture.batches
        _ = try fixture.tick(60)
        // The receiver answers again only now.
        for batch in sent { fixture.table.noteAttempt(rows: batch.rows, sequence: batch.sequence) }
        counter.increment()
        _ = try fixture.tick(75)
        let lost = try #require(fixture.batches.first)
        fixture.table.noteLoss(rows: lost.rows, sequence: lost.sequence, wasAttempted: false)
        #expect(try fixture.tick(90) == [#"t_total{a="y"}: 6@90000"#])
    }
}
