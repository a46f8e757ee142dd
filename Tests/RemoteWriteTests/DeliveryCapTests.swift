import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// What a proxy that refuses does, and how the cap of a body falls and rises.
@Suite struct DeliveryCapTests {
    @Test func `a proxy that refuses our credentials holds everything: nobody has judged the samples`() throws {
        let rig = DeliveryRig()
        rig.enqueue(7)
        _ = try rig.send()
        #expect(rig.answer(407) == .held(.seconds(30)))
        rig.now += 30_000
        _ = try rig.send()
        #expect(rig.answer(204) == .accepted)
        #expect(rig.statistics.rejected == 0)
    }

    private let hour: Int64 = 3_600_000

    private func settle(_ rig: DeliveryRig, _ status: Int, bytes: Int) throws -> Delivery.Verdict {
        rig.enqueue(7, bytes: bytes)
        _ = try rig.send()
        return rig.answer(status)
    }

    @Test func `the cap doubles again every hour in which something is taken, up to what it was`() throws {
        let rig = DeliveryRig()
        for _ in 0..<2 { _ = try settle(rig, 413, bytes: 1_000) }
        #expect(rig.delivery.cap_bytes == 1 << 18)
        _ = try settle(rig, 204, bytes: 1_000)
        rig.now += hour - 1
        _ = try settle(rig, 204, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 1 << 18)
        rig.now += 1
        _ = try settle(rig, 204, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 1 << 19)
        _ = try settle(rig, 204, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 1 << 19)
        for _ in 0..<3 {
            rig.now += hour
            _ = try settle(rig, 204, bytes: 1_000)
            #expect(rig.delivery.cap_bytes == 1 << 20)
        }
    }

    @Test func `a cap that never fell does not rise`() throws {
        let rig = DeliveryRig(cap: 10_000)
        rig.now += 10 * hour
        _ = try settle(rig, 204, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 10_000)
    }

    @Test func `a cap that rose too high falls to what is known, and costs nothing`() throws {
        var table = try TableRig()
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
        // Small enough to be dropped by the rule for what nobody knows.
        try #require(batch.body.count < Delivery.Limits.split_bytes && batch.body.count > 40_000)

        let rig = DeliveryRig(cap: 1 << 16)
        _ = try settle(rig, 413, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 1 << 15)
        rig.now += hour
        _ = try settle(rig, 204, bytes: 1_000)
        #expect(rig.delivery.cap_bytes == 1 << 16)
        let before = rig.statistics.rejected
        rig.delivery.enqueue(batch, into: &rig.effects)
        _ = try rig.send()
        #expect(rig.answer(413) == .split)
        #expect(rig.delivery.cap_bytes == 1 << 15)
        while case .send(let attempt) = rig.delivery.next(at: rig.time, into: &rig.effects) {
            #expect(attempt.body.count < batch.body.count)
            #expect(rig.answer(204) == .accepted)
        }
        #expect(rig.statistics.rejected == before)
    }
}
