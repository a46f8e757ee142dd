import Metrics
import RemoteWrite
import Testing
import Wire

/// Stale markers that are lost, and made again.
@Suite struct SeriesTableMarkerTests {
    @Test(arguments: [true, false])
    func `a stale marker that is lost is made again`(_ wasAttempted: Bool) throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try rig.tick(15)
        rig.table.noteAttempt(rows: rig.batches[0].rows, sequence: rig.batches[0].sequence)
        family.end(["x"])
        #expect(try rig.tick(30) == [#"t_now{a="x"}: stale@30000"#])
        rig.lose(wasAttempted: wasAttempted)
        #expect(try rig.tick(45) == [#"t_now{a="x"}: stale@45000"#])
        #expect(try rig.tick(60) == [])
    }

    @Test func `a stale marker that waits is remembered until it is settled`() throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try rig.tick(15)
        rig.table.noteAttempt(rows: rig.batches[0].rows, sequence: rig.batches[0].sequence)
        family.end(["x"])
        #expect(try rig.tick(30) == [#"t_now{a="x"}: stale@30000"#])
        let marker = rig.batches[0]
        for tick in 3...8 as ClosedRange<Int64> {
            rig.table.noteSettled(before: marker.sequence)
            #expect(try rig.tick(15 * tick) == [])
        }
        rig.table.noteLoss(rows: marker.rows, sequence: marker.sequence, wasAttempted: true)
        #expect(try rig.tick(150) == [#"t_now{a="x"}: stale@150000"#])
        // The loss of an earlier batch says nothing of this one.
        rig.table.noteLoss(rows: marker.rows, sequence: marker.sequence, wasAttempted: true)
        rig.table.noteSettled(before: .max)
        #expect(try rig.tick(165) == [])
    }

    @Test func `a series that came back while its marker was lost has none`() throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try rig.tick(15)
        rig.table.noteAttempt(rows: rig.batches[0].rows, sequence: rig.batches[0].sequence)
        family.end(["x"])
        _ = try rig.tick(30)
        rig.lose(wasAttempted: true)
        try #require(family.series(["x"])).set(3)
        #expect(try rig.tick(45) == [#"t_now{a="x"}: 3@45000"#])
    }

    @Test func `a receiver that refuses every marker is left alone at last`() throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        _ = family.series(["x"])
        _ = try rig.tick(15)
        family.end(["x"])
        var markers = 0
        for tick in 2...20 as ClosedRange<Int64> {
            markers += try rig.tick(15 * tick).count
            rig.lose(wasAttempted: true)
        }
        #expect(markers == Int(SeriesTable.Limits.markers))
        #expect(rig.table.markersGivenUp == 1)
    }

    @Test func `a series that never left has no marker`() throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        _ = try rig.tick(15)
        _ = family.series(["x"])
        rig.table.recordsKeys = true
        _ = try rig.tick(30)
        rig.lose(wasAttempted: false)
        family.end(["x"])
        #expect(try rig.tick(45) == [])
        _ = try rig.tick(60)
        #expect(rig.keys() == ["ended t_now x", "began t_now x"])
    }

    @Test func `only so many ended series are kept for a receiver that is away`() throws {
        var rig = try TableRig()
        let family = rig.registry.gauge("t_now", "T.", labels: ["a"])
        for number in 0..<(SeriesTable.Limits.endedKept + 10) { _ = family.series([String(number)]) }
        rig.table.recordsKeys = true
        #expect(rig.read(15) == .made)
        family.end { _ in true }
        _ = rig.table.takeKeys()
        rig.table.noteSettled(before: 1)
        #expect(rig.read(30) == .made)
        #expect(rig.table.markersGivenUp == 0)
        #expect(rig.read(45) == .made)
        #expect(rig.table.markersGivenUp == 10)
        #expect(rig.keys().count == 10)
        rig.table.noteSettled(before: .max)
        #expect(rig.read(60) == .made)
        #expect(rig.keys().count == SeriesTable.Limits.endedKept)
        #expect(rig.table.markersGivenUp == 10)
    }
}
