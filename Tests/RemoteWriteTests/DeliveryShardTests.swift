import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Several requests at once: when there are more, when there are fewer, and what a receiver with too much to do gets.
@Suite struct DeliveryShardTests {
    private func fixture(shards: Int = 4) throws -> DeliveryFixture {
        try DeliveryFixture({ $0.maxShards = shards }, samples: 150)
    }

    /// A tick: what waits from the one before is a backlog.
    private func tick(_ fixture: DeliveryFixture, _ samples: Int = 1_000) {
        fixture.now += 15_000
        fixture.delivery.noteTick(at: fixture.time)
        fixture.enqueue(samples)
    }

    /// All requests that may be under way now.
    private func requests(_ fixture: DeliveryFixture) -> [Delivery.Attempt] {
        var attempts: [Delivery.Attempt] = []
        while case .send(let attempt) = fixture.delivery.next(at: fixture.time, &fixture.table) {
            attempts.append(attempt)
        }
        return attempts
    }

    private func acceptAll(_ fixture: DeliveryFixture) {
        while !fixture.delivery.isEmpty {
            for attempt in requests(fixture) { fixture.answer(204, shard: attempt.shard) }
            fixture.now += 1
        }
    }

    @Test func `without a backlog one request follows the other`() throws {
        let fixture = try fixture()
        for _ in 0..<10 {
            tick(fixture)
            #expect(requests(fixture).count == 1)
            fixture.answer(204, shard: 0)
            acceptAll(fixture)
        }
        #expect(fixture.statistics.shards == 1)
    }

    @Test func `each tick with a backlog adds one request, up to the most`() throws {
        let fixture = try fixture()
        tick(fixture)
        for expected in [2, 3, 4, 4, 4] {
            tick(fixture)
            #expect(requests(fixture).count == expected)
            #expect(fixture.statistics.shards == expected)
            for shard in 0..<expected { fixture.answer(204, shard: shard) }
        }
        acceptAll(fixture)
        for _ in 0..<20 {
            tick(fixture)
            acceptAll(fixture)
        }
        #expect(fixture.statistics.shards == 1)
    }

    @Test func `an outage adds no request, and one that is tried again blocks only its own series`() throws {
        let fixture = try fixture(shards: 2)
        tick(fixture)
        tick(fixture)
        let both = requests(fixture)
        try #require(both.count == 2)
        fixture.answer(503, shard: both[0].shard)
        for _ in 0..<20 {
            fixture.answer(204, shard: both[1].shard)
            let next = requests(fixture)
            if next.isEmpty { break }
            #expect(next.map(\.shard) == [both[1].shard])
        }
        #expect(!fixture.delivery.isEmpty)
        for _ in 0..<5 {
            tick(fixture)
            for attempt in requests(fixture) { fixture.answer(503, shard: attempt.shard) }
        }
        #expect(fixture.statistics.shards == 2)
    }

    @Test(arguments: [429, 529])
    func `a receiver with too much to do gets half as many requests, and these more slowly`(_ status: Int) throws {
        let fixture = try fixture()
        for _ in 0..<5 { tick(fixture, 2_000) }
        let four = requests(fixture)
        try #require(four.count == 4)
        fixture.now += 100
        for attempt in four.dropFirst() { fixture.answer(204, shard: attempt.shard) }
        fixture.answer(status, retryAfter: .seconds(10), shard: four[0].shard)
        // The wait is for all: the limit is that of a tenant.
        #expect(fixture.wait() == 10_000)
        fixture.now += 10_000
        var begun: [Int64] = []
        var most = 0
        var underWay: [Delivery.Attempt] = []
        for _ in 0..<400 where begun.count < 12 {
            let new = requests(fixture)
            underWay += new
            most = max(most, underWay.count)
            begun += new.map { _ in fixture.now }
            fixture.now += 25
            if let first = underWay.first {
                fixture.answer(204, shard: first.shard)
                underWay.removeFirst()
            }
        }
        #expect(fixture.statistics.shards == 2)
        // Four at once took 100 ms, so it was 40 a second; half of it is one every 50 ms.
        let gaps = zip(begun.dropFirst(), begun).map(-)
        #expect(gaps.contains { $0 >= 50 } && most <= 2)
        #expect(fixture.statistics.rejected == 0 && fixture.statistics.droppedInAll == 0)
    }

    @Test func `the requests that would be needed are told, also beyond the most`() throws {
        let fixture = try fixture(shards: 2)
        tick(fixture, 150)
        _ = requests(fixture)
        // A request of 150 samples takes 10 s.
        fixture.now += 10_000
        fixture.answer(204, shard: 0)
        fixture.enqueue(1_500)
        for _ in 0..<40 {
            fixture.now += 20_000
            fixture.delivery.noteTick(at: fixture.time)
        }
        fixture.enqueue(1)
        // 15 samples a second, and 20 s for 1,500 of them.
        #expect((4.9...5.1).contains(fixture.statistics.shardsDesired))
    }

    @Test func `the end gives up what is left of every shard`() throws {
        let fixture = try fixture()
        for _ in 0..<4 { tick(fixture) }
        let begun = requests(fixture)
        #expect(begun.count == 4)
        fixture.delivery.abandon(&fixture.table)
        #expect(fixture.statistics.ambiguous == UInt64(begun.reduce(0) { $0 + $1.samples }))
        #expect(fixture.statistics.pending == 0)
    }
}
