import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The choice between the two messages: what is sent first, and what each answer changes.
@Suite struct MessageTests {
    private let hour: Int64 = 3_600_000

    private func fixture(_ choice: MessageChoice = .auto) throws -> DeliveryFixture {
        try DeliveryFixture { $0.message = choice }
    }

    /// Sends the next request, and checks its message. Returns the number of samples in it.
    private func send(
        _ fixture: DeliveryFixture, _ message: Message, location: SourceLocation = #_sourceLocation
    ) throws -> Int {
        let attempt = try fixture.send().attempt
        #expect(attempt.message == message, sourceLocation: location)
        return attempt.samples
    }

    @Test func `the first request carries one series, and a receiver that counts it gets the rest as 2.0`() throws {
        let fixture = try fixture()
        fixture.enqueue(7)
        #expect(try send(fixture, .v2) == 1)
        #expect(fixture.isIdle())
        #expect(fixture.answer(204, written: 1) == .accepted)
        #expect(try send(fixture, .v2) == 6)
        #expect(fixture.answer(200, written: 6) == .accepted)
        #expect(fixture.statistics.message == .v2 && fixture.statistics.fallbacks.isEmpty)
    }

    @Test(arguments: [(415, FallbackReason.unsupported), (204, .noHeaders), (200, .noHeaders)])
    func `a receiver that does not read 2.0 gets the same samples as 1.0 at once, and all that follow`(
        _ status: Int, _ reason: FallbackReason
    ) throws {
        let fixture = try fixture()
        fixture.enqueue(7)
        #expect(try send(fixture, .v2) == 1)
        #expect(fixture.answer(status) == .fellBack(reason))
        let again = try fixture.send().attempt
        #expect(again.message == .v1 && again.samples == 1 && again.retry == 0)
        #expect(fixture.answer(204) == .accepted)
        #expect(try send(fixture, .v1) == 6)
        #expect(fixture.answer(204) == .accepted)
        #expect(fixture.statistics.accepted == 7 && fixture.statistics.rejected == 0)
        #expect(fixture.statistics.fallbacks == [reason: 1])
    }

    @Test func `a success after years of 2.0 without its headers falls back too`() throws {
        let fixture = try fixture()
        fixture.enqueue(7)
        _ = try send(fixture, .v2)
        fixture.answer(204, written: 1)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(204) == .fellBack(.noHeaders))
        #expect(try send(fixture, .v1) == 6)
        // A proxy may have taken the headers away: the first copy may have been stored.
        #expect(fixture.answer(400) == .ambiguous)
    }

    @Test func `headers that say zero are an answer of 2.0`() throws {
        let fixture = try fixture()
        fixture.enqueue(1)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(204, written: 0) == .acceptedInPart(missing: 1))
        #expect(fixture.statistics.ambiguous == 1 && fixture.statistics.rejected == 0)
        fixture.enqueue(2)
        #expect(try send(fixture, .v2) == 2)
    }

    @Test(arguments: [nil, 0, 1] as [UInt64?])
    func `202 is never a fall-back, and counts as accepted`(_ written: UInt64?) throws {
        let fixture = try fixture()
        fixture.enqueue(3)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(202, written: written) == .accepted)
        #expect(try send(fixture, .v2) == 2)
        #expect(fixture.answer(202, written: written) == .accepted)
        #expect(fixture.statistics.accepted == 3 && fixture.statistics.deduplicated == 3)
    }

    @Test func `an early 400 costs one sample, and the next request is tried as 1.0`() throws {
        let fixture = try fixture()
        fixture.enqueue(7)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(400) == .rejected(1))
        #expect(try send(fixture, .v1) == 6)
        #expect(fixture.answer(204) == .accepted)
        fixture.enqueue(2)
        #expect(try send(fixture, .v1) == 2)
        #expect(fixture.statistics.fallbacks == [.badRequest: 1])
    }

    @Test func `where 1.0 is refused as well, 2.0 comes back`() throws {
        let fixture = try fixture()
        fixture.enqueue(1)
        _ = try send(fixture, .v2)
        fixture.answer(400)
        fixture.enqueue(2)
        #expect(try send(fixture, .v1) == 2)
        #expect(fixture.answer(400) == .rejected(2))
        fixture.enqueue(3)
        #expect(try send(fixture, .v2) == 3)
        #expect(fixture.answer(204, written: 3) == .accepted)
        fixture.enqueue(4)
        #expect(try send(fixture, .v2) == 4)
        // From a success on, 400 is about the samples.
        #expect(fixture.answer(400) == .rejected(4))
        fixture.enqueue(5)
        #expect(try send(fixture, .v2) == 5)
    }

    @Test func `a refusal with headers counts what was written, and is never sent again`() throws {
        let fixture = try fixture()
        fixture.enqueue(10)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(400, written: 0) == .rejected(1))
        #expect(try send(fixture, .v2) == 9)
        #expect(fixture.answer(400, written: 7) == .rejected(2))
        #expect(fixture.statistics.accepted == 7 && fixture.statistics.rejectedByStatus == [400: 3])
        #expect(fixture.isIdle())
    }

    @Test func `an answer that counts more than was sent counts what was sent`() throws {
        let fixture = try fixture()
        fixture.enqueue(1)
        _ = try send(fixture, .v2)
        #expect(fixture.answer(204, written: .max) == .accepted)
        #expect(fixture.statistics.accepted == 1)
    }

    @Test func `what fails is tried again as 2.0, and the rest waits`() throws {
        let fixture = try fixture()
        fixture.enqueue(7)
        let body = try fixture.send().attempt.body
        for _ in 0..<3 {
            fixture.answer(503)
            fixture.now += try #require(fixture.wait())
            let attempt = try fixture.send().attempt
            #expect(attempt.message == .v2 && attempt.samples == 1 && attempt.body == body)
        }
        fixture.fail(mayHaveArrived: false)
        fixture.now += try #require(fixture.wait())
        #expect(try send(fixture, .v2) == 1)
    }

    // MARK: Probes

    /// A delivery whose receiver reads 1.0 only, as it is known.
    private func known() throws -> DeliveryFixture {
        let fixture = try fixture()
        fixture.enqueue(1)
        _ = try send(fixture, .v2)
        fixture.answer(204)
        _ = try send(fixture, .v1)
        fixture.answer(204)
        return fixture
    }

    @Test func `after an hour one series asks again, and a receiver that was upgraded gets 2.0`() throws {
        let fixture = try known()
        fixture.now += hour - 1_000
        fixture.enqueueWithUp(3)
        #expect(try send(fixture, .v1) == 4)
        fixture.answer(204)
        fixture.now += 1_000
        fixture.enqueueWithUp(3)
        #expect(try send(fixture, .v2) == 1)
        #expect(fixture.answer(204, written: 1) == .accepted)
        #expect(try send(fixture, .v2) == 3)
        fixture.answer(204, written: 3)
        #expect(fixture.statistics.message == .v2)
    }

    @Test(arguments: [204, 415, 500, 503, 429, 401, 502])
    func `a probe that fails goes as 1.0, and is not repeated for an hour`(_ status: Int) throws {
        let fixture = try known()
        fixture.now += hour
        fixture.enqueueWithUp(3)
        #expect(try send(fixture, .v2) == 1)
        fixture.answer(status)
        if let wait = fixture.waitIfAny() { fixture.now += wait }
        #expect(try send(fixture, .v1) == 1)
        #expect(fixture.answer(204) == .accepted)
        if let wait = fixture.waitIfAny() { fixture.now += wait }
        #expect(try send(fixture, .v1) == 3)
        fixture.answer(204)
        fixture.enqueueWithUp(3)
        if let wait = fixture.waitIfAny() { fixture.now += wait }
        #expect(try send(fixture, .v1) == 4)
        #expect(fixture.statistics.rejected == 0)
    }

    @Test func `a probe that is refused costs one sample`() throws {
        let fixture = try known()
        fixture.now += hour
        fixture.enqueueWithUp(3)
        #expect(try send(fixture, .v2) == 1)
        #expect(fixture.answer(400) == .rejected(1))
        #expect(try send(fixture, .v1) == 3)
    }

    // MARK: Settings that force one

    @Test func `1.0 is never asked for more`() throws {
        let fixture = try fixture(.v1)
        fixture.enqueue(7)
        #expect(try send(fixture, .v1) == 7)
        fixture.answer(204)
        fixture.now += 10 * hour
        fixture.enqueueWithUp(7)
        #expect(try send(fixture, .v1) == 8)
        #expect(fixture.answer(415) == .rejected(8))
    }

    @Test(arguments: [204, 415])
    func `2.0 never falls back: what the receiver does not read is lost, and counted`(_ status: Int) throws {
        let fixture = try fixture(.v2)
        fixture.enqueue(7)
        #expect(try send(fixture, .v2) == 7)
        #expect(fixture.answer(status) == .rejected(7))
        #expect(fixture.statistics.rejectedByStatus == [status: 7])
        fixture.enqueue(2)
        #expect(try send(fixture, .v2) == 2)
    }
}
