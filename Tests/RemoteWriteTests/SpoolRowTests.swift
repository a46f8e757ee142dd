import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The rows of a spool: their numbers when requests are split, and rows that are not those that were written.
@Suite struct SpoolRowTests {
    private func fixture(cap_bytes: Int = 1 << 20, samples: Int = 199) throws -> DeliveryFixture {
        let fixture = try DeliveryFixture()
        var settings = DeliverySettings()
        settings.spool = SpoolBounds(bytes: 64 << 20, age: .seconds(86_400))
        var limits = BatchLimits(samples: samples)
        limits.compressed_bytes = cap_bytes
        fixture.delivery = Delivery(settings, limits: limits, endpoint: "http://r/", seed: 1)
        return fixture
    }

    /// Does what the spool is asked for, until a request can be sent or nothing can be done. Returns the request.
    private func step(_ fixture: DeliveryFixture, _ spool: inout MemorySpool) -> Delivery.Attempt? {
        while true {
            switch fixture.delivery.next(at: fixture.time, &fixture.table) {
            case .spool(let order):
                fixture.delivery.take(spool.carryOut(order), at: fixture.time, &fixture.table)
                fixture.check()
            case .send(let attempt):
                fixture.shard = attempt.shard
                return attempt
            case .idle, .wait: return nil
            }
        }
    }

    /// Sends all that waits to a receiver that takes it. Returns the samples that it got.
    private func drain(_ fixture: DeliveryFixture, _ spool: inout MemorySpool) throws -> [String: Int] {
        var got: [String: Int] = [:]
        while let attempt = step(fixture, &spool) {
            for series in try WriteRequest(compressed: attempt.body, .v1).series {
                got[series.text, default: 0] += series.samples.count
            }
            fixture.answer(204)
        }
        return got
    }

    /// A reading of 400 samples that waits as three requests in the spool, after an outage.
    private func spooledRequests() throws -> MemorySpool {
        var spool = MemorySpool()
        let fixture = try fixture()
        fixture.enqueue(10)
        #expect(step(fixture, &spool) != nil)
        fixture.answer(503)
        fixture.enqueue(400)
        fixture.now += 60_000
        #expect(step(fixture, &spool) != nil)
        fixture.answer(204)
        #expect(step(fixture, &spool) != nil)
        #expect(spool.contents.batches.map(\.count) == [199, 199, 2])
        return spool
    }

    @Test func `a request that is split takes no place of another shard`() throws {
        var spool = try spooledRequests()
        var contents = spool.contents
        contents.requests?.shards = 2
        let second = contents.batches[1]
        contents.batches[1] = SpoolContents.Header(
            number: second.number, shard: 1, count: second.count, oldest: second.oldest, newest: second.newest,
            bytes: second.bytes)
        // A request holds so few samples now that each is split again and again.
        let fixture = try fixture(cap_bytes: 500)
        fixture.delivery.restore(contents, &fixture.table)
        let got = try drain(fixture, &spool)
        #expect(fixture.statistics.accepted == 400 && fixture.statistics.pending == 0)
        #expect(got.count == 400 && got.values.allSatisfy { $0 == 1 })
        #expect(!spool.exists)
    }

    @Test func `parts of a request that cannot be written keep their order`() throws {
        var spool = try spooledRequests()
        var fixture = try fixture(cap_bytes: 500)
        fixture.delivery.restore(spool.contents, &fixture.table)
        spool.refuses = true
        #expect(step(fixture, &spool) != nil)
        fixture.answer(503)
        spool.refuses = false
        fixture.now += 60_000
        #expect(step(fixture, &spool) != nil)
        // The process dies, and the next one finds the rows in the order of their numbers.
        let batches = spool.contents.batches
        let counts = batches.map(\.count)
        #expect(counts.reduce(0, +) == 400 && counts.count > 3)
        #expect(Array(counts.suffix(2)) == [199, 2])
        fixture = try self.fixture()
        fixture.delivery.restore(spool.contents, &fixture.table)
        let got = try drain(fixture, &spool)
        #expect(got.count == 400 && got.values.allSatisfy { $0 == 1 })
    }

    @Test func `rows of another file are not taken for those that were written`() throws {
        var spool = MemorySpool()
        let fixture = try fixture()
        for samples in [10, 20, 30] { fixture.enqueue(samples) }
        #expect(step(fixture, &spool) != nil)
        fixture.answer(503)
        #expect(step(fixture, &spool) == nil)
        #expect(fixture.statistics.spoolSamples == 60)
        // The file of another time has rows with the same numbers and other samples.
        var contents = spool.contents
        contents.blocks = contents.blocks.map { header in
            SpoolContents.Header(
                number: header.number, shard: 0, count: header.count + 1, oldest: header.oldest,
                newest: header.newest, bytes: header.bytes)
        }
        fixture.delivery.reconcile(with: contents, &fixture.table)
        fixture.check()
        #expect(fixture.statistics.dropped == [.damaged: 50])
        #expect(fixture.statistics.pending == 10)
    }

    @Test func `a row with other samples than those that were written is damaged`() throws {
        var spool = MemorySpool()
        let fixture = try fixture()
        for samples in [10, 20, 30] { fixture.enqueue(samples) }
        #expect(step(fixture, &spool) != nil)
        fixture.answer(503)
        #expect(step(fixture, &spool) == nil)
        spool.swapBlocks()
        fixture.now += 60_000
        let got = try drain(fixture, &spool)
        fixture.check()
        #expect(got.count == 10)
        #expect(fixture.statistics.dropped == [.damaged: 50])
    }

    @Test func `a spool that comes too late is counted as lost`() throws {
        let spool = try spooledRequests()
        let fixture = try fixture()
        fixture.delivery.giveUp(spool.contents)
        fixture.check()
        #expect(fixture.statistics.enqueued == 400)
        #expect(fixture.statistics.dropped == [.damaged: 400])
    }

    @Test func `samples of an earlier process share no request with new ones`() throws {
        var spool = MemorySpool()
        var fixture = try fixture(samples: 5_000)
        fixture.enqueue(10)
        #expect(step(fixture, &spool) != nil)
        fixture.answer(503)
        for _ in 0..<2 {
            fixture.enqueue(10)
            #expect(step(fixture, &spool) == nil)
        }
        #expect(spool.contents.blocks.count == 2)
        // Another program may have sent later samples meanwhile. A receiver that refuses the old ones for it refuses all
        // that comes with them.
        fixture = try self.fixture(samples: 5_000)
        fixture.delivery.restore(spool.contents, &fixture.table)
        fixture.enqueue(10)
        var samples: [Int] = []
        while let attempt = step(fixture, &spool) {
            samples.append(attempt.samples)
            fixture.answer(204)
        }
        #expect(samples == [10, 20, 10])
        #expect(fixture.statistics.accepted == 40)
    }
}
