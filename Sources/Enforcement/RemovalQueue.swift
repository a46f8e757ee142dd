package import Platform

/// Decides which removal is sent when, and what an answer means. It knows neither clock nor network.
///
/// Every removal ends with one result: `asked` is the sum of `results` and `count`, after every call.
package struct RemovalQueue: Sendable {
    package enum Limits {
        /// Removals that wait or are under way, some hundred bytes each: more people than join twice in a minute.
        package static let removals = 1_000
        /// Requests at one time: one that hangs must not hold up the others.
        package static let inFlight = 8
        /// How long a removal is tried at most: SPEC 3.3.
        package static let patience = Duration.seconds(60)
        /// Each wait is up to a half shorter: people who came at the same moment are not removed at the same moment.
        static let jitter = Jitter(0.5...1)
    }

    /// What became of a removal.
    package enum Result: String, Sendable, CaseIterable {
        case removed
        /// LiveKit knows nobody there, or the session ended before it could be removed.
        case already_gone
        /// LiveKit, or something before it, does not want it.
        case refused
        /// No usable answer in time.
        case failed
        /// Not tried, or not to its end: too many waited, or lkpush stopped.
        case dropped
    }

    /// One request.
    package struct Attempt: Sendable, Equatable {
        package let number: UInt64
        package let room: String
        package let identity: String
        /// When the request must have ended.
        package let deadline: MonotonicTime
    }

    /// What to do now.
    package enum Step: Sendable, Equatable {
        /// Send this, and `settle` it.
        case send(Attempt)
        /// Nothing; ask again at that time, or when a request has ended.
        case wait(until: MonotonicTime?)
    }

    /// How a request ended.
    package enum Outcome: Sendable, Equatable {
        /// - Parameter code: Twirp's, nil where the answer has none.
        case answered(status: Int, code: String?, retryAfter: Duration?)
        case unanswered
    }

    /// What was made of it.
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
        /// It is not wanted any more, but may just be happening.
        var isWithdrawn = false
    }

    private let backoff: Backoff
    private var entries: [Entry] = []
    private var lastNumber: UInt64 = 0
    private var inFlight = 0
    /// LiveKit's limit of requests is one for all of them.
    private var heldUntil: MonotonicTime?
    private var isClosed = false
    private var random: SplitMix

    package private(set) var asked = 0
    package private(set) var results: [Result: Int] = [:]

    package init(minBackoff: Duration, maxBackoff: Duration, seed: UInt64) {
        backoff = Backoff(from: minBackoff, to: maxBackoff, jitter: Limits.jitter)
        random = SplitMix(seed: seed)
    }

    /// Removals that wait or are under way.
    package var count: Int { entries.count }

    // MARK: In

    /// Takes a removal that must end before `deadline`; false where it is dropped at once.
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

    /// The session is gone: what has not been sent is not sent, what is under way is not sent again.
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

    /// Drops what waits, and takes nothing more; what is under way may end.
    package mutating func close() {
        isClosed = true
        end(.dropped) { !$0.isInFlight }
    }

    /// Gives up what is under way too. It may still happen.
    package mutating func abandon() {
        close()
        inFlight = 0
        end(.dropped) { _ in true }
    }

    // MARK: Out

    /// What to do at `now`.
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

    /// What became of a request. Traps where it was not begun.
    package mutating func settle(_ number: UInt64, _ outcome: Outcome, at now: MonotonicTime) -> Verdict {
        guard let index = entries.firstIndex(where: { $0.number == number && $0.isInFlight }) else {
            preconditionFailure("only a request that was begun can end")
        }
        entries[index].isInFlight = false
        inFlight -= 1
        switch outcome {
        case .unanswered: return retry(index, nil, at: now)
        case .answered(200..<300, _, _): return end(index, .removed)
        // Without Twirp's code it is the answer of a server that is not LiveKit's.
        case .answered(404, "not_found", _): return end(index, .already_gone)
        case .answered(429, _, let wait):
            let verdict = retry(index, wait, at: now)
            if case .retried(let wait) = verdict { heldUntil = max(heldUntil ?? now, now + wait) }
            return verdict
        // Not implemented: it will not be in a second either.
        case .answered(501, _, _): return end(index, .refused)
        // 408 is how Twirp says that LiveKit's own time was up.
        case .answered(408, _, let wait), .answered(500..., _, let wait): return retry(index, wait, at: now)
        case .answered: return end(index, .refused)
        }
    }

    /// Again after a growing wait with chance in it, or the one that LiveKit asks for, if there is time for it.
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
