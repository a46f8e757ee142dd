import RemoteWrite
import TestSupport
import Testing

/// The end of a delivery, which a stop waits for.
@Suite struct DeliveryEndTests {
    /// The fixture checks after each answer that what is pending waits, and nothing else does.
    @Test(arguments: [0, 1])
    func `nothing waits when the last sample has its answer, whichever shard had no part in the last reading`(
        _ first: Int
    ) throws {
        let fixture = try DeliveryFixture({ $0.maxShards = 2 }, samples: 150)
        func tick(_ samples: Int) {
            fixture.now += 15_000
            fixture.delivery.noteTick(at: fixture.time)
            fixture.enqueue(samples)
        }
        func requests() -> [Delivery.Attempt] {
            var attempts: [Delivery.Attempt] = []
            while case .send(let attempt) = fixture.delivery.next(at: fixture.time, &fixture.table) {
                attempts.append(attempt)
            }
            return attempts
        }
        // A backlog makes two shards.
        tick(1_000)
        tick(1_000)
        while !fixture.delivery.isEmpty {
            for attempt in requests() { fixture.answer(204, shard: attempt.shard) }
            fixture.now += 1
        }
        tick(100)
        #expect(requests().count == 2)
        // One series: one of the shards has no part in this reading.
        fixture.enqueue(1)
        fixture.answer(204, shard: first)
        for attempt in requests() { fixture.answer(204, shard: attempt.shard) }
        fixture.answer(204, shard: 1 - first)
        for attempt in requests() { fixture.answer(204, shard: attempt.shard) }
        #expect(fixture.statistics.pending == 0)
    }
}
