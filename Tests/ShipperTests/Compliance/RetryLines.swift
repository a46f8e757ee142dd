import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The section *retry* of the suite for 2.0: a receiver that was well, and then gives one answer only.
@Suite struct RetryLines {
    private func failing(_ status: Int, requests: Int) throws -> (exchange: Exchange, capture: Capture) {
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        exchange.receiver.answer(.init(status, body: "no"))
        #expect(exchange.receiver.wait { $0.count { $0.answer.status == status } >= requests })
        #expect(exchange.fixture.run(readings: 5))
        return (exchange, exchange.seen)
    }

    /// No body comes twice, and the samples of none come in another one.
    private func expectGivenUp(_ status: Int) throws {
        let (exchange, capture) = try failing(status, requests: 3)
        let bodies = capture.bodies(status)
        #expect(bodies.count >= 3 && Set(bodies).count == bodies.count)
        #expect(capture.log.violations == [])
        #expect(capture.recorded.allSatisfy { $0.headers["retry-attempt"] == nil })
        let up = capture.series(named: "up").flatMap(\.samples).map(\.milliseconds)
        #expect(Set(up).count == up.count)
        exchange.receiver.answer(.init(204))
        #expect(exchange.fixture.run(readings: 2))
        exchange.stop()
        #expect(exchange.fixture.rejected.keys.contains(String(status)))
    }

    /// The same bytes come again until they are taken, and nothing is lost.
    private func expectRetried(_ status: Int) throws {
        let (exchange, capture) = try failing(status, requests: 3)
        let bodies = capture.bodies(status)
        #expect(Set(bodies).count == 1)
        let attempts = capture.recorded.filter { bodies.contains($0.body) }.map { $0.headers["retry-attempt"] }
        #expect(attempts == [nil] + (1..<attempts.count).map(String.init))
        exchange.receiver.answer(.init(204))
        let all = exchange.stop()
        #expect(all.log.violations == [])
        #expect(Double(all.log.values("up" + Exchange.labels).count) == exchange.fixture.readings)
        #expect(all.recorded.allSatisfy { $0.version == .v2 })
    }

    @Test func `retry: 400`() throws { try expectGivenUp(400) }
    @Test func `retry: 404`() throws { try expectGivenUp(404) }
    /// A small batch is not split: its halves would be refused too.
    @Test func `retry: 413`() throws { try expectGivenUp(413) }
    @Test func `retry: 429`() throws { try expectRetried(429) }
    @Test func `retry: 500`() throws { try expectRetried(500) }
    @Test func `retry: 502`() throws { try expectRetried(502) }
    @Test func `retry: 503`() throws { try expectRetried(503) }
    @Test func `retry: 504`() throws { try expectRetried(504) }

    /// Refused credentials are an operator's mistake: everything waits for 30 s, then one request is tried.
    @Test(arguments: [401, 403]) func `retry: 401`(_ status: Int) throws {
        let clock = ShiftedTime()
        let exchange = try Exchange(.auto, time: clock)
        try exchange.warmUp()
        exchange.receiver.answer(.init(status))
        #expect(exchange.receiver.wait { $0.contains { $0.answer.status == status && $0.wasAnswered } })
        #expect(exchange.fixture.run(readings: 10))
        #expect(exchange.seen.bodies(status).count == 1)
        clock.elapse(.seconds(31))
        #expect(exchange.receiver.wait { $0.count { $0.answer.status == status } == 2 })
        exchange.receiver.answer(.init(204))
        clock.elapse(.seconds(31))
        #expect(exchange.fixture.run(readings: 3))
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        #expect(Double(capture.log.values("up" + Exchange.labels).count) == exchange.fixture.readings)
    }
}

/// The section *backoff* of the suite for 2.0: 503 and 502 only. The waits are those that the shipper tells in its own
/// metric, because intervals that a clock measures depend on the machine.
@Suite struct BackoffLines {
    private struct Waits: Sendable {
        var decided: [Double] = []
        var arrivals: [MonotonicTime] = []
    }

    private static let capture = Result { try waits(failures: 12) }

    /// The waits before each request, from the first one that failed on.
    private static func waits(failures: Int) throws -> Waits {
        let exchange = try Exchange(.auto)
        let registry = exchange.registry
        let waits = Monitor(Waits())
        exchange.receiver.observe { request in
            let gauge = registry.snapshot().first { $0.family.name == "lkpush_remote_write_backoff_seconds" }
            if case .gauge(let gauge)? = gauge?.series.first?.instrument, request.answer.status >= 500 {
                waits.change {
                    $0.decided.append(gauge.value)
                    $0.arrivals.append(request.at)
                }
            }
        }
        try exchange.warmUp()
        exchange.receiver.enqueue((0..<failures).map { .init($0.isMultiple(of: 2) ? 503 : 502) })
        #expect(waits.wait(until: TestSupport.Waits.end) { $0.decided.count >= failures ? true : nil } == true)
        exchange.stop()
        // Before the first failure there is no wait.
        return waits.withLock { Waits(decided: Array($0.decided.dropFirst()), arrivals: $0.arrivals) }
    }

    @Test func `backoff: at least 3 requests, every interval at least 0.8 of the one before`() throws {
        let waits = try Self.capture.get().decided
        #expect(waits.count == 11)
        for (wait, next) in zip(waits, waits.dropFirst()) { #expect(next >= 0.8 * wait) }
        #expect(waits[0] <= 0.011 && waits[10] >= 0.072, "10 ms grow to 80 ms")
    }

    @Test func `backoff: at least 2 requests, intervals of at least 1 ms`() throws {
        let waits = try Self.capture.get()
        for (index, wait) in waits.decided.enumerated() {
            #expect(wait >= 0.001)
            // A busy machine makes an interval longer, and never shorter.
            #expect(waits.arrivals[index + 1].since(waits.arrivals[index]) >= .seconds(wait))
        }
    }

    @Test func `backoff: no interval above 60 s`() throws {
        // With the waits of the program: half a second, doubled up to 30 s.
        let clock = ShiftedTime()
        let exchange = try Exchange(.auto, time: clock) {
            $0.delivery.minBackoff = .milliseconds(500)
            $0.delivery.maxBackoff = .seconds(30)
        }
        try exchange.warmUp()
        exchange.receiver.answer(.init(503))
        var waits: [Double] = []
        for count in 1...10 {
            #expect(exchange.receiver.wait { $0.count { $0.answer.status == 503 } >= count })
            // The wait is told when the answer has arrived.
            #expect(eventually { exchange.fixture.own("backoff_seconds") > 0 && retries(exchange) == count - 1 })
            let wait = exchange.fixture.own("backoff_seconds")
            waits.append(wait)
            clock.elapse(.seconds(wait))
        }
        #expect(waits.allSatisfy { $0 <= 30 })
        #expect(try #require(waits.last) >= 27)
        exchange.receiver.answer(.init(204))
        exchange.stop()
    }

    private func retries(_ exchange: Exchange) -> Int { Int(exchange.fixture.own("retries_total")) }

    @Test func `backoff: jitter`() throws {
        let longest = try Self.capture.get().decided.suffix(7)
        #expect(Set(longest).count > 1)
        #expect(longest.allSatisfy { (0.072...0.08).contains($0) })
    }
}
