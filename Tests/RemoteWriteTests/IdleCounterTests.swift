import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Counters of time: they change with every tick, so they go on the idle grid only.
@Suite struct IdleCounterTests {
    /// Lets a counter grow by the seconds that pass, and reads it at ticks of 15 s.
    ///
    /// - Returns: the seconds at which it was sent, each with one sample.
    private func grow(_ fixture: inout SeriesTableFixture, _ counter: Counter, from first: Int64, through last: Int64)
        throws -> [Int64]
    {
        var sent: [Int64] = []
        for second in stride(from: first, through: last, by: 15) {
            counter.set(total: Double(second))
            let lines = try fixture.tick(second)
            #expect(lines.isEmpty || lines == ["t_seconds_total: \(second)@\(second)000"])
            if !lines.isEmpty { sent.append(second) }
        }
        return sent
    }

    private func counter(_ fixture: SeriesTableFixture) throws -> Counter {
        try #require(fixture.registry.counter("t_seconds_total", "T.", cadence: .idleGrid).series())
    }

    @Test func `a counter that changes with every tick is sent on the idle grid, without the value before`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try counter(fixture)
        #expect(try grow(&fixture, counter, from: 15, through: 255) == [15, 75, 135, 195, 255])
        // It is sent unchanged as well.
        var sent: [Int64] = []
        for second in stride(from: Int64(270), through: 390, by: 15) {
            if try !fixture.tick(second).isEmpty { sent.append(second) }
        }
        #expect(sent == [315, 375])
        // A change after idling waits for the grid, and brings no earlier sample.
        #expect(try grow(&fixture, counter, from: 405, through: 435) == [435])
    }

    @Test func `a new one is sent at once, after a zero, and then on the grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let family = fixture.registry.counter("t_seconds_total", "T.", cadence: .idleGrid)
        #expect(try fixture.tick(15) == [])
        #expect(try fixture.tick(30) == [])
        let counter = try #require(family.series())
        counter.increment(by: 12)
        #expect(try fixture.tick(45) == ["t_seconds_total: 0@30000 12@45000"])
        #expect(try grow(&fixture, counter, from: 60, through: 150) == [75, 135])
    }

    @Test func `one that is new with nothing counted is its own zero`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        _ = try fixture.tick(15)
        let counter = try counter(fixture)
        #expect(try fixture.tick(30) == ["t_seconds_total: 0@30000"])
        #expect(try grow(&fixture, counter, from: 45, through: 135) == [75, 135])
    }

    @Test func `with equal intervals it is sent at every tick`() throws {
        var fixture = try SeriesTableFixture(push: 15, idle: 15)
        let counter = try counter(fixture)
        #expect(try grow(&fixture, counter, from: 15, through: 90) == [15, 30, 45, 60, 75, 90])
        #expect(try fixture.tick(105) == ["t_seconds_total: 90@105000"])
    }

    @Test func `a sample that is lost is made up for at the next tick, and the grid stays`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try counter(fixture)
        #expect(try grow(&fixture, counter, from: 15, through: 75) == [15, 75])
        fixture.lose(wasAttempted: true)
        #expect(try grow(&fixture, counter, from: 90, through: 150) == [90, 135])
        // One whose first samples were never sent begins again from zero.
        var other = try SeriesTableFixture(idle: 60)
        _ = try other.tick(15)
        let late = try self.counter(other)
        late.increment(by: 3)
        #expect(try other.tick(30) == ["t_seconds_total: 0@15000 3@30000"])
        other.lose(wasAttempted: false)
        late.increment(by: 15)
        #expect(try other.tick(45) == ["t_seconds_total: 0@30000 18@45000"])
    }

    @Test func `a restored one goes on without a zero, and one that is gone gets a stale marker`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let family = fixture.registry.counter("t_seconds_total", "T.", labels: ["kind"], cadence: .idleGrid)
        fixture.restore(
            ShippedState(
                lastReading: Timestamp(seconds: 5), labels: #"instance="i",job="j""#,
                series: ["agent", "sip"].map { SeriesKey(family: "t_seconds_total", labelValues: [$0]) }))
        family.series(["agent"])?.set(total: 100)
        #expect(
            try fixture.tick(15) == [
                #"t_seconds_total{kind="agent"}: 100@15000"#, #"t_seconds_total{kind="sip"}: stale@15000"#,
            ])
        family.series(["agent"])?.set(total: 115)
        #expect(try fixture.tick(30) == [])
        family.end(["agent"])
        #expect(try fixture.tick(45) == [#"t_seconds_total{kind="agent"}: stale@45000"#])
        // It came back before the grid came round: its numbers begin again.
        family.series(["agent"])?.increment(by: 2)
        #expect(try fixture.tick(60) == [#"t_seconds_total{kind="agent"}: 0@45001 2@60000"#])
    }

    @Test func `the last reading has what was counted since the grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try counter(fixture)
        try #require(fixture.registry.gauge("t_rare", "T.").series()).set(1)
        #expect(try fixture.tick(15).count == 2)
        counter.increment(by: 20)
        #expect(try fixture.tick(30) == [])
        #expect(try fixture.tick(milliseconds: 35_000, isLast: true) == ["t_seconds_total: 20@35000"])
    }

    @Test func `a counter goes with its changes or on the grid, and a histogram with its changes only`() {
        let cadences = FamilyDescriptor.Cadence.allCases
        func allowed(_ kind: FamilyDescriptor.Kind) -> [FamilyDescriptor.Cadence] {
            cadences.filter { FamilyDescriptor.fault(kind: kind, cadence: $0) == nil }
        }
        #expect(allowed(.counter) == [.onChange, .idleGrid])
        #expect(allowed(.histogram(bounds: [1])) == [.onChange])
        #expect(allowed(.gauge) == cadences)
    }
}
