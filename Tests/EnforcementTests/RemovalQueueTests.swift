import Enforcement
import Platform
import Testing

/// The order of requests, and the meaning of answers. The test sets the time.
@Suite struct RemovalQueueTests {
    private typealias Limits = RemovalQueue.Limits

    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func at(_ seconds: Double) -> MonotonicTime { Self.start + .seconds(seconds) }

    private func queue(seed: UInt64 = 7) -> Line { Line(seed: seed) }

    /// The queue in a class, so that expectations can call its mutating methods.
    private final class Line {
        private var queue: RemovalQueue

        init(seed: UInt64) {
            queue = RemovalQueue(minBackoff: .milliseconds(500), maxBackoff: .seconds(8), seed: seed)
        }

        var count: Int { queue.count }
        var results: [RemovalQueue.Result: Int] { queue.results }

        func add(_ room: String, _ identity: String, before deadline: MonotonicTime, at now: MonotonicTime) -> Bool {
            queue.add(room: room, identity: identity, deadline: deadline, at: now)
        }

        func next(at now: MonotonicTime) -> RemovalQueue.Step { queue.next(at: now) }

        func settle(
            _ attempt: RemovalQueue.Attempt, _ outcome: RemovalQueue.Outcome, at now: MonotonicTime
        ) -> RemovalQueue.Verdict { queue.settle(attempt.number, outcome, at: now) }

        func withdraw(_ room: String, _ identity: String) { queue.withdraw(room: room, identity: identity) }
        func close() { queue.close() }
        func abandon() { queue.abandon() }

        /// No removal is lost or counted twice.
        var isBalanced: Bool { queue.asked == queue.results.values.reduce(0, +) + queue.count }
    }

    private func sent(_ step: RemovalQueue.Step) -> RemovalQueue.Attempt? {
        if case .send(let attempt) = step { attempt } else { nil }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let code: String?
        let result: RemovalQueue.Result?
        init(_ status: Int, _ code: String?, _ result: RemovalQueue.Result?) {
            (self.status, self.code, self.result) = (status, code, result)
        }
        var testDescription: String { "\(status) \(code ?? "")" }
    }

    @Test(arguments: [
        Case(200, nil, .removed), Case(204, nil, .removed), Case(404, "not_found", .already_gone),
        Case(404, "bad_route", .refused), Case(404, nil, .refused), Case(401, "unauthenticated", .refused),
        Case(403, "permission_denied", .refused), Case(400, "malformed", .refused), Case(301, nil, .refused),
        Case(501, "unimplemented", .refused), Case(500, "internal", nil), Case(503, "unavailable", nil),
        Case(502, nil, nil), Case(429, "resource_exhausted", nil), Case(408, "deadline_exceeded", nil),
    ])
    func `an answer ends a removal or has it sent again`(answer: Case) throws {
        let queue = queue()
        #expect(queue.add("red", "ann", before: at(60), at: at(0)))
        let attempt = try #require(sent(queue.next(at: at(0))))
        #expect(attempt.room == "red" && attempt.identity == "ann" && attempt.deadline == at(60))
        let verdict = queue.settle(
            attempt, .answered(status: answer.status, code: answer.code, retryAfter: nil), at: at(1))
        if let result = answer.result {
            #expect(verdict == .ended(result))
            #expect(queue.results == [result: 1])
            #expect(queue.next(at: at(1)) == .wait(until: nil))
        } else {
            guard case .retried(let wait) = verdict else {
                Issue.record("\(verdict)")
                return
            }
            #expect(wait >= .milliseconds(250) && wait <= .milliseconds(500))
            #expect(queue.next(at: at(1)) == .wait(until: at(1) + wait))
            #expect(sent(queue.next(at: at(1) + wait)) == attempt)
        }
        #expect(queue.isBalanced)
    }

    @Test(arguments: [UInt64](1...20))
    func `what nobody answers is sent again with growing waits, and given up within its time`(seed: UInt64) throws {
        let queue = queue(seed: seed)
        #expect(queue.add("red", "ann", before: at(60), at: at(0)))
        var now = at(0)
        var attempts = 0
        var longest = Duration.zero
        while queue.count > 0 {
            let attempt = try #require(sent(queue.next(at: now)))
            attempts += 1
            switch queue.settle(attempt, .unanswered, at: now) {
            case .retried(let wait):
                #expect(wait <= .seconds(8))
                longest = max(longest, wait)
                now = now + wait
                #expect(now < at(60))
            case .ended(let result): #expect(result == .failed)
            }
        }
        #expect(longest > .seconds(4))
        #expect(attempts >= 8 && attempts <= 25)
        #expect(queue.results == [.failed: 1])
    }

    @Test func `what LiveKit asks for is waited for, by all where it is too much for it`() throws {
        let queue = queue()
        #expect(queue.add("red", "ann", before: at(60), at: at(0)))
        #expect(queue.add("blue", "bob", before: at(60), at: at(0)))
        let first = try #require(sent(queue.next(at: at(0))))
        let verdict = queue.settle(
            first, .answered(status: 429, code: nil, retryAfter: .seconds(20)), at: at(0))
        #expect(verdict == .retried(after: .seconds(20)))
        #expect(queue.next(at: at(1)) == .wait(until: at(20)))
        #expect(sent(queue.next(at: at(20))) == first)
        // After a 503 only this removal waits: the other one is sent at once.
        let other = queue.settle(
            first, .answered(status: 503, code: nil, retryAfter: .seconds(5)), at: at(21))
        #expect(other == .retried(after: .seconds(5)))
        #expect(sent(queue.next(at: at(21)))?.room == "blue")
    }

    @Test func `a wait that is longer than the time left is not waited for`() throws {
        let queue = queue()
        #expect(queue.add("red", "ann", before: at(60), at: at(0)))
        let attempt = try #require(sent(queue.next(at: at(0))))
        let verdict = queue.settle(
            attempt, .answered(status: 503, code: nil, retryAfter: .seconds(60)), at: at(0))
        #expect(verdict == .ended(.failed))
        #expect(queue.isBalanced)
    }

    @Test func `as many as may are under way, and one that gets no turn in time has failed`() throws {
        let queue = queue()
        for number in 0...Limits.inFlight {
            #expect(queue.add("red", "\(number)", before: at(10), at: at(0)))
        }
        var attempts: [RemovalQueue.Attempt] = []
        while let attempt = sent(queue.next(at: at(0))) { attempts.append(attempt) }
        #expect(attempts.count == Limits.inFlight)
        #expect(queue.next(at: at(10)) == .wait(until: nil))
        #expect(queue.results == [.failed: 1])
        #expect(
            queue.settle(attempts[0], .answered(status: 200, code: nil, retryAfter: nil), at: at(11))
                == .ended(.removed))
        #expect(queue.isBalanced)
    }

    @Test func `what is too much, too late or after the end is dropped and counted`() {
        let queue = queue()
        for number in 0..<Limits.removals {
            #expect(queue.add("red", "\(number)", before: at(60), at: at(0)))
        }
        #expect(!queue.add("red", "ann", before: at(60), at: at(0)))
        #expect(queue.results == [.dropped: 1])
        queue.close()
        #expect(queue.results == [.dropped: Limits.removals + 1])
        #expect(!queue.add("red", "ann", before: at(60), at: at(0)))
        #expect(queue.isBalanced)
        let late = self.queue()
        #expect(!late.add("red", "ann", before: at(5), at: at(5)))
        #expect(late.results == [.dropped: 1])
    }

    @Test func `what is withdrawn is not sent, nor sent again`() throws {
        let queue = queue()
        for identity in ["ann", "bob"] {
            #expect(queue.add("red", identity, before: at(60), at: at(0)))
        }
        #expect(queue.add("blue", "ann", before: at(60), at: at(0)))
        let first = try #require(sent(queue.next(at: at(0))))
        queue.withdraw("red", "ann")
        queue.withdraw("red", "bob")
        queue.withdraw("red", "nobody")
        #expect(queue.results == [.already_gone: 1])
        #expect(queue.settle(first, .unanswered, at: at(1)) == .ended(.already_gone))
        // A removal that succeeded counts as `removed`, even if it was withdrawn meanwhile.
        let second = try #require(sent(queue.next(at: at(1))))
        #expect(second.room == "blue")
        queue.withdraw("blue", "ann")
        let done = queue.settle(second, .answered(status: 200, code: nil, retryAfter: nil), at: at(2))
        #expect(done == .ended(.removed))
        #expect(queue.isBalanced)
    }

    @Test func `at the end what is under way may end, and is not sent again`() throws {
        let queue = queue()
        for identity in ["ann", "bob", "cat"] {
            #expect(queue.add("red", identity, before: at(60), at: at(0)))
        }
        let attempts = (0..<3).compactMap { _ in sent(queue.next(at: at(0))) }
        try #require(attempts.count == 3)
        queue.close()
        let done = queue.settle(attempts[0], .answered(status: 200, code: nil, retryAfter: nil), at: at(1))
        #expect(done == .ended(.removed))
        #expect(queue.settle(attempts[1], .unanswered, at: at(1)) == .ended(.dropped))
        queue.abandon()
        #expect(queue.results == [.removed: 1, .dropped: 2])
        #expect(queue.isBalanced)
    }
}
