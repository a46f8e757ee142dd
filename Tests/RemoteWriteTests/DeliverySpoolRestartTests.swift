import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A process that ends without a word, and the next one, which begins with what is on disk.
@Suite struct DeliverySpoolRestartTests {
    /// A run with a batch that was tried, one that was not, and a block. All are on disk.
    private func backlog(_ change: (inout DeliverySettings) -> Void = { _ in }) throws -> SpoolTranscript {
        let run = try SpoolTranscript(samples: 5, change)
        run.tick(5)
        #expect(run.steps().count == 1)
        run.tick(10)
        run.tick(5)
        #expect(run.steps() == ["write batch 1: 5 of 1", "write block 1: 10 of 2", "write block 2: 5 of 3"])
        run.answer(204)
        #expect(
            run.steps() == [
                "remove batch 1 (not synced)", "read block 1",
                "remove block 1, write batch 2: 5 of 2, write batch 3: 5 of 2", "send 5 of 2",
            ])
        return run
    }

    @Test func `a batch that was tried keeps its samples and goes alone`() throws {
        let run = try backlog()
        let before = try WriteRequest(compressed: run.underWay[0].body)
        try run.restart()
        #expect(run.step() == "read batch 2")
        #expect(run.steps() == ["send 5 of 2"])
        let after = try WriteRequest(compressed: run.underWay[0].body)
        #expect(after.series.map(\.text) == before.series.map(\.text))
        #expect(after.series.map(\.samples) == before.series.map(\.samples))
        run.answer(204)
        #expect(run.drain() == ["send 5 of 2", "send 5 of 3"])
        #expect(run.statistics.accepted == 15 && !run.spool.exists)
    }

    @Test func `a refusal of the first batch of each shard is ambiguous, and that of others is not`() throws {
        let run = try backlog()
        try run.restart()
        #expect(run.steps() == ["read batch 2", "send 5 of 2"])
        #expect(run.answer(400) == .ambiguous)
        #expect(run.steps().last == "send 5 of 2")
        #expect(run.answer(400) == .rejected(5))
        #expect(run.steps().last == "send 5 of 3")
        #expect(run.answer(400) == .rejected(5))
        #expect(run.steps() == ["remove the file"])
    }

    @Test func `readings of the new process come after the spool, and with it`() throws {
        let run = try backlog()
        try run.restart()
        run.enqueue(5)
        #expect(run.step() == "write block 3: 5 of 4")
        #expect(run.drain() == ["send 5 of 2", "send 5 of 2", "send 5 of 3", "send 5 of 4"])
    }

    @Test func `a second kill before anything is sent changes nothing`() throws {
        let run = try backlog()
        for _ in 0..<4 {
            try run.restart()
            #expect(run.statistics.enqueued == 15 && run.statistics.spoolSamples == 15)
            _ = run.step()
        }
        #expect(run.drain() == ["send 5 of 2", "send 5 of 2", "send 5 of 3"])
    }

    @Test(arguments: [1, 2, 8, 64])
    func `another number of shards waits until the batches of the old ones are gone`(_ most: Int) throws {
        let run = try SpoolTranscript(samples: 20) { $0.maxShards = 4 }
        run.tick(10)
        _ = run.steps()
        run.tick(120)
        run.tick(120)
        _ = run.steps()
        for _ in 0..<3 { run.delivery.noteTick(at: run.time) }
        run.answer(204)
        _ = run.steps()
        #expect(run.spool.requests?.shards == 4)
        let shards = Set(run.spool.batches.values.map(\.shard))
        #expect(shards == [0, 1, 2, 3])
        run.settings.maxShards = most
        try run.restart()
        let steps = run.steps().filter { $0.hasPrefix("send") }
        #expect(steps.count == 4 && run.spool.requests?.shards == 4)
        _ = run.drain()
        #expect(run.statistics.accepted == 240 && run.statistics.shards == 1 && !run.spool.exists)
    }

    @Test func `a number of shards that cannot be is bounded`() throws {
        let run = try backlog()
        var contents = run.spool.contents
        contents.requests = SpooledRequests(shards: 1 << 40, message: nil, endpoint: "")
        run.renew()
        run.delivery.restore(contents, &run.table)
        #expect(run.statistics.shards <= 64)
    }

    // MARK: The message

    private func known(_ status: Int, written: UInt64?) throws -> SpoolTranscript {
        let run = try SpoolTranscript { $0.message = .auto }
        run.tick(1)
        #expect(run.steps() == ["send 1 of 1 as 2.0"])
        run.answer(status, written: written)
        _ = run.steps()
        if !run.underWay.isEmpty { run.answer(204) }
        run.tick(10)
        _ = run.steps()
        run.fail(mayHaveArrived: false)
        run.tick(10)
        _ = run.steps()
        return run
    }

    @Test func `the message that the receiver reads is known after a restart`() throws {
        let new = try known(204, written: 1)
        #expect(new.spool.requests?.message == .v2)
        try new.restart()
        #expect(new.steps().last == "send 10 of 2 as 2.0")
        let old = try known(415, written: nil)
        #expect(old.spool.requests?.message == .v1)
        try old.restart()
        #expect(old.drain() == ["send 10 of 2", "send 10 of 3"])
    }

    @Test func `what is known of one receiver is not believed of another, and costs no sample`() throws {
        let run = try known(204, written: 1)
        run.endpoint = "http://other/"
        try run.restart()
        #expect(run.steps().last == "send 10 of 2 as 2.0")
        // It reads 1.0 only. The samples were tried, so they are not given up for it.
        #expect(run.answer(400) == .fellBack(.badRequest))
        #expect(run.steps().last == "send 10 of 2")
        #expect(run.answer(204) == .accepted)
        #expect(run.drain() == ["send 10 of 3"])
        #expect(run.statistics.accepted == 20)
    }

    @Test(arguments: [MessageChoice.v1, .v2])
    func `a message that the setting forces counts from the first request on`(_ choice: MessageChoice) throws {
        for written in [nil, 1] as [UInt64?] {
            let run = try known(written == nil ? 415 : 204, written: written)
            run.settings.message = choice
            try run.restart()
            let suffix = choice == .v2 ? " as 2.0" : ""
            #expect(run.steps().last == "send 10 of 2" + suffix)
            run.answer(204, written: 10)
            #expect(run.steps().last == "send 10 of 3" + suffix)
            run.answer(204, written: 10)
            #expect(run.steps() == ["remove the file"])
        }
    }

    // MARK: Stop

    @Test func `a stop writes what waits, and the next process sends it`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.tick(5)
        #expect(run.steps() == ["send 5 of 1"])
        run.enqueue(5)
        #expect(run.stop() == ["write batch 1: 5 of 1", "write block 1: 5 of 2"])
        run.delivery.abandon(&run.table)
        run.check()
        #expect(run.statistics.pending == 10 && run.statistics.ambiguous == 0 && run.statistics.droppedInAll == 0)
        try run.restart()
        #expect(run.drain() == ["send 5 of 1", "send 5 of 2"])
    }

    @Test func `what the disk does not take at a stop is counted`() throws {
        let run = try SpoolTranscript(samples: 5)
        run.spool.refuses = true
        run.tick(5)
        #expect(run.steps() == ["send 5 of 1"])
        run.enqueue(5)
        #expect(run.stop().count == 1)
        run.delivery.abandon(&run.table)
        run.check()
        #expect(run.statistics.ambiguous == 5 && run.statistics.dropped == [.stopped: 5])
    }
}
