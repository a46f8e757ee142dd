import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The beginning of a spool, its order, and its end.
@Suite struct DeliverySpoolTests {
    // MARK: Beginning

    @Test func `while the receiver takes everything in time, the spool gets no order`() throws {
        let run = try SpoolTranscript()
        for reading in 1...5 {
            run.tick()
            #expect(run.steps() == ["send 10 of \(reading)"])
            run.now += 4_999
            #expect(run.steps() == [])
            run.answer(204)
            #expect(run.steps() == [])
        }
        #expect(run.spool.commits == 0 && !run.spool.exists && !run.statistics.isSpooling)
    }

    @Test(arguments: [400, 404, 413])
    func `a refusal for good begins no spool`(_ status: Int) throws {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(status)
        #expect(run.steps() == [])
        #expect(run.statistics.rejected == 10)
        run.tick()
        #expect(run.steps() == ["send 10 of 2"])
    }

    @Test(arguments: [429, 500, 503, 401])
    func `the spool begins at the first failed request`(_ status: Int) throws {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(status)
        #expect(run.steps() == ["write batch 1: 10 of 1"])
        run.tick()
        #expect(run.step() == "write block 1: 10 of 2", "a reading is on disk before it counts as waiting")
    }

    @Test func `the spool begins when a request has no answer for five seconds`() throws {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.now += 4_999
        #expect(run.step() == "wait", "somebody must come back when it is late")
        run.now += 1
        #expect(run.steps() == ["write batch 1: 10 of 1"])
        #expect(run.step() == "idle")
        run.answer(204)
        #expect(run.steps() == ["remove the file"])
    }

    @Test func `the spool begins at a reading that finds something waiting`() throws {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.now += 1_000
        run.delivery.noteTick(at: run.time)
        run.enqueue()
        #expect(run.steps() == ["write batch 1: 10 of 1", "write block 1: 10 of 2"])
    }

    @Test func `a delivery without a spool gives it no order`() throws {
        let run = try SpoolTranscript { $0.spool = nil }
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(503)
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(204)
        #expect(run.steps() == ["send 10 of 2"])
    }

    // MARK: Order

    @Test func `all that is in memory goes first, in order, and a withheld reading when it is released`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.tick(12)
        #expect(run.steps() == ["send 5 of 1"])
        run.enqueue(12)
        run.enqueue(12, isWithheld: true)
        run.answer(503)
        #expect(run.steps() == ["write batch 1: 5 of 1", "write block 1: 7 of 1", "write block 2: 12 of 2"])
        run.delivery.release()
        #expect(run.steps() == ["write block 3: 12 of 3"])
        #expect(run.statistics.spoolSamples == 36)
    }

    @Test func `what was sent leaves the spool before its shard sends more, and the file goes at the end`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.tick(12)
        #expect(run.steps() == ["send 5 of 1"])
        run.answer(503)
        #expect(run.steps() == ["write batch 1: 5 of 1", "write block 1: 7 of 1"])
        run.now += 1_000
        #expect(run.steps() == ["send 5 of 1"])
        run.answer(204)
        #expect(
            run.steps() == [
                "remove batch 1 (not synced)", "read block 1",
                "remove block 1, write batch 2: 5 of 1, write batch 3: 2 of 1", "send 5 of 1",
            ])
        run.answer(204)
        #expect(run.steps() == ["remove batch 2 (not synced)", "read batch 3", "send 2 of 1"])
        run.answer(204)
        #expect(run.steps() == ["remove the file"])
        #expect(run.spool.removals == 1 && !run.spool.exists)
        run.tick()
        #expect(run.steps() == ["send 5 of 2"], "all is healthy again")
    }

    @Test(arguments: [503, 429, 401, 502])
    func `nothing leaves the spool before the receiver has it`(_ status: Int) throws {
        let run = try SpoolTranscript()
        run.tick()
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(status)
        #expect(run.steps() == ["write batch 1: 10 of 1"])
        for _ in 0..<4 {
            run.now += 31_000
            #expect(run.steps() == ["send 10 of 1"])
            run.answer(status)
            #expect(run.spool.batches.count == 1)
        }
        run.now += 31_000
        #expect(run.steps() == ["send 10 of 1"])
        run.answer(400)
        #expect(run.steps() == ["remove the file"], "a refusal for good ends it as well")
    }

    @Test func `each shard has a batch of its own, and they end one by one`() throws {
        let run = try SpoolTranscript(samples: 20) { $0.maxShards = 3 }
        run.tick(120)
        #expect(run.steps().count == 1)
        run.now += 5_000
        #expect(run.steps().count == 2, "the batch and the rest")
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        run.answer(204)
        let steps = run.steps()
        #expect(steps[0] == "remove batch 1 (not synced)" && steps[1] == "read block 1")
        #expect(run.underWay.map(\.shard).sorted() == [0, 1, 2])
        #expect(Set(run.spool.batches.values.map(\.shard)) == [0, 1, 2])
        #expect(run.spool.requests?.shards == 3)
        #expect(run.drain().count > 2)
        #expect(run.statistics.accepted == 120 && !run.spool.exists)
    }

    @Test func `the number of shards changes only while no batch waits`() throws {
        let run = try SpoolTranscript { $0.maxShards = 4 }
        run.tick(100)
        #expect(run.steps() == ["send 100 of 1"])
        run.answer(503)
        for _ in 0..<3 {
            run.tick(100)
            _ = run.steps()
            if !run.underWay.isEmpty { run.answer(503) }
            #expect(run.spool.requests?.shards == 1)
        }
        // The pace wants more, and gets it once the batch that was tried is gone.
        run.now += 60_000
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        _ = run.steps()
        #expect(run.underWay.count == 1)
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        run.answer(204)
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        _ = run.steps()
        #expect(run.underWay.count > 1)
        #expect(run.spool.requests?.shards == run.statistics.shards)
        _ = run.drain()
        #expect(run.statistics.accepted == 400)
    }
}
