import Metrics
import RemoteWrite
import Testing
import Wire

/// Stale markers that were lost, and are made again.
@Suite struct SeriesTableMarkerTests {
    @Test(arguments: [true, false])
    func `a stale marker that is lost is made again`(_ wasAttempted: Bool) throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try fixture.tick(15)
        fixture.table.noteAttempt(rows: fixture.batches[0].rows, sequence: fixture.batches[0].sequence)
        family.end(["x"])
        #expect(try fixture.tick(30) == [#"t_now{a="x"}: stale@30000"#])
        fixture.lose(wasAttempted: wasAttempted)
        #expect(try fixture.tick(45) == [#"t_now{a="x"}: stale@45000"#])
        #expect(try fixture.tick(60) == [])
    }

    @Test func `a stale marker that waits is remembered until it is settled`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try fixture.tick(15)
        fixture.table.noteAttempt(rows: fixture.batches[0].rows, sequence: fixture.batches[0].sequence)
        family.end(["x"])
        #expect(try fixture.tick(30) == [#"t_now{a="x"}: stale@30000"#])
        let marker = fixture.batches[0]
        for tick in 3...8 as ClosedRange<Int64> {
            fixture.table.noteSettled(before: marker.sequence)
            #expect(try fixture.tick(15 * tick) == [])
        }
        fixture.table.noteLoss(rows: marker.rows, sequence: marker.sequence, wasAttempted: true)
        #expect(try fixture.tick(150) == [#"t_now{a="x"}: stale@150000"#])
        // The loss of an earlier batch does not concern this marker.
        fixture.table.noteLoss(rows: marker.rows, sequence: marker.sequence, wasAttempted: true)
        fixture.table.noteSettled(before: .max)
        #expect(try fixture.tick(165) == [])
    }

    @Test func `a series that came back while its marker was lost has none`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try fixture.tick(15)
        fixture.table.noteAttempt(rows: fixture.batches[0].rows, sequence: fixture.batches[0].sequence)
        family.end(["x"])
        _ = try fixture.tick(30)
        fixture.lose(wasAttempted: true)
        try #require(family.series(["x"])).set(3)
        #expect(try fixture.tick(45) == [#"t_now{a="x"}: 3@45000"#])
    }

    @Test func `a receiver that refuses every marker is left alone at last`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try fixture.tick(15)
        family.end(["x"])
        var markers = 0
        for tick in 2...20 as ClosedRange<Int64> {
            markers += try fixture.tick(15 * tick).count
            fixture.lose(wasAttempted: true)
        }
        #expect(markers == Int(SeriesTable.Limits.markers))
        #expect(fixture.table.markersGivenUp == 1)
    }

    @Test func `a series that never left has no marker`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = try fixture.tick(15)
        _ = family.series(["x"])
        fixture.table.recordsKeys = true
        _ = try fixture.tick(30)
        fixture.lose(wasAttempted: false)
        family.end(["x"])
        #expect(try fixture.tick(45) == [])
        _ = try fixture.tick(60)
        #expect(fixture.keys() == ["ended t_now x", "began t_now x"])
    }

    @Test func `only so many ended series are kept for a receiver that is away`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        for number in 0..<(SeriesTable.Limits.endedKept + 10) { _ = family.series([String(number)]) }
        fixture.table.recordsKeys = true
        #expect(fixture.read(15) == .made)
        family.end { _ in true }
        _ = fixture.table.takeKeys()
        fixture.table.noteSettled(before: 1)
        #expect(fixture.read(30) == .made)
        #expect(fixture.table.markersGivenUp == 0)
        #expect(fixture.read(45) == .made)
        #expect(fixture.table.markersGivenUp == 10)
        #expect(fixture.keys().count == 10)
        fixture.table.noteSettled(before: .max)
        #expect(fixture.read(60) == .made)
        #expect(fixture.keys().count == SeriesTable.Limits.endedKept)
        #expect(fixture.table.markersGivenUp == 10)
    }
}
