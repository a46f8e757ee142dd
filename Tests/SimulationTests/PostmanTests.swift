import Simulation
import Testing

@Suite struct PostmanTests {
    private static let ok = Postman<String>.Outcome.answered(status: 200, retryAfter_ms: nil)

    @Test func `letters of a key wait for the one before, other keys do not`() {
        var postman = Postman<String>()
        postman.accept("a1", key: "a", due: 0)
        postman.accept("a2", key: "a", due: 0)
        postman.accept("b1", key: "b", due: 0)
        #expect(postman.next(at: 0)?.letter == "a1")
        #expect(postman.next(at: 0)?.letter == "b1")
        #expect(postman.next(at: 0) == nil)
        #expect(postman.report("a", Self.ok, at: 5) == .delivered)
        #expect(postman.next(at: 5)?.letter == "a2")
        #expect(postman.waiting == 2)
        #expect(postman.report("b", Self.ok, at: 6) == .delivered)
        #expect(postman.report("a", Self.ok, at: 6) == .delivered)
        #expect(postman.waiting == 0)
        #expect(postman.nextDue == nil)
    }

    @Test func `nothing leaves before it is due`() {
        var postman = Postman<String>()
        postman.accept("later", key: "a", due: 100)
        #expect(postman.next(at: 99) == nil)
        #expect(postman.nextDue == 100)
        #expect(postman.next(at: 100)?.letter == "later")
    }

    @Test func `an unanswered letter is tried at 0, 1, 3, 7 and 15 s, then lost`() {
        var postman = Postman<String>()
        postman.accept("first", key: "a", due: 0)
        postman.accept("second", key: "a", due: 0)
        var times: [Int64] = []
        var now: Int64 = 0
        while let due = postman.nextDue {
            now = due
            guard let attempt = postman.next(at: now), attempt.letter == "first" else { break }
            times.append(now)
            let fate = postman.report("a", .unanswered, at: now)
            #expect(fate == (times.count < 5 ? .retried : .lost))
        }
        #expect(times == [0, 1_000, 3_000, 7_000, 15_000])
        #expect(now == 15_000)
        #expect(postman.waiting == 1)
    }

    @Test func `server errors and 429 are tried again, everything else is delivered`() {
        for status in 200..<600 {
            var postman = Postman<String>()
            postman.accept("letter", key: "a", due: 0)
            _ = postman.next(at: 0)
            let fate = postman.report("a", .answered(status: status, retryAfter_ms: nil), at: 0)
            let isRetried = status == 429 || (status >= 500 && status != 501)
            #expect(fate == (isRetried ? .retried : .delivered), "status \(status)")
        }
    }

    @Test func `Retry-After replaces the wait`() {
        var postman = Postman<String>()
        postman.accept("letter", key: "a", due: 0)
        _ = postman.next(at: 0)
        _ = postman.report("a", .answered(status: 503, retryAfter_ms: 2_500), at: 10)
        #expect(postman.nextDue == 2_510)
        #expect(postman.next(at: 2_510)?.number == 2)
    }
}
