import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A spool that cannot be written, cannot be read, or has lost something.
@Suite struct DeliverySpoolTroubleTests {
    private func failing() throws -> SpoolTranscript {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(503)
        return run
    }

    // MARK: Writing

    @Test func `what cannot be written waits in memory, and is written later in the same order`() throws {
        let run = try failing()
        run.spool.refuses = true
        #expect(run.steps() == ["failed: write batch 1: 10 of 1"])
        run.enqueue()
        run.now += 300
        #expect(run.steps() == [], "the disk is left alone for five seconds")
        run.now += 4_700
        #expect(run.steps() == ["failed: write batch 2: 10 of 1", "send 10 of 1"], "the receiver is not")
        run.answer(503)
        run.tick()
        run.spool.refuses = false
        #expect(
            run.steps() == [
                "write batch 3: 10 of 1", "write block 1: 10 of 2", "write block 2: 10 of 3", "send 10 of 1",
            ])
        #expect(run.statistics.spoolFailures == 2)
        run.answer(204)
        #expect(run.drain() == ["send 10 of 2", "send 10 of 3"])
    }

    @Test func `samples are sent although the disk refuses to note it`() throws {
        let run = try failing()
        #expect(run.steps() == ["write batch 1: 10 of 1"])
        run.tick()
        #expect(run.steps() == ["write block 1: 10 of 2", "send 10 of 1"])
        run.spool.refuses = true
        run.answer(204)
        #expect(run.steps() == ["failed: remove batch 1 (not synced)", "read block 1", "send 10 of 2"])
        run.answer(204)
        #expect(run.statistics.accepted == 20)
        // Nothing waits, so the file goes as a whole.
        #expect(run.steps() == ["remove the file"])
    }

    @Test func `a spool that was never written leaves nothing behind`() throws {
        let run = try failing()
        run.spool.refuses = true
        #expect(run.steps() == ["failed: write batch 1: 10 of 1"])
        run.now += 1_000
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(204)
        #expect(run.steps() == [])
        #expect(!run.statistics.isSpooling && run.spool.removals == 0)
    }

    // MARK: Reading

    @Test func `what cannot be read is read again after five seconds`() throws {
        let run = try failing()
        _ = run.steps()
        run.tick()
        #expect(run.steps() == ["write block 1: 10 of 2", "send 10 of 1"])
        run.answer(204)
        run.spool.refusesReads = true
        #expect(run.steps() == ["remove batch 1 (not synced)", "failed: read block 1"])
        #expect(run.step() == "wait")
        run.now += 4_999
        #expect(run.steps() == [])
        run.now += 1
        #expect(run.steps() == ["failed: read block 1"])
        run.tick()
        run.spool.refusesReads = false
        #expect(run.step() == "write block 2: 10 of 3")
        #expect(run.drain() == ["send 10 of 2", "send 10 of 3"])
        #expect(run.statistics.spoolFailures == 2 && run.statistics.droppedInAll == 0)
    }

    // MARK: Damage

    @Test func `a damaged block is counted, and the rest goes on`() throws {
        let run = try failing()
        _ = run.steps()
        for _ in 0..<3 {
            run.tick()
            _ = run.steps()
            if !run.underWay.isEmpty { run.answer(503) }
        }
        run.spool.lose(block: 2)
        run.now += 60_000
        #expect(run.drain() == ["send 10 of 1", "send 10 of 2", "send 10 of 4"])
        #expect(run.statistics.dropped == [.damaged: 10] && run.statistics.accepted == 30)
        #expect(!run.spool.exists)
    }

    @Test func `a damaged batch is counted, and the rest goes on`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.tick(5)
        #expect(run.steps() == ["send 5 of 1"])
        run.tick(10)
        _ = run.steps()
        run.answer(204)
        #expect(run.steps().last == "send 5 of 2")
        run.spool.lose(batch: 3 << 20)
        run.answer(204)
        #expect(run.steps() == ["remove batch 2 (not synced)", "read batch 3", "remove the file"])
        #expect(run.statistics.dropped == [.damaged: 5])
    }

    @Test func `samples whose series are lost are damaged`() throws {
        let run = try failing()
        _ = run.steps()
        run.tick()
        _ = run.steps()
        run.spool.loseSeries()
        try run.restart()
        #expect(run.drain() == [])
        #expect(run.statistics.dropped == [.damaged: 20] && !run.spool.exists)
    }

    @Test func `a row that has another number of samples than was known is damaged`() throws {
        let run = try failing()
        _ = run.steps()
        run.tick(7)
        _ = run.steps()
        var contents = run.spool.contents
        contents.blocks = contents.blocks.map(Self.wrong)
        contents.batches = contents.batches.map(Self.wrong)
        run.renew()
        run.delivery.restore(contents, &run.table)
        run.check()
        #expect(run.drain() == [])
        #expect(run.statistics.dropped == [.damaged: 19] && run.statistics.accepted == 0)
    }

    private static func wrong(_ header: SpoolContents.Header) -> SpoolContents.Header {
        SpoolContents.Header(
            number: header.number, shard: header.shard, count: header.count + 1, oldest: header.oldest,
            newest: header.newest, bytes: header.bytes)
    }

    @Test func `damage that was found at the start is counted`() throws {
        let run = try failing()
        _ = run.steps()
        var contents = run.spool.contents
        contents.damagedSamples = 7
        run.renew()
        run.delivery.restore(contents, &run.table)
        run.check()
        #expect(run.statistics.enqueued == 17 && run.statistics.dropped == [.damaged: 7])
    }

    @Test func `what is left of a spool that broke while it was used is taken over`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.tick(5)
        #expect(run.steps() == ["send 5 of 1"])
        for _ in 0..<3 { run.tick(10) }
        _ = run.steps()
        run.answer(204)
        #expect(run.steps().last == "send 5 of 2")
        // Batches 2 (loaded) and 3, and blocks 2 and 3 are there. Then only the second of the blocks is.
        run.spool.lose(batch: 2 << 20)
        run.spool.lose(batch: 3 << 20)
        run.spool.lose(block: 2)
        run.spool.loseSeries()
        run.delivery.reconcile(with: run.spool.contents, &run.table)
        run.check()
        #expect(run.statistics.dropped == [.damaged: 15])
        #expect(run.steps() == ["write batch 2: 5 of 2"], "what is in memory is written again")
        try run.restart()
        #expect(run.drain() == ["send 5 of 2", "send 5 of 4", "send 5 of 4"])
        #expect(run.statistics.droppedInAll == 0)
    }

    // MARK: Leaks

    @Test func `the rows of series that ended are free once the spool is empty`() throws {
        var fixture = try SeriesTableFixture(push: 15)
        fixture.settles = false
        let gauges = fixture.registry.gauge("t_now", "T.", labels: ["n"])
        var settings = DeliverySettings()
        settings.spool = SpoolBounds(bytes: 1 << 20, age: .seconds(3_600))
        var delivery = Delivery(settings)
        var spool = MemorySpool()
        var sizes: [Int] = []
        for tick in 0..<120 {
            let time = MonotonicTime(nanoseconds: Int64(tick) * 15_000_000_000)
            let wall = Timestamp(milliseconds: 1_700_000_000_000 + Int64(tick) * 15_000)
            gauges.end([String(tick - 1)])
            try #require(gauges.series([String(tick)])).set(1)
            #expect(fixture.read(milliseconds: wall.milliseconds) == .made)
            delivery.noteTick(at: time)
            delivery.enqueue(fixture.block, &fixture.table)
            // Outages of ten readings, and rests of ten.
            let status = tick / 10 % 2 == 0 ? 503 : 204
            loop: while true {
                switch delivery.next(at: time, &fixture.table) {
                case .spool(let order): delivery.take(spool.carryOut(order), at: time, &fixture.table)
                case .send(let attempt):
                    _ = delivery.settle(shard: attempt.shard, .answer(status), at: time, wall: wall, &fixture.table)
                default: break loop
                }
            }
            if tick % 20 == 19 {
                #expect(delivery.isEmpty && !spool.exists)
                sizes.append(fixture.table.groupCount)
            }
        }
        #expect(sizes.dropFirst().allSatisfy { $0 == sizes[1] }, "\(sizes)")
    }
}
