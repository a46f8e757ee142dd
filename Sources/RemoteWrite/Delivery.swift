package import Platform
package import Wire

/// Decides which batch is sent when, and what an answer means: batches come in, requests and verdicts go out.
///
/// One request is under way at a time, in order. It is a machine without clock and network. Its table of answers
/// follows
/// https://prometheus.io/docs/specs/prw/remote_write_spec/#retries-backoff
/// Invariant: `enqueued = accepted + rejected + ambiguous + dropped + pending`, after every call.
package struct Delivery: Sendable {
    /// The next step.
    package enum Step: Sendable {
        /// Nothing is queued, or a request is under way.
        case idle
        /// Call `next` again at this time.
        case wait(until: MonotonicTime)
        /// Send this request, then call `settle`.
        case send(Attempt)
    }

    /// One request.
    package struct Attempt: Sendable {
        package let body: [UInt8]
        /// The number of earlier requests with this batch.
        package let retry: Int
        /// The credentials were refused before, so they must be read again first.
        package let renewsCredentials: Bool
        package let samples: Int
    }

    /// The outcome of a request.
    package enum Outcome: Sendable, Equatable {
        /// - Parameters:
        ///   - retryAfter: the wait that the receiver asks for.
        ///   - wasResent: the request was sent more than once before this answer came.
        case answered(status: Int, retryAfter: Duration?, wasResent: Bool)
        case failed(mayHaveArrived: Bool)
    }

    /// The meaning of an outcome for the batch.
    package enum Verdict: Sendable, Equatable {
        case accepted
        /// The receiver refused the batch for good. It is gone.
        case rejected
        /// The receiver refused the batch after an earlier answer was lost: it may have stored the first copy. The
        /// batch is gone.
        case ambiguous
        /// The same bytes are sent again after this time.
        case retried(after: Duration)
        /// The credentials were refused: everything waits for this long.
        case held(Duration)
        /// The batch was too large and was split in two.
        case split
    }

    /// A consequence for the series table or the writer of batches.
    package enum Effect: Sendable, Equatable {
        /// The first request with these rows begins.
        case attempted(rows: Range<Int>, sequence: UInt64)
        /// Samples of these rows will not arrive.
        case lost(rows: Range<Int>, sequence: UInt64, wasAttempted: Bool)
        /// This body is no longer needed.
        case released([UInt8])
    }

    struct Entry: Sendable {
        var batch: Batch
        var attempts = 0
        /// An earlier request with this batch may have been received.
        var mayHaveArrived = false

        var cost: Int { batch.body.count + Limits.entry_bytes }
    }

    package let settings: DeliverySettings
    package internal(set) var statistics = DeliveryStatistics()
    /// The size limit for later batches. It is halved when the receiver finds a batch too large, and doubled again over
    /// time.
    package private(set) var cap_bytes: Int
    /// The first value of `cap_bytes`. It never rises above this.
    private let fullCap_bytes: Int
    /// The largest body that the receiver accepted since the cap was lowered, or the lowered cap itself.
    private var known_bytes = Int.max
    private var capRises: MonotonicTime?

    var queue = Deque<Entry>()
    private var isInFlight = false
    /// The number of failed requests in a row.
    private var failures = 0
    private var notBefore: MonotonicTime?
    private var isHeld = false
    /// Batches from this number on are withheld until a reading may be sent.
    private var withheldFrom: UInt64?
    private let backoff: Backoff
    private var random: SplitMix

    package init(_ settings: DeliverySettings, cap_bytes: Int, seed: UInt64) {
        self.settings = settings
        self.cap_bytes = cap_bytes
        fullCap_bytes = cap_bytes
        backoff = Backoff(from: settings.minBackoff, to: settings.maxBackoff, jitter: Limits.jitter)
        random = SplitMix(seed: seed)
    }

    /// True if no batch waits or is under way.
    package var isEmpty: Bool { queue.count == 0 }
    /// True if the next batch is withheld until a reading may be sent.
    package var isWithholding: Bool {
        guard let withheldFrom, let first = queue.first else { return false }
        return first.batch.sequence >= withheldFrom
    }
    /// The lowest number of a batch that is not settled. Nil if all are settled.
    package var oldestSequence: UInt64? { queue.first?.batch.sequence }

    // MARK: In

    /// Enqueues a batch. If the memory is used up, the oldest batches that are not under way are dropped.
    package mutating func enqueue(_ batch: Batch, into effects: inout [Effect]) {
        statistics.enqueued += UInt64(batch.samples)
        statistics.batchesEnqueued += 1
        statistics.newestEnqueued = max(statistics.newestEnqueued ?? batch.newest, batch.newest)
        let entry = Entry(batch: batch)
        statistics.queue_bytes += entry.cost
        if entry.cost > settings.queue.bytes {
            // Dropping other batches would not make enough room for it.
            drop(entry, .tooLarge, into: &effects)
            return
        }
        queue.append(entry)
        dropOldest(into: &effects)
    }

    /// Withholds batches from this number on until `release`. Batches that were withheld before stay withheld.
    package mutating func withhold(from sequence: UInt64) { withheldFrom = min(withheldFrom ?? sequence, sequence) }

    /// Lets withheld batches be sent.
    package mutating func release() { withheldFrom = nil }

    mutating func dropOldest(into effects: inout [Effect]) {
        let inFlight = isInFlight ? queue.popFirst() : nil
        while statistics.queue_bytes > settings.queue.bytes, let oldest = queue.popFirst() {
            drop(oldest, .queueFull, into: &effects)
        }
        if let inFlight { queue.prepend(inFlight) }
        noteQueue()
    }

    // MARK: Out

    /// The next step at `now`.
    package mutating func next(at now: MonotonicTime, into effects: inout [Effect]) -> Step {
        guard !isInFlight, let entry = queue.first, !isWithholding else { return .idle }
        if let notBefore, now < notBefore { return .wait(until: notBefore) }
        let renews = isHeld
        isInFlight = true
        isHeld = false
        notBefore = nil
        if entry.attempts == 0 {
            effects.append(.attempted(rows: entry.batch.rows, sequence: entry.batch.sequence))
        } else {
            statistics.retries += 1
            statistics.samplesRetried += UInt64(entry.batch.samples)
        }
        queue.updateFirst { $0.attempts += 1 }
        return .send(
            Attempt(
                body: entry.batch.body, retry: entry.attempts, renewsCredentials: renews, samples: entry.batch.samples))
    }

    /// Ends the current wait, and begins with short waits again: after new credentials, or as the last chance before a
    /// stop.
    package mutating func hurry() {
        notBefore = nil
        failures = 0
    }

    /// The time until which nothing can be sent. Nil if a request may begin or is under way.
    package var waitsUntil: MonotonicTime? { isInFlight ? nil : notBefore }

    /// Takes the outcome of the request that is under way. Traps if there is none.
    package mutating func settle(
        _ outcome: Outcome, at now: MonotonicTime, wall: Timestamp, into effects: inout [Effect]
    ) -> Verdict {
        precondition(isInFlight, "only a request that was begun can end")
        isInFlight = false
        switch outcome {
        case .failed(let mayHaveArrived):
            if mayHaveArrived { queue.updateFirst { $0.mayHaveArrived = true } }
            return retry(nil, at: now)
        case .answered(let status, let wait, let wasResent):
            statistics.answers[status, default: 0] += 1
            if wasResent { queue.updateFirst { $0.mayHaveArrived = true } }
            return settle(status, wait, at: now, wall: wall, into: &effects)
        }
    }

    private mutating func settle(
        _ status: Int, _ wait: Duration?, at now: MonotonicTime, wall: Timestamp, into effects: inout [Effect]
    ) -> Verdict {
        switch status {
        case 200..<300:
            failures = 0
            statistics.lastSuccess = wall
            raiseCap(at: now)
            finish(.accepted, into: &effects)
            return .accepted
        case 400 where queue.first?.mayHaveArrived == true:
            // Prometheus accepts an exact copy of a series' newest sample only. A copy of two samples is refused,
            // although both are stored.
            failures = 0
            finish(.ambiguous, into: &effects)
            return .ambiguous
        // 407 comes from a proxy: the receiver has not seen the samples, so it did not refuse them.
        case 401, 403, 407: return hold(at: now)
        case 413: return shrink(status, at: now, into: &effects)
        case 429 where settings.retriesOnTooManyRequests: return retry(wait, at: now)
        case 300..<500:
            failures = 0
            finish(.rejected(status), into: &effects)
            return .rejected
        case 501, 505:
            // The receiver does not implement this, so it would not help to try again in a second.
            failures = max(failures, 62)
            return retry(wait, at: now)
        case 502, 504:
            // A gateway lost the answer: the server behind it may have stored the samples.
            queue.updateFirst { $0.mayHaveArrived = true }
            return retry(wait, at: now)
        default: return retry(wait, at: now)
        }
    }

    // MARK: Verdicts

    /// Waits half a second, doubled up to 30 s and never more, with jitter; or as long as the receiver asked for.
    private mutating func retry(_ asked: Duration?, at now: MonotonicTime) -> Verdict {
        failures = min(failures + 1, 63)
        var wait = backoff.wait(afterFailures: failures, chance: .random(in: 0...1, using: &random))
        if let asked { wait = min(max(asked, settings.minBackoff), Limits.retryAfter) }
        notBefore = now + wait
        statistics.backoff = wait
        return .retried(after: wait)
    }

    /// Waits before the next request. Missing or refused credentials are an operator's mistake, which can be mended
    /// without a loss.
    private mutating func hold(at now: MonotonicTime) -> Verdict {
        isHeld = true
        notBefore = now + Limits.credentialHold
        statistics.holds += 1
        statistics.backoff = Limits.credentialHold
        return .held(Limits.credentialHold)
    }

    private mutating func shrink(_ status: Int, at now: MonotonicTime, into effects: inout [Effect]) -> Verdict {
        failures = 0
        let size = queue.first?.batch.body.count ?? 0
        // The batch is larger than any that was accepted: the cap rose too high, or the batch was made before the cap
        // was lowered.
        let isTrial = size > known_bytes
        if isTrial {
            cap_bytes = min(cap_bytes, known_bytes)
        } else if size <= cap_bytes {
            cap_bytes = min(cap_bytes, max(Limits.smallestCap_bytes, cap_bytes / 2))
            known_bytes = cap_bytes
        }
        capRises = now + Limits.capRest
        statistics.splits += 1
        if let entry = queue.first, isTrial || size > Limits.split_bytes,
            let (first, second) = entry.batch.halves(limit: Limits.decoded_bytes)
        {
            _ = queue.popFirst()
            statistics.queue_bytes -= entry.cost
            for half in [second, first] {
                let part = Entry(batch: half, mayHaveArrived: entry.mayHaveArrived)
                statistics.queue_bytes += part.cost
                queue.prepend(part)
            }
            noteQueue()
            return .split
        }
        finish(.rejected(status), into: &effects)
        return .rejected
    }

    /// Doubles a lowered cap from time to time: the limit may have been a proxy's for a while, or was raised. A trial
    /// loses nothing, because a batch that is too large is split, whatever its size.
    private mutating func raiseCap(at now: MonotonicTime) {
        guard cap_bytes < fullCap_bytes else { return }
        known_bytes = max(known_bytes, queue.first?.batch.body.count ?? 0)
        guard let time = capRises, now >= time else { return }
        cap_bytes = min(fullCap_bytes, cap_bytes * 2)
        capRises = now + Limits.capRest
    }

    private enum Fate: Equatable { case accepted, rejected(Int), ambiguous }

    private mutating func finish(_ fate: Fate, into effects: inout [Effect]) {
        guard let entry = queue.popFirst() else { return }
        let batch = entry.batch
        statistics.queue_bytes -= entry.cost
        statistics.backoff = .zero
        switch fate {
        case .accepted:
            statistics.accepted += UInt64(batch.samples)
            statistics.bytesAccepted += UInt64(batch.body.count)
            statistics.newestSent = max(statistics.newestSent ?? batch.newest, batch.newest)
        case .rejected(let status): statistics.rejectedByStatus[status, default: 0] += UInt64(batch.samples)
        case .ambiguous: statistics.ambiguous += UInt64(batch.samples)
        }
        statistics.batchesSettled += 1
        if fate != .accepted {
            effects.append(.lost(rows: batch.rows, sequence: batch.sequence, wasAttempted: true))
        }
        effects.append(.released(batch.body))
        noteQueue()
    }

    private mutating func drop(_ entry: Entry, _ reason: DropReason, into effects: inout [Effect]) {
        statistics.queue_bytes -= entry.cost
        statistics.dropped[reason, default: 0] += UInt64(entry.batch.samples)
        statistics.batchesSettled += 1
        effects.append(
            .lost(rows: entry.batch.rows, sequence: entry.batch.sequence, wasAttempted: entry.attempts > 0))
        effects.append(.released(entry.batch.body))
    }

    private mutating func noteQueue() { statistics.oldestQueued = queue.first?.batch.oldest }

    /// Gives up all batches at the end. The one under way may still arrive, so it counts as ambiguous.
    package mutating func abandon(into effects: inout [Effect]) {
        if isInFlight {
            isInFlight = false
            finish(.ambiguous, into: &effects)
        }
        while let entry = queue.popFirst() { drop(entry, .stopped, into: &effects) }
        noteQueue()
    }
}
