package import Platform

/// Decides which removal is sent when, and what an answer means. It is a machine without clock and network.
///
/// Every removal ends with one result. Invariant: `asked` is the sum of `results` and `count`, after every call.
package struct RemovalQueue: Sendable {
    package enum Limits {
        /// The most removals that wait or are under way, some hundred bytes each. It is more people than join twice in
        /// a minute.
        package static let removals = 1_000
        /// The most requests at one time. With several, one that hangs does not hold up the others.
        package static let inFlight = 8
        /// The longest time for which a removal is tried: see Specification, *Single-session enforcement*.
        package static let patience = Duration.seconds(60)
        /// Each wait is up to a half shorter, so that people who came at the same moment are not removed at the same
        /// moment.
        static let jitter = Jitter(0.5...1)
    }

    /// The result of a removal.
    package enum Result: String, Sendable, CaseIterable {
        case removed
        /// LiveKit has no such participant, or the session ended before it could be removed.
        case already_gone
        /// LiveKit, or a server before it, refused the call.
        case refused
        /// No usable answer came in time.
        case failed
        /// The removal was not tried, or not to its end: too many waited, or lkpush stopped.
        case dropped
    }

    /// One request.
    package struct Attempt: Sendable, Equatable {
        package let number: UInt64
        package let room: String
        package let identity: String
        /// The request must have ended at this time.
        package let deadline: MonotonicTime
    }

    /// The next step.
    package enum Step: Sendable, Equatable {
        /// Send this request, then call `settle`.
        case send(Attempt)
        /// Send nothing. Call `next` again at that time, or when a request has ended.
        case wait(until: MonotonicTime?)
    }

    /// The outcome of a request.
    package enum Outcome: Sendable, Equatable {
        /// - Parameter code: Twirp's error code. Nil if the answer has none.
        case answered(status: Int, code: String?, retryAfter: Duration?)
        case unanswered
    }

    /// The meaning of an outcome for the removal.
    package enum Verdict: Sendable, Equatable {
        case ended(Result)
        case retried(after: Duration)
    }

    private struct Entry: Sendable {
        let number: UInt64
        let room: String
        let identity: String
        let deadline: MonotonicTime
        var notBefore: MonotonicTime
        var failures = 0
        var isInFlight = false
        /// The removal was withdrawn, but its request is under way.
        var isWithdrawn = false
    }

    private let backoff: Backoff
    private var entries: [Entry] = []
    private var lastNumber: UInt64 = 0
    private var inFlight = 0
    /// LiveKit has one rate limit for all requests, so they wait together.
    private var heldUntil: MonotonicTime?
    private var isClosed = false
    private var random: SplitMix

    package private(set) var asked = 0
    package private(set) var results: [Result: Int] = [:]

    package init(minBackoff: Duration, maxBackoff: Duration, seed: UInt64) {
        backoff = Backoff(from: minBackoff, to: maxBackoff, jitter: Limits.jitter)
        random = SplitMix(seed: seed)
    }

    /// The number of removals that wait or are under way.
    package var count: Int { entries.count }

    // MARK: In

    /// Takes a removal that must end before `deadline`. Returns false if it is dropped at once.
    package mutating func add(
        room: String, identity: String, deadline: MonotonicTime, at now: MonotonicTime
    ) -> Bool {
        asked += 1
        guard !isClosed, entries.count < Limits.removals, now < deadline else {
            note(.dropped)
            return false
        }
        lastNumber += 1
        entries.append(
            Entry(number: lastNumber, room: room, identity: identity, deadline: deadline, notBefore: now))
        return true
    }

    /// The session has ended: a removal that was not sent is not sent, and one that is under way is not sent again.
    package mutating func withdraw(room: String, identity: String) {
        for index in entries.indices.reversed()
        where entries[index].identity == identity && entries[index].room == room {
            if entries[index].isInFlight {
                entries[index].isWithdrawn = true
            } else {
                entries.remove(at: index)
                note(.already_gone)
            }
        }
    }

    /// Drops the removals that wait, and refuses later ones. Those under way may end.
    package mutating func close() {
        isClosed = true
        end(.dropped) { !$0.isInFlight }
    }

    /// Gives up the removals that are under way, too. They may still take effect.
    package mutating func abandon() {
        close()
        inFlight = 0
        end(.dropped) { _ in true }
    }

    // MARK: Out

    /// The next step at `now`.
    package mutating func next(at now: MonotonicTime) -> Step {
        end(.failed) { !$0.isInFlight && $0.deadline <= now }
        guard inFlight < Limits.inFlight else { return .wait(until: nil) }
        var earliest: MonotonicTime?
        for index in entries.indices where !entries[index].isInFlight {
            let start = max(entries[index].notBefore, heldUntil ?? now)
            if start <= now {
                entries[index].isInFlight = true
                inFlight += 1
                let entry = entries[index]
                return .send(
                    Attempt(
                        number: entry.number, room: entry.room, identity: entry.identity, deadline: entry.deadline))
            }
            let look = min(start, entries[index].deadline)
            earliest = min(earliest ?? look, look)
        }
        return .wait(until: earliest)
    }

    /// Takes the outcome of a request. Traps if the request was not begun.
    package mutating func settle(_ number: UInt64, _ outcome: Outcome, at now: MonotonicTime) -> Verdict {
        guard let index = entries.firstIndex(where: { $0.number == number && $0.isInFlight }) else {
            preconditionFailure("only a request that was begun can end")
        }
        entries[index].isInFlight = false
        inFlight -= 1
        switch outcome {
        case .unanswered: return retry(index, nil, at: now)
        case .answered(200..<300, _, _): return end(index, .removed)
        // Without Twirp's code, the answer comes from a server that is not LiveKit.
        case .answered(404, "not_found", _): return end(index, .already_gone)
        case .answered(429, _, let wait):
            let verdict = retry(index, wait, at: now)
            if case .retried(let wait) = verdict { heldUntil = max(heldUntil ?? now, now + wait) }
            return verdict
        // LiveKit does not implement the call, so a retry would not help.
        case .answered(501, _, _): return end(index, .refused)
        // With 408 Twirp says that LiveKit's own time was up.
        case .answered(408, _, let wait), .answered(500..., _, let wait): return retry(index, wait, at: now)
        case .answered: return end(index, .refused)
        }
    }

    /// Retries after a growing wait with jitter, or the wait that LiveKit asks for, if there is time for it.
    private mutating func retry(_ index: Int, _ asked: Duration?, at now: MonotonicTime) -> Verdict {
        if entries[index].isWithdrawn { return end(index, .already_gone) }
        if isClosed { return end(index, .dropped) }
        entries[index].failures += 1
        let own = backoff.wait(
            afterFailures: entries[index].failures, chance: .random(in: 0...1, using: &random))
        let wait = max(own, asked ?? .zero)
        guard now + wait < entries[index].deadline else { return end(index, .failed) }
        entries[index].notBefore = now + wait
        return .retried(after: wait)
    }

    // MARK: Ends

    private mutating func end(_ index: Int, _ result: Result) -> Verdict {
        entries.remove(at: index)
        note(result)
        return .ended(result)
    }

    private mutating func end(_ result: Result, where isOver: (Entry) -> Bool) {
        let before = entries.count
        entries.removeAll(where: isOver)
        note(result, before - entries.count)
    }

    private mutating func note(_ result: Result, _ count: Int = 1) {
        if count > 0 { results[result, default: 0] += count }
    }
}
