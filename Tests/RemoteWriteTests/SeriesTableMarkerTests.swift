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
        family.end(["x"])
        #expect(try fixture.tick(30) == [#"t_now{a="x"}: stale@30000"#])
        let marker = fixture.block
        fixture.settles = false
        for tick in 3...8 as ClosedRange<Int64> { #expect(try fixture.tick(15 * tick) == []) }
        fixture.lose(marker, wasAttempted: true)
        fixture.settles = true
        #expect(try fixture.tick(150) == [#"t_now{a="x"}: stale@150000"#])
        #expect(try fixture.tick(165) == [])
    }

    @Test func `a series that came back while its marker was lost has none`() throws {
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try fixture.tick(15)
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
}
