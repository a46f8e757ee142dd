import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Batches in the spool that are split.
@Suite struct DeliverySpoolSplitTests {
    /// A run whose first request, of 400 samples, is larger than receivers allow.
    private func large() throws -> SpoolTranscript {
        let run = try SpoolTranscript(samples: 400, noise: 1_000)
        run.tick(400)
        #expect(run.steps() == ["send 400 of 1"])
        try #require(run.underWay[0].body.count > Delivery.Limits.split_bytes)
        run.answer(503)
        run.tick(10)
        #expect(run.steps() == ["write batch 1: 400 of 1", "write block 1: 10 of 2", "send 400 of 1"])
        return run
    }

    @Test func `a batch that is too large is split, and its halves are written before they are sent`() throws {
        let run = try large()
        #expect(run.answer(413) == .split)
        #expect(run.steps() == ["write batch 1: 200 of 1, write batch 1.5: 200 of 1", "send 200 of 1"])
        #expect(run.statistics.spoolSamples == 410)
        run.answer(204)
        #expect(run.steps() == ["remove batch 1 (not synced)", "read batch 1.5", "send 200 of 1"])
        // The process ends before the answer.
        try run.restart()
        #expect(run.drain() == ["send 200 of 1", "send 10 of 2"])
        #expect(!run.spool.exists)
    }

    @Test func `a half that is split again keeps its place, although the disk is full`() throws {
        let run = try large()
        run.spool.refuses = true
        #expect(run.answer(413) == .split)
        #expect(
            run.steps() == ["failed: write batch 1: 200 of 1, write batch 1.5: 200 of 1", "send 200 of 1"])
        run.answer(204)
        #expect(run.steps() == ["send 200 of 1"])
        #expect(run.answer(413) == .split)
        run.now += 5_000
        #expect(run.step().hasPrefix("failed"))
        run.spool.refuses = false
        run.now += 5_000
        #expect(
            run.steps() == [
                "remove batch 1, write batch 1.5: 100 of 1, write batch 1.75: 100 of 1", "send 100 of 1",
            ])
        try run.restart()
        #expect(run.drain() == ["send 100 of 1", "send 100 of 1", "send 10 of 2"])
    }

    @Test func `a batch that the disk could not be told of leaves no row behind`() throws {
        let run = try large()
        run.spool.refuses = true
        #expect(run.answer(413) == .split)
        _ = run.steps()
        run.answer(204)
        _ = run.steps()
        run.answer(204)
        run.spool.refuses = false
        run.now += 5_000
        #expect(run.step().hasPrefix("remove batch 1"))
        #expect(run.spool.batches.isEmpty)
        #expect(run.drain() == ["send 10 of 2"])
    }

    @Test func `the halves of a batch take no place of another shard`() throws {
        let run = try SpoolTranscript(samples: 199, noise: 1_000) { $0.maxShards = 4 }
        run.tick(10)
        #expect(run.steps() == ["send 10 of 1"])
        run.tick(599)
        run.tick(599)
        #expect(run.steps().count == 3)
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        run.answer(204)
        _ = run.steps()
        #expect(run.underWay.map(\.shard) == [0, 1, 2, 3])
        // Shard 1 is the first that needs the next block. It gives all shards a batch more.
        let second = run.underWay.remove(at: 1)
        run.underWay.insert(second, at: 0)
        run.answer(204)
        #expect(run.step().hasPrefix("remove batch"))
        #expect(run.step() == "read block 2")
        #expect(run.step().hasPrefix("remove block 2, write batch"))
        let count = run.statistics.spoolSamples
        try #require(run.underWay[0].shard == 0 && run.underWay[0].body.count > Delivery.Limits.split_bytes)
        #expect(run.answer(413) == .split)
        #expect(run.step().hasPrefix("write batch"))
        #expect(run.spool.batches.values.reduce(0) { $0 + $1.samples.count } == count)
        try run.restart()
        _ = run.drain()
        #expect(Int(run.statistics.accepted) == count)
    }

    @Test func `the cap after a fall-back splits a batch, and the halves are written first`() throws {
        // The message of 1.0 has every label again, so it is larger.
        let measure = try SpoolTranscript { $0.message = .v2 }
        measure.tick(150)
        _ = measure.steps()
        let run = try SpoolTranscript { $0.message = .auto }
        run.limits.decoded_bytes = try SnappyBlock.decode(measure.underWay[0].body).count
        run.renew()
        run.tick(150)
        // Rows from 1 on: `up` is not among them, so the first request has one series.
        #expect(run.steps() == ["send 1 of 1 as 2.0"])
        run.fail(mayHaveArrived: true)
        run.tick(150)
        #expect(
            run.steps() == [
                "write batch 1: 1 of 1", "write block 1: 149 of 1", "write block 2: 150 of 2", "send 1 of 1 as 2.0",
            ])
        run.answer(204, written: 1)
        let steps = run.steps()
        #expect(steps.last == "send 149 of 1 as 2.0", "\(steps)")
        #expect(run.answer(415) == .fellBack(.unsupported))
        #expect(
            run.steps() == [
                "note requests (not synced)", "write batch 2: 74 of 1, write batch 2.5: 75 of 1", "send 74 of 1",
            ])
        _ = run.drain()
        #expect(run.statistics.accepted == 300)
    }
}
