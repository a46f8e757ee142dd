import Simulation
import Testing

@Suite struct WebhookNotifierTests {
    private static let ok = WebhookNotifier<String>.Outcome.answered(status: 200, retryAfter_ms: nil)

    @Test func `deliveries of a key wait for the one before, other keys do not`() {
        var notifier = WebhookNotifier<String>()
        notifier.accept("a1", key: "a", due: 0)
        notifier.accept("a2", key: "a", due: 0)
        notifier.accept("b1", key: "b", due: 0)
        #expect(notifier.next(at: 0)?.delivery == "a1")
        #expect(notifier.next(at: 0)?.delivery == "b1")
        #expect(notifier.next(at: 0) == nil)
        #expect(notifier.report("a", Self.ok, at: 5) == .delivered)
        #expect(notifier.next(at: 5)?.delivery == "a2")
        #expect(notifier.waiting == 2)
        #expect(notifier.report("b", Self.ok, at: 6) == .delivered)
        #expect(notifier.report("a", Self.ok, at: 6) == .delivered)
        #expect(notifier.waiting == 0)
        #expect(notifier.nextDue == nil)
    }

    @Test func `nothing leaves before it is due`() {
        var notifier = WebhookNotifier<String>()
        notifier.accept("later", key: "a", due: 100)
        #expect(notifier.next(at: 99) == nil)
        #expect(notifier.nextDue == 100)
        #expect(notifier.next(at: 100)?.delivery == "later")
    }

    @Test func `an unanswered delivery is tried at 0, 1, 3, 7 and 15 s, then lost`() {
        var notifier = WebhookNotifier<String>()
        notifier.accept("first", key: "a", due: 0)
        notifier.accept("second", key: "a", due: 0)
        var times: [Int64] = []
        var now: Int64 = 0
        while let due = notifier.nextDue {
            now = due
            guard let attempt = notifier.next(at: now), attempt.delivery == "first" else { break }
            times.append(now)
            let fate = notifier.report("a", .unanswered, at: now)
            #expect(fate == (times.count < 5 ? .retried : .lost))
        }
        #expect(times == [0, 1_000, 3_000, 7_000, 15_000])
        #expect(now == 15_000)
        #expect(notifier.waiting == 1)
    }

    @Test func `server errors and 429 are tried again, everything else is delivered`() {
        for status in 200..<600 {
            var notifier = WebhookNotifier<String>()
            notifier.accept("letter", key: "a", due: 0)
            _ = notifier.next(at: 0)
            let fate = notifier.report("a", .answered(status: status, retryAfter_ms: nil), at: 0)
            let isRetried = status == 429 || (status >= 500 && status != 501)
            #expect(fate == (isRetried ? .retried : .delivered), "status \(status)")
        }
    }

    @Test func `Retry-After replaces the wait`() {
        var notifier = WebhookNotifier<String>()
        notifier.accept("letter", key: "a", due: 0)
        _ = notifier.next(at: 0)
        _ = notifier.report("a", .answered(status: 503, retryAfter_ms: 2_500), at: 10)
        #expect(notifier.nextDue == 2_510)
        #expect(notifier.next(at: 2_510)?.number == 2)
    }
}
