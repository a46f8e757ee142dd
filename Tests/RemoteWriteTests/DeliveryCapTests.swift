import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A proxy that refuses, and the size limit of bodies, which falls and rises.
@Suite struct DeliveryCapTests {
    @Test func `a proxy that refuses our credentials holds everything: nobody has judged the samples`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(407) == .held(.seconds(30)))
        fixture.now += 30_000
        _ = try fixture.send()
        #expect(fixture.answer(204) == .accepted)
        #expect(fixture.statistics.rejected == 0)
    }

    private let hour: Int64 = 3_600_000

    private func settle(_ fixture: DeliveryFixture, _ status: Int, bytes: Int) throws -> Delivery.Verdict {
        fixture.enqueue(7, bytes: bytes)
        _ = try fixture.send()
        return fixture.answer(status)
    }

    @Test func `the cap doubles again every hour in which something is taken, up to what it was`() throws {
        let fixture = DeliveryFixture()
        for _ in 0..<2 { _ = try settle(fixture, 413, bytes: 1_000) }
        #expect(fixture.delivery.cap_bytes == 1 << 18)
        _ = try settle(fixture, 204, bytes: 1_000)
        fixture.now += hour - 1
        _ = try settle(fixture, 204, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 1 << 18)
        fixture.now += 1
        _ = try settle(fixture, 204, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 1 << 19)
        _ = try settle(fixture, 204, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 1 << 19)
        for _ in 0..<3 {
            fixture.now += hour
            _ = try settle(fixture, 204, bytes: 1_000)
            #expect(fixture.delivery.cap_bytes == 1 << 20)
        }
    }

    @Test func `a cap that never fell does not rise`() throws {
        let fixture = DeliveryFixture(cap: 10_000)
        fixture.now += 10 * hour
        _ = try settle(fixture, 204, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 10_000)
    }

    @Test func `a cap that rose too high falls to what is known, and costs nothing`() throws {
        var table = try SeriesTableFixture()
        let family = table.registry.gauge("t_now", "T.", labels: ["n"])
        var random = SplitMix(seed: 7)
        for number in 0..<3_000 {
            let noise = (0..<2).map { _ in String(random.next(), radix: 36) }.joined()
            try #require(family.series([noise])).set(number)
        }
        table.table.apply(table.registry.takeChanges())
        _ = table.table.read(at: Timestamp(seconds: 1_700_000_000), into: &table.writer)
        table.writer.finish(into: &table.batches)
        let batch = try #require(table.batches.first)
        // A batch of this size would be rejected, not split, if no size that the receiver accepts were known.
        try #require(batch.body.count < Delivery.Limits.split_bytes && batch.body.count > 40_000)

        let fixture = DeliveryFixture(cap: 1 << 16)
        _ = try settle(fixture, 413, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 1 << 15)
        fixture.now += hour
        _ = try settle(fixture, 204, bytes: 1_000)
        #expect(fixture.delivery.cap_bytes == 1 << 16)
        let before = fixture.statistics.rejected
        fixture.delivery.enqueue(batch, into: &fixture.effects)
        _ = try fixture.send()
        #expect(fixture.answer(413) == .split)
        #expect(fixture.delivery.cap_bytes == 1 << 15)
        while case .send(let attempt) = fixture.delivery.next(at: fixture.time, into: &fixture.effects) {
            #expect(attempt.body.count < batch.body.count)
            #expect(fixture.answer(204) == .accepted)
        }
        #expect(fixture.statistics.rejected == before)
    }
}
