import Platform
import RemoteWrite
import Testing
import Wire

/// A delivery, a clock in milliseconds, and an invariant that is checked after each step.
final class DeliveryFixture {
    var delivery: Delivery
    var now: Int64 = 0
    var effects: [Delivery.Effect] = []
    private var sequence: UInt64 = 0

    init(_ change: (inout DeliverySettings) -> Void = { _ in }, cap: Int = 1 << 20, seed: UInt64 = 1) {
        var settings = DeliverySettings()
        change(&settings)
        delivery = Delivery(settings, cap_bytes: cap, seed: seed)
    }

    var time: MonotonicTime { MonotonicTime(nanoseconds: now * 1_000_000) }
    var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }
    var statistics: DeliveryStatistics { delivery.statistics }

    @discardableResult
    func enqueue(_ samples: Int = 10, bytes: Int = 100) -> UInt64 {
        sequence += 1
        let body = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: bytes)
        delivery.enqueue(
            Batch(
                sequence: sequence, body: body, samples: samples, rows: 0..<samples, oldest: wall, newest: wall),
            into: &effects)
        check()
        return sequence
    }

    /// Takes the next step, which must be a request. Its body holds the sequence number.
    func send() throws -> (sequence: UInt8, attempt: Delivery.Attempt) {
        let step = delivery.next(at: time, into: &effects)
        check()
        guard case .send(let attempt) = step else {
            Issue.record("\(step) instead of a request")
            throw CancellationError()
        }
        return (attempt.body.first ?? 0, attempt)
    }

    /// The wait that the delivery asks for, in milliseconds, rounded up. Nil if it asks for none.
    func wait() -> Int64? {
        let step = delivery.next(at: time, into: &effects)
        check()
        if case .wait(let until) = step { return (until.nanoseconds - now * 1_000_000 + 999_999) / 1_000_000 }
        return nil
    }

    func isIdle() -> Bool {
        if case .idle = delivery.next(at: time, into: &effects) { true } else { false }
    }

    @discardableResult
    func answer(_ status: Int, retryAfter: Duration? = nil, wasResent: Bool = false) -> Delivery.Verdict {
        settle(.answered(status: status, retryAfter: retryAfter, wasResent: wasResent))
    }

    @discardableResult
    func fail(mayHaveArrived: Bool) -> Delivery.Verdict { settle(.failed(mayHaveArrived: mayHaveArrived)) }

    private func settle(_ outcome: Delivery.Outcome) -> Delivery.Verdict {
        let verdict = delivery.settle(outcome, at: time, wall: wall, into: &effects)
        check()
        return verdict
    }

    /// Checks the invariant of the counters, and that the queue keeps within its memory.
    func check() {
        let s = statistics
        #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
        #expect(s.queue_bytes >= 0)
        #expect((s.pending == 0) == delivery.isEmpty)
    }
}
