import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The bound of what waits.
@Suite struct DeliveryMemoryTests {
    /// The samples of each reading that is sent from now on.
    private func sent(_ fixture: DeliveryFixture) throws -> [Int] {
        var readings: [Int] = []
        while !fixture.delivery.isEmpty {
            let (reading, _) = try fixture.send()
            readings.append(reading)
            fixture.answer(204)
        }
        return readings
    }

    @Test func `the oldest samples go when memory is used up, but never those under way`() throws {
        let fixture = try DeliveryFixture { $0.queue = ByteCount(8_000) }
        fixture.enqueue(100)
        try fixture.send()
        for _ in 2...40 { fixture.enqueue(100) }
        let dropped = try #require(fixture.statistics.dropped[.queueFull])
        #expect(dropped > 0 && dropped.isMultiple(of: 100))
        #expect(fixture.statistics.queue_bytes <= 8_000)
        fixture.answer(204)
        let rest = try sent(fixture)
        // The newest are left, without a gap.
        #expect(rest.last == 40 && rest.count == 39 - Int(dropped / 100))
        #expect(rest == Array((41 - rest.count)...40))
        #expect(fixture.statistics.queue_bytes == 0)
    }

    @Test func `a batch that waits for its retry may go`() throws {
        let fixture = try DeliveryFixture { $0.queue = ByteCount(8_000) }
        fixture.enqueue(100)
        try fixture.send()
        fixture.answer(503)
        for _ in 2...40 { fixture.enqueue(100) }
        // The wait of the receiver still counts.
        fixture.now += try #require(fixture.wait())
        let next = try fixture.send()
        #expect(next.reading > 1)
        #expect(next.attempt.retry == 0)
    }

    @Test func `a reading larger than the memory is dropped under its own name, and takes no other one with it`() throws
    {
        let fixture = try DeliveryFixture { $0.queue = ByteCount(1_600) }
        fixture.enqueue(2)
        fixture.enqueue(3)
        fixture.enqueue(2_000)
        #expect(fixture.statistics.dropped == [.tooLarge: 2_000])
        let rest = try sent(fixture)
        #expect(rest == [1, 2])
    }

    @Test func `what waits takes a few bytes a sample`() throws {
        let fixture = try DeliveryFixture(samples: 1_000)
        fixture.enqueue(1_000)
        try fixture.send()
        let one = fixture.statistics.queue_bytes
        for _ in 0..<20 { fixture.enqueue(1_000) }
        #expect(fixture.statistics.queue_bytes - one < 20 * 1_000 * 2)
        fixture.answer(204)
        #expect(try sent(fixture).count == 20)
    }

    @Test func `samples from the future are given up, and those from before stay`() throws {
        let fixture = try DeliveryFixture()
        for _ in 0..<3 { fixture.enqueue(10) }
        try fixture.send()
        fixture.now += 1_000_000
        for _ in 0..<3 { fixture.enqueue(10) }
        fixture.delivery.dropFuture(after: fixture.wall - .seconds(500), &fixture.table)
        #expect(fixture.statistics.dropped == [.clock: 30])
        fixture.answer(204)
        #expect(try sent(fixture) == [2, 3])
        #expect(fixture.statistics.queue_bytes == 0)
    }
}
