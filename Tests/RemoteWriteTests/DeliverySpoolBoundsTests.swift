import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The bounds of a spool: bytes, age, the room on the disk, and the clock.
@Suite struct DeliverySpoolBoundsTests {
    /// A run whose receiver does not answer, with this many readings of 50 samples, and what came of each.
    private func outage(
        _ readings: Int, bytes: Int = 64 << 20, age: Duration = .seconds(86_400)
    ) throws -> SpoolTranscript {
        let run = try SpoolTranscript(bytes: bytes, age: age)
        run.tick(50)
        #expect(run.steps() == ["send 50 of 1"])
        run.answer(503)
        _ = run.steps()
        for _ in 1..<readings {
            run.tick(50)
            _ = run.steps()
            if !run.underWay.isEmpty { run.answer(503) }
        }
        return run
    }

    @Test func `the oldest are dropped when the bytes are used up, and counted`() throws {
        let run = try outage(2)
        let each = run.spool.blocks.values.map(\.bytes).max() ?? 0
        // There is room for four of them, one of which is kept free for the next.
        let full = try outage(12, bytes: 5 * each)
        #expect(full.statistics.spool_bytes <= 5 * each)
        let dropped = full.statistics.dropped[.spoolFull] ?? 0
        #expect(full.statistics.dropped == [.spoolFull: dropped] && dropped >= 350)
        let first = Int(dropped) / 50 + 1
        #expect(full.drain() == (first...12).map { "send 50 of \($0)" })
        #expect(full.statistics.accepted + dropped == 600)
    }

    @Test func `samples that are older than the bound are dropped, and counted`() throws {
        let run = try outage(10, age: .seconds(60))
        #expect(run.statistics.dropped == [.tooOld: 250])
        #expect(run.drain() == (6...10).map { "send 50 of \($0)" })
    }

    @Test func `the spool shrinks when the disk has no room for it`() throws {
        let run = try outage(8)
        let each = run.spool.blocks.values.map(\.bytes).max() ?? 0
        run.delivery.note(room_bytes: 3 * each)
        let steps = run.steps()
        #expect(steps.first == "read batch 1" || steps.first == "read block 1", "\(steps)")
        #expect(run.statistics.spool_bytes <= 3 * each)
        #expect((run.statistics.dropped[.diskReserve] ?? 0) >= 250)
        run.delivery.note(room_bytes: 0)
        _ = run.steps()
        #expect(run.statistics.spool_bytes == 0 && run.spool.blocks.isEmpty && run.spool.batches.isEmpty)
        #expect(run.statistics.dropped == [.diskReserve: 400])
        // What comes now waits in memory.
        run.tick(50)
        #expect(run.steps().allSatisfy { !$0.contains("write") })
        #expect(run.statistics.pending == 50)
        run.delivery.note(room_bytes: 1 << 20)
        run.now += 5_000
        #expect(run.steps().contains { $0.hasPrefix("write") })
    }

    @Test func `a reading that is larger than the spool waits in memory`() throws {
        let run = try outage(6, bytes: 10)
        #expect(!run.spool.exists && run.statistics.pending == 300)
        #expect(run.drain() == (1...6).map { "send 50 of \($0)" })
    }

    @Test func `a full spool still learns of a batch before it is sent`() throws {
        let each = try outage(2).spool.blocks.values.map(\.bytes).max() ?? 0
        let run = try outage(12, bytes: 5 * each)
        run.now += 60_000
        // A batch takes more bytes than the part of the block that it was. Every step must be on disk all the same.
        var sent: [String] = []
        for _ in 0..<200 where !run.delivery.isEmpty {
            let step = run.step()
            guard step.hasPrefix("send") else { continue }
            sent.append(step)
            let packed = run.spool.batches.values.map { SpoolTranscript.text($0.samples) }
            #expect(packed.contains(String(step.dropFirst(5))), "\(step) is not among \(packed)")
            run.answer(204)
        }
        #expect(sent.count >= 3)
    }

    @Test func `cutting a full spool into smaller requests keeps every sample on disk`() throws {
        let run = try SpoolTranscript(samples: 2)
        run.tick(2)
        #expect(run.steps() == ["send 2 of 1"])
        run.tick(500)
        #expect(run.steps() == ["write batch 1: 2 of 1", "write block 1: 500 of 2"])
        // The bound is now what is used: 250 batches of two samples take more.
        run.delivery.note(room_bytes: 2 * run.statistics.spool_bytes + 100)
        run.answer(204)
        for _ in 0..<2_000 where !run.delivery.isEmpty {
            let step = run.step()
            if run.statistics.droppedInAll == 0 {
                let onDisk =
                    run.spool.batches.values.reduce(0) { $0 + $1.samples.count }
                    + run.spool.blocks.values.reduce(0) { $0 + $1.count }
                #expect(onDisk >= Int(run.statistics.pending), "\(step)")
            }
            if !run.underWay.isEmpty { run.answer(204) }
        }
        #expect(run.statistics.accepted + run.statistics.droppedInAll == 502)
    }

    // MARK: The clock

    @Test func `what is later than the clock is dropped from the spool too`() throws {
        let run = try outage(3)
        run.now += 7_200_000
        run.tick(50)
        _ = run.steps()
        if !run.underWay.isEmpty { run.answer(503) }
        run.tick(50)
        _ = run.steps()
        if !run.underWay.isEmpty { run.answer(503) }
        run.now -= 7_000_000
        run.table.setBack(to: run.wall)
        run.delivery.dropFuture(after: run.wall, &run.table)
        run.check()
        run.enqueue(50)
        _ = run.steps()
        #expect(run.statistics.dropped == [.clock: 100])
        run.now += 7_300_000
        if !run.underWay.isEmpty { run.answer(204) }
        let sent = run.drain()
        #expect(sent.last == "send 50 of 6" && !sent.contains("send 50 of 4") && !sent.contains("send 50 of 5"))
    }

    // MARK: Series

    @Test func `a series whose samples were dropped is due again, and increases by no more than the truth`() throws {
        var fixture = try SeriesTableFixture(push: 15, idle: 60)
        fixture.settles = false
        let counters = fixture.registry.counter("t_total", "T.", labels: ["n"])
        let old = try #require(counters.series(["old"]))
        old.increment()
        var settings = DeliverySettings()
        settings.spool = SpoolBounds(bytes: 1 << 20, age: .seconds(40))
        var delivery = Delivery(settings, samples: 500)
        var spool = MemorySpool()
        var receiver = StrictReceiver()
        var truth = 0.0
        var underWay: Delivery.Attempt?
        for tick in 0..<30 {
            let now = Int64(tick) * 15_000
            let time = MonotonicTime(nanoseconds: now * 1_000_000)
            // The receiver does not answer for a while, so nothing but one request is tried.
            let isDead = (2..<12).contains(tick)
            if tick > 0 {
                old.increment()
                try #require(counters.series(["new\(tick / 5)"])).increment()
                truth += 2
            }
            let wall = Timestamp(milliseconds: 1_700_000_000_000 + now)
            #expect(fixture.read(milliseconds: wall.milliseconds) == .made)
            delivery.noteTick(at: time)
            delivery.enqueue(fixture.block, &fixture.table)
            loop: while true {
                if let attempt = underWay, !isDead {
                    #expect(try receiver.take(WriteRequest(compressed: attempt.body)))
                    _ = delivery.settle(shard: attempt.shard, .answer(204), at: time, wall: wall, &fixture.table)
                    underWay = nil
                }
                switch delivery.next(at: time, &fixture.table) {
                case .spool(let order): delivery.take(spool.carryOut(order), at: time, &fixture.table)
                case .send(let attempt): underWay = attempt
                default: break loop
                }
            }
        }
        #expect((delivery.statistics.dropped[.tooOld] ?? 0) > 0)
        #expect(receiver.contradictions.isEmpty && receiver.reorderings.isEmpty)
        let increase = receiver.stored.keys.filter { $0.hasPrefix("t_total") }.reduce(0) { $0 + receiver.increase($1) }
        // A series that began in the outage gets a zero before the first sample that is left.
        #expect(increase == truth, "\(increase) of \(truth) \(receiver.values(of: "t_"))")
        let last = receiver.stored[#"t_total{instance="i",job="j",n="old"}"#]?.last
        #expect(last?.value == 30)
    }
}
