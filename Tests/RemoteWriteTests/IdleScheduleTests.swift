import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The idle schedule with `IDLE_PUSH_INTERVAL` = 60 s and ticks every 15 s.
@Suite struct IdleScheduleTests {
    @Test func `an unchanged counter is sent once per idle interval`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        try #require(fixture.registry.counter("t_total", "T.").series()).increment()
        var sent: [Int64] = []
        for second in stride(from: Int64(15), through: 255, by: 15) {
            if try !fixture.tick(second).isEmpty { sent.append(second) }
        }
        #expect(sent == [15, 75, 135, 195, 255])
    }

    @Test func `a change does not move the grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        var sent: [Int64] = []
        for second in stride(from: Int64(15), through: 255, by: 15) {
            if second == 60 || second == 90 { counter.increment() }
            if try !fixture.tick(second).isEmpty { sent.append(second) }
        }
        #expect(sent == [15, 60, 75, 90, 135, 195, 255])
    }

    @Test func `ticks that come late or early do not make it rarer`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        try #require(fixture.registry.counter("t_total", "T.").series()).increment()
        var sent: [Int64] = []
        let jitter: [Int64] = [40, -30, 12, 0, -45, 33, -2, 18, -20]
        for tick in Int64(1)...17 {
            let time = tick * 15_000 + jitter[Int(tick) % jitter.count]
            if try !fixture.tick(milliseconds: time).isEmpty { sent.append(tick) }
        }
        #expect(sent == [1, 5, 9, 13, 17])
    }

    @Test func `no series is silent for longer than the idle interval, also where ticks do not divide it`() throws {
        var fixture = try SeriesTableFixture(push: 100, idle: 240)
        try #require(fixture.registry.counter("t_total", "T.").series()).increment()
        try #require(fixture.registry.gauge("t_rare", "T.").series()).set(1)
        var sent: [Int64] = []
        for second in stride(from: Int64(100), through: 2_000, by: 100) {
            if try fixture.tick(second).count == 2 { sent.append(second) }
        }
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1 - $0 <= 240 })
        #expect(sent.count == 10)
    }

    @Test func `a change after idling is preceded by the old value at the previous tick`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        counter.increment(by: 5)
        #expect(try fixture.tick(15) == ["t_total: 5@15000"])
        #expect(try fixture.tick(30) == [])
        #expect(try fixture.tick(45) == [])
        counter.increment()
        #expect(try fixture.tick(60) == ["t_total: 5@45000 6@60000"])
        counter.increment()
        // The counter was sent at the previous tick, so no earlier sample is needed.
        #expect(try fixture.tick(75) == ["t_total: 7@75000"])
        #expect(try fixture.tick(90) == [])
    }

    @Test func `the previous tick is that of the last reading, not of the grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        #expect(try fixture.tick(15) == ["t_total: 0@15000"])
        #expect(try fixture.tick(milliseconds: 30_007) == [])
        counter.increment()
        // One reading in between was missed.
        #expect(try fixture.tick(60) == ["t_total: 0@30007 1@60000"])
    }

    @Test func `a histogram's series are sent together when one of them has changed`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let histogram = try #require(fixture.registry.histogram("t_seconds", "T.", bounds: [1, 2]).series())
        histogram.observe(0.5)
        #expect(try fixture.tick(15).count == 5)
        #expect(try fixture.tick(30) == [])
        histogram.observe(5)
        #expect(
            try fixture.tick(45) == [
                #"t_seconds_bucket{le="+Inf"}: 1@30000 2@45000"#, #"t_seconds_bucket{le="1"}: 1@30000 1@45000"#,
                #"t_seconds_bucket{le="2"}: 1@30000 1@45000"#, "t_seconds_count: 1@30000 2@45000",
                "t_seconds_sum: 0.5@30000 5.5@45000",
            ])
    }

    @Test func `gauges with the cadence of ticks are sent at every one, others on a fixed grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        let active = try #require(fixture.registry.gauge("t_active", "T.", cadence: .everyTick).series())
        let rare = try #require(fixture.registry.gauge("t_rare", "T.", cadence: .idleGrid).series())
        active.set(1)
        rare.set(1)
        var sent: [Int64] = []
        for second in stride(from: Int64(15), through: 195, by: 15) {
            // A change does not make a series of the idle grid due.
            rare.set(Double(second))
            let lines = try fixture.tick(second)
            #expect(lines.contains { $0.hasPrefix("t_active") })
            if lines.contains(where: { $0.hasPrefix("t_rare") }) { sent.append(second) }
        }
        #expect(sent == [15, 75, 135, 195])
        #expect(try fixture.tick(210, "up") == ["up: 1@210000"])
    }

    @Test func `a new gauge does not wait for the grid`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        _ = try fixture.tick(60)
        try #require(fixture.registry.gauge("t_rare", "T.").series()).set(3)
        #expect(try fixture.tick(75) == ["t_rare: 3@75000"])
        #expect(try fixture.tick(90) == [])
    }

    @Test func `series whose samples were lost are due at the next tick`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        try #require(fixture.registry.counter("t_total", "T.").series()).increment()
        _ = try fixture.tick(15)
        fixture.lose(wasAttempted: true)
        #expect(try fixture.tick(30) == ["t_total: 1@30000"])
        #expect(try fixture.tick(45) == [])
    }

    @Test func `a new counter whose every sample was dropped unsent begins from zero once more`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        _ = try fixture.tick(15)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        counter.increment(by: 3)
        #expect(try fixture.tick(30) == ["t_total: 0@15000 3@30000"])
        fixture.lose(wasAttempted: false)
        counter.increment()
        #expect(try fixture.tick(45) == ["t_total: 0@30000 4@45000"])
    }

    @Test func `a counter that a receiver may know does not begin from zero again`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        _ = try fixture.tick(15)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        counter.increment(by: 3)
        #expect(try fixture.tick(30) == ["t_total: 0@15000 3@30000"])
        fixture.lose(wasAttempted: true)
        counter.increment()
        #expect(try fixture.tick(45) == ["t_total: 4@45000"])
    }

    @Test func `a counter with a later batch that still waits does not begin from zero again`() throws {
        var fixture = try SeriesTableFixture(idle: 60)
        _ = try fixture.tick(15)
        let counter = try #require(fixture.registry.counter("t_total", "T.").series())
        counter.increment(by: 3)
        fixture.settles = false
        _ = try fixture.tick(30)
        let lost = fixture.block
        counter.increment()
        #expect(try fixture.tick(45) == ["t_total: 4@45000"])
        fixture.lose(lost, wasAttempted: false)
        #expect(try fixture.tick(60) == ["t_total: 4@60000"])
    }
}
