import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@Suite struct DeliveryTests {
    // MARK: The table of answers

    @Test(arguments: [200, 202, 204, 299])
    func `every 2xx is an acknowledgement`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(status) == .accepted)
        #expect(fixture.statistics.accepted == 7)
        #expect(fixture.statistics.lastSuccess == fixture.wall)
        #expect(fixture.isIdle())
    }

    @Test(arguments: [300, 301, 302, 307, 308, 304, 400, 402, 404, 405, 406, 408, 409, 410, 415, 418, 422, 431, 499])
    func `what the receiver will never take is dropped, and the next batch goes at once`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        fixture.enqueue(5)
        _ = try fixture.send()
        #expect(fixture.answer(status) == .rejected)
        #expect(fixture.statistics.rejected == 7 && fixture.statistics.rejectedByStatus == [status: 7])
        #expect(fixture.effects.contains(.lost(rows: 0..<7, sequence: 1, wasAttempted: true)))
        #expect(try fixture.send().sequence == 2)
    }

    @Test(arguments: [500, 502, 503, 504, 507, 529, 599, 429, 999])
    func `what may be better later is sent again, the same bytes first`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        fixture.enqueue(5)
        let first = try fixture.send()
        #expect(first.attempt.retry == 0)
        guard case .retried = fixture.answer(status) else {
            Issue.record("not retried")
            return
        }
        fixture.now += try #require(fixture.wait())
        let second = try fixture.send()
        #expect(second.attempt.body == first.attempt.body)
        #expect(second.attempt.retry == 1)
        #expect(fixture.statistics.samplesRetried == 7)
        #expect(fixture.answer(204) == .accepted)
        #expect(try fixture.send().sequence == 2)
    }

    @Test func `too many requests is final where the operator says so`() throws {
        let fixture = DeliveryFixture { $0.retriesOnTooManyRequests = false }
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(429) == .rejected)
    }

    @Test func `a refusal after a lost answer is ambiguous`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        fixture.enqueue(5)
        _ = try fixture.send()
        _ = fixture.fail(mayHaveArrived: true)
        fixture.now += try #require(fixture.wait())
        _ = try fixture.send()
        #expect(fixture.answer(400) == .ambiguous)
        #expect(fixture.statistics.ambiguous == 7)
        // The next batch is not affected.
        _ = try fixture.send()
        #expect(fixture.answer(400) == .rejected)
        #expect(fixture.statistics.rejected == 5)
    }

    @Test func `a refusal of what was never received is a refusal`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        _ = fixture.fail(mayHaveArrived: false)
        fixture.now += try #require(fixture.wait())
        _ = try fixture.send()
        #expect(fixture.answer(400) == .rejected)
    }

    @Test func `a refusal of a request that went out twice is ambiguous`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(400, wasResent: true) == .ambiguous)
    }

    @Test(arguments: [502, 504])
    func `a refusal after a gateway lost the answer is ambiguous`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        fixture.answer(status)
        fixture.now += try #require(fixture.wait())
        _ = try fixture.send()
        #expect(fixture.answer(400) == .ambiguous)
    }

    @Test(arguments: [401, 403])
    func `refused credentials hold everything for 30 s, then one request tries new ones`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7)
        fixture.enqueue(5)
        _ = try fixture.send()
        for _ in 0..<3 {
            #expect(fixture.answer(status) == .held(.seconds(30)))
            #expect(fixture.wait() == 30_000)
            fixture.now += 29_999
            #expect(fixture.wait() == 1)
            fixture.now += 1
            let attempt = try fixture.send().attempt
            #expect(attempt.renewsCredentials)
            #expect(fixture.isIdle())
        }
        #expect(fixture.answer(204) == .accepted)
        let next = try fixture.send()
        #expect(next.sequence == 2)
        #expect(!next.attempt.renewsCredentials)
        #expect(fixture.statistics.rejected == 0)
    }

    @Test func `a batch that is withheld waits, and those before it go`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        let second = fixture.enqueue()
        fixture.delivery.withhold(from: second)
        fixture.delivery.withhold(from: fixture.enqueue())
        #expect(try fixture.send().sequence == 1)
        #expect(fixture.answer(200) == .accepted)
        #expect(fixture.isIdle() && fixture.delivery.isWithholding)
        fixture.delivery.release()
        #expect(try fixture.send().sequence == 2)
        #expect(fixture.answer(200) == .accepted)
        #expect(try fixture.send().sequence == 3)
        #expect(fixture.answer(200) == .accepted)
        #expect(fixture.isIdle() && !fixture.delivery.isWithholding)
    }

    @Test func `new credentials end the hold`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        _ = try fixture.send()
        fixture.answer(401)
        fixture.delivery.hurry()
        _ = try fixture.send()
        #expect(fixture.answer(204) == .accepted)
    }

    @Test func `too large halves the cap, and drops what is small`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(7, bytes: 1_000)
        _ = try fixture.send()
        #expect(fixture.delivery.cap_bytes == 1 << 20)
        #expect(fixture.answer(413) == .rejected)
        #expect(fixture.delivery.cap_bytes == 1 << 19)
        for _ in 0..<20 {
            fixture.enqueue(7, bytes: 1_000)
            _ = try fixture.send()
            fixture.answer(413)
        }
        #expect(fixture.delivery.cap_bytes == Delivery.Limits.smallestCap_bytes)
    }

    @Test func `batches that were made before the cap was halved do not halve it again`() throws {
        let fixture = DeliveryFixture(cap: 1 << 20)
        for _ in 0..<5 { fixture.enqueue(7, bytes: 1_000_000) }
        for _ in 0..<5 {
            _ = try fixture.send()
            fixture.answer(413)
        }
        #expect(fixture.delivery.cap_bytes == 1 << 19)
        fixture.enqueue(7, bytes: 500_000)
        _ = try fixture.send()
        fixture.answer(413)
        #expect(fixture.delivery.cap_bytes == 1 << 18)
    }

    @Test func `a cap that began below the smallest does not rise`() throws {
        let fixture = DeliveryFixture(cap: 10_000)
        fixture.enqueue(7, bytes: 1_000)
        _ = try fixture.send()
        fixture.answer(413)
        #expect(fixture.delivery.cap_bytes == 10_000)
    }

    @Test func `too large cuts a large batch in two that follow each other`() throws {
        var table = try SeriesTableFixture()
        let family = table.registry.gauge("t_now", "T.", labels: ["n", "filler"])
        var random = SplitMix(seed: 3)
        for number in 0..<900 {
            let filler = (0..<900).map { _ in
                String(UnicodeScalar(UInt8.random(in: 0x21...0x7E, using: &random)))
            }.joined()
            try #require(family.series([String(number), filler])).set(number)
        }
        table.table.apply(table.registry.takeChanges())
        _ = table.table.read(at: Timestamp(seconds: 1_700_000_000), into: &table.writer)
        table.writer.finish(into: &table.batches)
        try #require(table.batches.count == 1)
        let whole = table.batches[0]
        try #require(whole.body.count > Delivery.Limits.split_bytes)

        var delivery = Delivery(seed: 1)
        var effects: [Delivery.Effect] = []
        let time = MonotonicTime(nanoseconds: 0)
        let wall = Timestamp(seconds: 1_700_000_000)
        delivery.enqueue(whole, into: &effects)
        var parts: [[WriteRequest.TimeSeries]] = []
        guard case .send = delivery.next(at: time, into: &effects) else {
            Issue.record("nothing to send")
            return
        }
        let refused = Delivery.Outcome.answered(status: 413, retryAfter: nil, wasResent: false)
        #expect(delivery.settle(refused, at: time, wall: wall, into: &effects) == .split)
        #expect(delivery.statistics.pending == UInt64(whole.samples))
        while case .send(let attempt) = delivery.next(at: time, into: &effects) {
            parts.append(try WriteRequest(compressed: attempt.body).series)
            let taken = Delivery.Outcome.answered(status: 204, retryAfter: nil, wasResent: false)
            _ = delivery.settle(taken, at: time, wall: wall, into: &effects)
        }
        #expect(parts.count == 2)
        #expect(parts.flatMap { $0 } == (try WriteRequest(compressed: whole.body).series))
        #expect(delivery.statistics.accepted == UInt64(whole.samples))
        #expect(delivery.statistics.queue_bytes == 0)
    }

    // MARK: Waiting

    @Test func `waits double from half a second to half a minute and no more, each 10 % more or less`() throws {
        var delays: Set<Int64> = []
        var delaysAtTheEnd: Set<Int64> = []
        for seed in UInt64(0)..<20 {
            let fixture = DeliveryFixture(seed: seed)
            fixture.enqueue()
            for attempt in 0..<12 {
                _ = try fixture.send()
                _ = fixture.fail(mayHaveArrived: false)
                let wait = try #require(fixture.wait())
                let nominal = min(30_000.0, 500 * Double(1 << attempt))
                #expect((nominal * 0.9 - 1...min(nominal * 1.1, 30_000) + 1).contains(Double(wait)))
                delays.insert(wait)
                if attempt > 7 { delaysAtTheEnd.insert(wait) }
                fixture.now += wait
            }
        }
        #expect(delays.count > 100)
        #expect(delaysAtTheEnd.count > 50)
    }

    @Test func `a success ends the doubling`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        for _ in 0..<8 {
            _ = try fixture.send()
            fixture.answer(503)
            fixture.now += try #require(fixture.wait())
        }
        _ = try fixture.send()
        fixture.answer(204)
        fixture.enqueue()
        _ = try fixture.send()
        fixture.answer(503)
        #expect(try #require(fixture.wait()) <= 550)
    }

    @Test func `the last chance begins with short waits again`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        for _ in 0..<8 {
            _ = try fixture.send()
            fixture.answer(503)
            fixture.now += try #require(fixture.wait())
        }
        _ = try fixture.send()
        fixture.answer(503, retryAfter: .seconds(120))
        #expect(fixture.delivery.waitsUntil == fixture.time + .seconds(120))
        fixture.delivery.hurry()
        #expect(fixture.delivery.waitsUntil == nil)
        _ = try fixture.send()
        #expect(fixture.delivery.waitsUntil == nil)
        fixture.answer(503)
        #expect(try #require(fixture.wait()) <= 550)
    }

    @Test(arguments: [501, 505])
    func `what the receiver cannot do is tried again rarely`(_ status: Int) throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        _ = try fixture.send()
        fixture.answer(status)
        #expect((27_000...30_000).contains(try #require(fixture.wait())))
    }

    struct Asked: Sendable, CustomTestStringConvertible {
        let wait: Duration?
        let wait_ms: ClosedRange<Int64>
        var testDescription: String { "asked for \(wait.map(\.description) ?? "no wait")" }
    }

    @Test(arguments: [
        Asked(wait: .seconds(7), wait_ms: 7_000...7_000),
        Asked(wait: .zero, wait_ms: 500...500),
        Asked(wait: .seconds(86_400), wait_ms: 300_000...300_000),
        Asked(wait: .seconds(20), wait_ms: 20_000...20_000),
        Asked(wait: nil, wait_ms: 449...551),
    ])
    func `the receiver may ask for a wait`(_ asked: Asked) throws {
        for status in [429, 503] {
            let fixture = DeliveryFixture()
            fixture.enqueue()
            _ = try fixture.send()
            fixture.answer(status, retryAfter: asked.wait)
            #expect(asked.wait_ms.contains(try #require(fixture.wait())))
        }
    }

    @Test func `one request is under way at a time`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue()
        fixture.enqueue()
        _ = try fixture.send()
        #expect(fixture.isIdle())
        fixture.now += 1_000_000
        #expect(fixture.isIdle())
    }

    // MARK: Memory

    @Test func `the oldest batches go when memory is used up, but never the one under way`() throws {
        let fixture = DeliveryFixture { $0.queue = ByteCount(5 * 1_160) }
        fixture.enqueue(1, bytes: 1_000)
        _ = try fixture.send()
        for samples in 2...8 { fixture.enqueue(samples, bytes: 1_000) }
        #expect(fixture.statistics.dropped[.queueFull] == 9)
        #expect(
            fixture.effects.filter { if case .lost = $0 { true } else { false } } == [
                .lost(rows: 0..<2, sequence: 2, wasAttempted: false),
                .lost(rows: 0..<3, sequence: 3, wasAttempted: false),
                .lost(rows: 0..<4, sequence: 4, wasAttempted: false),
            ])
        fixture.answer(204)
        for sequence in UInt8(5)...8 {
            #expect(try fixture.send().sequence == sequence)
            fixture.answer(204)
        }
        #expect(fixture.delivery.isEmpty)
        #expect(fixture.statistics.queue_bytes == 0)
    }

    @Test func `a batch that waits for its retry may go, and is known to have been tried`() throws {
        let fixture = DeliveryFixture { $0.queue = ByteCount(2 * 1_160) }
        fixture.enqueue(1, bytes: 1_000)
        _ = try fixture.send()
        fixture.answer(503)
        fixture.enqueue(2, bytes: 1_000)
        fixture.enqueue(3, bytes: 1_000)
        #expect(fixture.effects.contains(.lost(rows: 0..<1, sequence: 1, wasAttempted: true)))
        // The wait of the receiver still counts.
        fixture.now += try #require(fixture.wait())
        let next = try fixture.send()
        #expect(next.sequence == 2)
        #expect(next.attempt.retry == 0)
    }

    @Test func `a batch larger than the memory is dropped under its own name`() throws {
        let fixture = DeliveryFixture { $0.queue = ByteCount(1_000) }
        fixture.enqueue(4, bytes: 2_000)
        #expect(fixture.statistics.dropped == [.tooLarge: 4])
        #expect(fixture.isIdle())
    }

    @Test func `a batch larger than the memory takes no other one with it`() throws {
        let fixture = DeliveryFixture { $0.queue = ByteCount(3_000) }
        fixture.enqueue(1)
        fixture.enqueue(2)
        fixture.enqueue(4, bytes: 4_000)
        #expect(fixture.statistics.dropped == [.tooLarge: 4])
        #expect(try fixture.send().sequence == 1)
        fixture.enqueue(8, bytes: 4_000)
        #expect(fixture.statistics.dropped == [.tooLarge: 12])
        #expect(fixture.answer(204) == .accepted)
        #expect(try fixture.send().sequence == 2)
    }

    @Test func `the end counts what is left`() throws {
        let fixture = DeliveryFixture()
        fixture.enqueue(1)
        fixture.enqueue(2)
        fixture.enqueue(4)
        _ = try fixture.send()
        fixture.delivery.abandon(into: &fixture.effects)
        #expect(fixture.statistics.ambiguous == 1)
        #expect(fixture.statistics.dropped == [.stopped: 6])
        #expect(fixture.statistics.pending == 0)
    }

    // MARK: The invariant

    @Test func `whatever happens, every sample is counted once and nothing overtakes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for _ in 0..<50 {
            let fixture = DeliveryFixture({ $0.queue = ByteCount(6_000) }, seed: random.next())
            var lastSequence: UInt8 = 0
            var isSending = false
            for _ in 0..<200 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where fixture.statistics.batchesEnqueued < 250:
                    fixture.enqueue(
                        Int.random(in: 1...9, using: &random), bytes: Int.random(in: 1...900, using: &random))
                case 1 where !isSending:
                    switch fixture.delivery.next(at: fixture.time, into: &fixture.effects) {
                    case .idle: #expect(fixture.delivery.isEmpty)
                    case .wait(let until): fixture.now = until.nanoseconds / 1_000_000 + 1
                    case .send(let attempt):
                        #expect(attempt.body[0] >= lastSequence, "seed \(seed)")
                        lastSequence = attempt.body[0]
                        isSending = true
                    }
                case 2 where isSending:
                    let statuses = [200, 204, 400, 401, 404, 413, 429, 500, 501, 503]
                    fixture.answer(statuses.randomElement(using: &random) ?? 200)
                    isSending = false
                case 3 where isSending:
                    fixture.fail(mayHaveArrived: Bool.random(using: &random))
                    isSending = false
                default: fixture.now += Int64.random(in: 0...1_000, using: &random)
                }
                fixture.check()
                #expect(fixture.statistics.queue_bytes <= 6_000 + 900 + 160, "seed \(seed)")
            }
        }
    }
}
