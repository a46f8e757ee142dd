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
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(status) == .accepted)
        #expect(fixture.statistics.accepted == 7)
        #expect(fixture.statistics.lastSuccess == fixture.wall)
        #expect(fixture.isIdle())
    }

    @Test(arguments: [300, 301, 302, 307, 308, 304, 400, 402, 404, 405, 406, 408, 409, 410, 415, 418, 422, 431, 499])
    func `what the receiver will never take is dropped, and the next batch goes at once`(_ status: Int) throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        fixture.enqueue(5)
        _ = try fixture.send()
        #expect(fixture.answer(status) == .rejected(7))
        #expect(fixture.statistics.rejected == 7 && fixture.statistics.rejectedByStatus == [status: 7])
        #expect(try fixture.send().reading == 2)
    }

    @Test(arguments: [500, 502, 503, 504, 507, 529, 599, 429, 999])
    func `what may be better later is sent again, the same bytes first`(_ status: Int) throws {
        let fixture = try DeliveryFixture()
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
        // A receiver that has too much to do gets the next one a little later.
        if [429, 529].contains(status) { fixture.now += try #require(fixture.wait()) }
        #expect(try fixture.send().reading == 2)
    }

    @Test func `too many requests is final where the operator says so`() throws {
        let fixture = try DeliveryFixture { $0.retriesOnTooManyRequests = false }
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(429) == .rejected(7))
    }

    @Test func `a refusal after a lost answer is ambiguous`() throws {
        let fixture = try DeliveryFixture()
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
        #expect(fixture.answer(400) == .rejected(5))
        #expect(fixture.statistics.rejected == 5)
    }

    @Test func `a refusal of what was never received is a refusal`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        _ = fixture.fail(mayHaveArrived: false)
        fixture.now += try #require(fixture.wait())
        _ = try fixture.send()
        #expect(fixture.answer(400) == .rejected(7))
    }

    @Test func `a refusal of a request that went out twice is ambiguous`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        #expect(fixture.answer(400, wasResent: true) == .ambiguous)
    }

    @Test(arguments: [502, 504])
    func `a refusal after a gateway lost the answer is ambiguous`(_ status: Int) throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(7)
        _ = try fixture.send()
        fixture.answer(status)
        fixture.now += try #require(fixture.wait())
        _ = try fixture.send()
        #expect(fixture.answer(400) == .ambiguous)
    }

    @Test(arguments: [401, 403])
    func `refused credentials hold everything for 30 s, then one request tries new ones`(_ status: Int) throws {
        let fixture = try DeliveryFixture()
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
        #expect(next.reading == 2)
        #expect(!next.attempt.renewsCredentials)
        #expect(fixture.statistics.rejected == 0)
    }

    @Test func `a batch that is withheld waits, and those before it go`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue()
        fixture.enqueue(isWithheld: true)
        fixture.enqueue(isWithheld: true)
        #expect(try fixture.send().reading == 1)
        #expect(fixture.answer(200) == .accepted)
        #expect(fixture.isIdle() && fixture.delivery.isWithholding)
        fixture.delivery.release()
        #expect(try fixture.send().reading == 2)
        #expect(fixture.answer(200) == .accepted)
        #expect(try fixture.send().reading == 3)
        #expect(fixture.answer(200) == .accepted)
        #expect(fixture.isIdle() && !fixture.delivery.isWithholding)
    }

    @Test func `new credentials end the hold`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue()
        _ = try fixture.send()
        fixture.answer(401)
        fixture.delivery.hurry()
        _ = try fixture.send()
        #expect(fixture.answer(204) == .accepted)
    }

    // MARK: Waiting

    @Test func `waits double from half a second to half a minute and no more, each 10 % more or less`() throws {
        var delays: Set<Int64> = []
        var delaysAtTheEnd: Set<Int64> = []
        for seed in UInt64(0)..<20 {
            let fixture = try DeliveryFixture(seed: seed)
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
        let fixture = try DeliveryFixture()
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
        let fixture = try DeliveryFixture()
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
        let fixture = try DeliveryFixture()
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
            let fixture = try DeliveryFixture()
            fixture.enqueue()
            _ = try fixture.send()
            fixture.answer(status, retryAfter: asked.wait)
            #expect(asked.wait_ms.contains(try #require(fixture.wait())))
        }
    }

    @Test func `one request is under way at a time`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue()
        fixture.enqueue()
        _ = try fixture.send()
        #expect(fixture.isIdle())
        fixture.now += 1_000_000
        #expect(fixture.isIdle())
    }

    @Test func `the end counts what is left`() throws {
        let fixture = try DeliveryFixture()
        fixture.enqueue(1)
        fixture.enqueue(2)
        fixture.enqueue(4)
        _ = try fixture.send()
        fixture.delivery.abandon(&fixture.table)
        #expect(fixture.statistics.ambiguous == 1)
        #expect(fixture.statistics.dropped == [.stopped: 6])
        #expect(fixture.statistics.pending == 0)
    }

    // MARK: The invariant

    @Test func `whatever happens, every sample is counted once and nothing overtakes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for _ in 0..<20 {
            let fixture = try DeliveryFixture({ $0.queue = ByteCount(6_000) }, seed: random.next())
            var last = 0
            var isSending = false
            for _ in 0..<200 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: fixture.enqueue(Int.random(in: 1...90, using: &random))
                case 1 where !isSending:
                    switch fixture.delivery.next(at: fixture.time, &fixture.table) {
                    case .idle: #expect(fixture.delivery.isEmpty)
                    case .spool: Issue.record("there is no spool")
                    case .wait(let until): fixture.now = until.nanoseconds / 1_000_000 + 1
                    case .send(let attempt):
                        let reading = try DeliveryFixture.reading(of: attempt)
                        #expect(reading >= last, "seed \(seed)")
                        last = reading
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
                // One request may be under way beside what waits.
                #expect(fixture.statistics.queue_bytes <= 6_000 + 4_000, "seed \(seed)")
            }
        }
    }
}
