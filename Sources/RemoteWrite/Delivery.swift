package import Platform
import Wire

/// Decides which samples are sent when, and what an answer means: readings come in, requests and verdicts go out.
///
/// The series are divided among shards by a hash. Each shard has one request under way at a time, in order. It is a
/// machine without clock and network. Its table of answers follows
/// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#retries--backoff
/// Invariant: `enqueued = accepted + rejected + ambiguous + dropped + pending`, after every call.
package struct Delivery: Sendable {
    /// The next step.
    package enum Step: Sendable {
        /// Nothing waits, or all that may be under way is.
        case idle
        /// Call `next` again at this time.
        case wait(until: MonotonicTime)
        /// Send this request, then call `settle`. Call `next` again for further requests.
        case send(Attempt)
        /// Have the spool do this, then call `take` with its answer, then `next` again.
        case spool(SpoolOrder)
    }

    /// One request.
    package struct Attempt: Sendable {
        /// Identifies the request in `settle`.
        package let shard: Int
        package let body: [UInt8]
        package let message: Message
        /// The number of earlier requests with this body.
        package let retry: Int
        /// The credentials were refused before, so they must be read again first.
        package let renewsCredentials: Bool
        package let samples: Int
    }

    /// The numbers of the headers `X-Prometheus-Remote-Write-*-Written` of an answer, as far as it has them.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#required-written-response-headers
    package struct Written: Sendable, Equatable {
        package var samples: UInt64?
        package var histograms: UInt64?
        package var exemplars: UInt64?

        package init(samples: UInt64? = nil, histograms: UInt64? = nil, exemplars: UInt64? = nil) {
            self.samples = samples
            self.histograms = histograms
            self.exemplars = exemplars
        }

        /// True if the answer has one of the headers.
        package var isPresent: Bool { samples != nil || histograms != nil || exemplars != nil }
    }

    /// The outcome of a request.
    package enum Outcome: Sendable, Equatable {
        /// - Parameters:
        ///   - retryAfter: the wait that the receiver asks for.
        ///   - wasResent: the request was sent more than once before this answer came.
        ///   - written: the counts that the receiver gave.
        case answered(status: Int, retryAfter: Duration?, wasResent: Bool, written: Written = Written())
        case failed(mayHaveArrived: Bool)
    }

    /// The meaning of an outcome for the samples of the request.
    package enum Verdict: Sendable, Equatable {
        case accepted
        /// The receiver answered with success, and counted fewer samples than it got. These are lost, or counted
        /// elsewhere: nobody knows.
        case acceptedInPart(missing: Int)
        /// The receiver refused this many samples for good. They are lost.
        case rejected(Int)
        /// The receiver refused the samples after an earlier answer was lost: it may have stored the first copy.
        case ambiguous
        /// The same bytes are sent again after this time.
        case retried(after: Duration)
        /// The credentials were refused: everything waits for this long.
        case held(Duration)
        /// The request was too large and was split in two.
        case split
        /// The receiver does not read version 2.0: the same samples are sent as 1.0.
        case fellBack(FallbackReason)
    }

    package let settings: DeliverySettings
    let limits: BatchLimits
    package internal(set) var statistics = DeliveryStatistics()
    var caps: BatchCaps
    var queue: SampleQueue
    var spool: SpoolBacklog
    /// Divides blocks of the spool among shards.
    var cutter: SampleQueue
    /// The address of the receiver, without its secret parts.
    let endpoint: String
    var shards = [DeliveryShard()]
    var pace: Pace
    var messages: MessageState
    /// The number of the last reading.
    private var readings: UInt64 = 0
    /// Nothing is sent before this time.
    var pausedUntil: MonotonicTime?
    var isHeld = false
    /// The shard that is looked at first.
    private var firstShard = 0
    /// The time from which a request of version 1.0 carries the metadata again.
    private var metadataAt: MonotonicTime?
    private var encoder = RequestEncoder()
    var packer = SpoolPacker()
    private var spareBodies: [[UInt8]] = []
    private var spareSamples: [[QueuedSample]] = []
    let backoff: Backoff
    var random: SplitMix

    /// - Parameter endpoint: the address of the receiver without its secret parts. What a spool knows of a receiver
    ///   counts only for its address.
    package init(_ settings: DeliverySettings, limits: BatchLimits, endpoint: String = "", seed: UInt64) {
        self.settings = settings
        self.endpoint = endpoint
        self.limits = limits
        // The memory for what waits must hold several requests.
        caps = BatchCaps(full_bytes: min(limits.compressed_bytes, settings.queue.bytes / 4))
        queue = SampleQueue(block_bytes: settings.queue.bytes / 8)
        spool = SpoolBacklog(settings.spool)
        cutter = SampleQueue(block_bytes: .max)
        pace = Pace(most: settings.maxShards)
        messages = MessageState(settings.message)
        backoff = Backoff(from: settings.minBackoff, to: settings.maxBackoff, jitter: Limits.jitter)
        random = SplitMix(seed: seed)
    }

    /// The size limit for later requests. It is halved when the receiver finds one too large, and doubled again over
    /// time.
    package var cap_bytes: Int { caps.cap_bytes }

    /// True if no sample waits or is under way.
    package var isEmpty: Bool { queue.isEmpty && spool.blocks.isEmpty && shards.allSatisfy { $0.batches.isEmpty } }

    /// True if all that waits is withheld until a reading may be sent.
    package var isWithholding: Bool {
        queue.isWithholding && spool.blocks.isEmpty && shards.allSatisfy { $0.batches.isEmpty }
    }

    // MARK: In

    /// An empty block for the next reading.
    package mutating func emptyBlock() -> SampleBlock { queue.emptyBlock() }

    /// Notes that the time for a reading has come. Call it once per tick, before its samples are enqueued: what still
    /// waits is a backlog.
    package mutating func noteTick(at now: MonotonicTime) {
        noteLate { $0.isInFlight }
        // A request that could not even begin since the last reading is as late as one without an answer.
        if !isEmpty && !isWithholding { beginSpooling() }
        pace.noteTick(at: now, pending: statistics.pending, isFailing: hasFailures)
    }

    /// Enqueues the samples of a reading. If the memory is used up, the oldest samples that are not under way are
    /// dropped.
    ///
    /// - Parameter isWithheld: the reading, and all that follow, wait until `release`.
    package mutating func enqueue(_ block: SampleBlock, isWithheld: Bool = false, _ table: inout SeriesTable) {
        guard !block.samples.isEmpty else { return queue.recycle(block) }
        readings += 1
        if isWithheld { queue.withhold(from: readings) }
        statistics.enqueued += UInt64(block.samples.count)
        let newest = block.base
        statistics.newestEnqueued = max(statistics.newestEnqueued ?? newest, newest)
        spool.now = newest
        let most_bytes = memory(afterReadingOf: block.samples.count)
        if queue.append(block, number: readings, most_bytes: most_bytes) {
            dropOldest(downTo: most_bytes, &table)
        } else {
            // Dropping other samples would not make enough room for these.
            statistics.dropped[.tooLarge, default: 0] += UInt64(block.samples.count)
            table.noteLoss(block.samples[...], wasAttempted: false)
            queue.recycle(block)
        }
        note()
    }

    /// Lets withheld readings be sent.
    package mutating func release() { queue.release() }

    // MARK: Out

    /// The next step at `now`.
    package mutating func next(at now: MonotonicTime, _ table: inout SeriesTable) -> Step {
        noteLate { $0.begunAt.map { now.since($0) >= Limits.late } ?? false }
        while true {
            if let order = spoolOrder(at: now, &table) { return .spool(order) }
            if let pausedUntil, now < pausedUntil { return isInFlight ? idle(at: now) : .wait(until: pausedUntil) }
            if let time = pace.waits(at: now) {
                return isEmpty || isWithholding ? idle(at: now) : .wait(until: time)
            }
            // While the message or the credentials are in doubt, one request finds out.
            if (isHeld || messages.isInDoubt) && isInFlight { return idle(at: now) }
            divide()
            switch nextShard(at: now, &table) {
            case .ready(let index):
                firstShard = (index + 1) % shards.count
                defer { note() }
                return .send(begin(index, at: now, &table))
            case .needs(let order): return .spool(order)
            case .changed: continue
            case .none(let until): return until.map { .wait(until: min($0, lateAt ?? $0)) } ?? idle(at: now)
            }
        }
    }

    /// Nothing to do but to wait for an answer, which may be late.
    private func idle(at now: MonotonicTime) -> Step { lateAt.map { .wait(until: $0) } ?? .idle }

    /// The state of a shard that may send.
    private enum Readiness {
        /// The first batch of this shard can be sent.
        case ready(Int)
        /// The spool must do this first.
        case needs(SpoolOrder)
        /// The batches have changed: look again.
        case changed
        /// Nothing can be sent, or not before this time.
        case none(until: MonotonicTime?)
    }

    private mutating func nextShard(at now: MonotonicTime, _ table: inout SeriesTable) -> Readiness {
        var earliest: MonotonicTime?
        // The first request of all carries `up`.
        let first = messages.isFirst ? Int(table.groups[0].hash % UInt32(shards.count)) : firstShard
        for offset in shards.indices {
            let index = (first + offset) % shards.count
            if shards[index].isInFlight { continue }
            if let time = shards[index].notBefore, now < time {
                earliest = min(earliest ?? time, time)
                continue
            }
            switch prepare(index, at: now, &table) {
            case .none(let until):
                if let until { earliest = min(earliest ?? until, until) }
            case let other: return other
            }
        }
        return .none(until: earliest)
    }

    var isInFlight: Bool { shards.contains { $0.isInFlight } }

    /// Takes on the number of shards that the pace wants, when no shard has a request with samples that were tried.
    private mutating func divide() {
        guard pace.shards != shards.count, shards.allSatisfy({ $0.batches.isEmpty }) else { return }
        queue.divide(into: pace.shards)
        shards = Array(repeating: DeliveryShard(), count: pace.shards)
        firstShard = 0
    }

    /// Makes the first batch of a shard ready to be sent.
    private mutating func prepare(_ index: Int, at now: MonotonicTime, _ table: inout SeriesTable) -> Readiness {
        if shards[index].batches.isEmpty {
            // Another number of shards is wanted: those that have a request end it first. A request that is tried
            // again may take long, so nobody waits for it.
            if pace.shards != shards.count && !hasFailures { return .none(until: nil) }
            if !spool.blocks.isEmpty {
                return cutOrder(at: now, table).map { .needs($0) } ?? .none(until: spool.readsAt)
            }
            guard let batch = take(index, at: now, &table) else { return .none(until: nil) }
            shards[index].batches.append(batch)
        }
        guard var batch = shards[index].batches.popFirst() else { return .none(until: nil) }
        guard batch.isLoaded else {
            defer { shards[index].batches.prepend(batch) }
            guard let stored = batch.stored, spool.mayRead(at: now) else { return .none(until: spool.readsAt) }
            spool.purpose = .send(shard: index)
            return .needs(.readBatch(stored.number))
        }
        let isForeign = batch.message == .v2 && messages.current == .v1 && !(batch.isProbe && batch.attempts == 0)
        if batch.body.isEmpty || isForeign {
            let raw_bytes = encode(&batch, at: now, &table)
            if batch.body.count > caps.cap_bytes || raw_bytes > limits.decoded_bytes, split(batch, of: index, table) {
                return .changed
            }
        }
        shards[index].batches.prepend(batch)
        return .ready(index)
    }

    /// Replaces a batch, which was the first one of its shard, by its halves. Returns false if it holds one group only.
    mutating func split(_ batch: DeliveryBatch, of index: Int, _ table: SeriesTable) -> Bool {
        guard var (first, second) = batch.halves(table) else { return false }
        var batch = batch
        if let number = batch.placeNumber {
            // The second half has a number before the one that follows. The batches of all shards are numbered together,
            // a stride apart: there is room for 20 splits, and the largest batch has 2^17 samples.
            let following = SpoolBacklog.number(after: number)
            let next = min(following, shards[index].batches.first?.placeNumber ?? following)
            first.number = number
            second.number = number + (next - number) / 2
            first.wasStored = batch.wasStored || batch.stored != nil
            second.wasStored = first.wasStored
            if let stored = batch.stored { spool.subtract(stored) }
            spool.mustWrite = true
        }
        recycle(&batch)
        shards[index].batches.prepend(second)
        shards[index].batches.prepend(first)
        return true
    }

    /// Takes the next samples of a shard out of the queue.
    private mutating func take(_ index: Int, at now: MonotonicTime, _ table: inout SeriesTable) -> DeliveryBatch? {
        var samples = spareSamples.popLast() ?? []
        samples.removeAll(keepingCapacity: true)
        let isProbe = messages.isProbeDue(at: now) && queue.isAtUp(shard: index, table)
        let limit = isProbe || messages.isFirst ? 0 : limits.samples
        guard
            let part = queue.take(
                shard: index, limit: limit, readings: limits.samples / 100, &table, into: &samples)
        else {
            spareSamples.append(samples)
            return nil
        }
        statistics.enqueued += UInt64(part.zeros)
        statistics.batchesEnqueued += 1
        var batch = DeliveryBatch(samples: samples, base: part.base)
        batch.isProbe = isProbe
        return batch
    }

    private mutating func encode(_ batch: inout DeliveryBatch, at now: MonotonicTime, _ table: inout SeriesTable) -> Int
    {
        // Samples that were tried keep their message, unless the receiver does not read it.
        let keepsV1 = batch.attempts > 0 && batch.message == .v1 && messages.choice != .v2
        batch.message = batch.isProbe && batch.attempts == 0 ? .v2 : keepsV1 ? .v1 : messages.current
        batch.bodyAttempts = 0
        if batch.body.isEmpty { batch.body = spareBodies.popLast() ?? [] }
        let withMetadata = batch.message == .v1 && metadataAt.map { now >= $0 } ?? true
        if withMetadata && batch.message == .v1 { metadataAt = now + Limits.metadata }
        return encoder.encode(
            batch.samples[...], base: batch.base, as: batch.message, withMetadata: withMetadata, &table,
            into: &batch.body)
    }

    private mutating func begin(_ index: Int, at now: MonotonicTime, _ table: inout SeriesTable) -> Attempt {
        let renews = isHeld
        pausedUntil = nil
        pace.noteBegun(at: now)
        messages.noteBegun()
        shards[index].isInFlight = true
        shards[index].notBefore = nil
        shards[index].begunAt = now
        guard var batch = shards[index].batches.popFirst() else { preconditionFailure("a batch is ready") }
        if batch.isProbe && batch.attempts == 0 { messages.noteProbe(at: now) }
        if batch.attempts == 0 {
            table.noteAttempt(batch.samples[...])
        } else {
            statistics.retries += 1
            statistics.samplesRetried += UInt64(batch.samples.count)
        }
        let retry = batch.bodyAttempts
        batch.attempts += 1
        batch.bodyAttempts += 1
        let attempt = Attempt(
            shard: index, body: batch.body, message: batch.message, retry: retry, renewsCredentials: renews,
            samples: batch.samples.count)
        shards[index].batches.prepend(batch)
        return attempt
    }

    /// Keeps the memory of a batch that is done.
    mutating func recycle(_ batch: inout DeliveryBatch) {
        // Whoever still holds the body lets it go before it is used again.
        if spareBodies.count < Limits.spares { spareBodies.append(batch.body) }
        if spareSamples.count < Limits.spares { spareSamples.append(batch.samples) }
        batch = DeliveryBatch(samples: [], base: batch.base)
    }

    // MARK: Waiting

    /// Ends every wait, and begins with short waits again: after new credentials, or as the last chance before a stop.
    package mutating func hurry() {
        pausedUntil = nil
        pace.hurry()
        for index in shards.indices {
            shards[index].notBefore = nil
            shards[index].failures = 0
        }
    }

    /// The time until which nothing can be sent. Nil if a request may begin or is under way.
    package var waitsUntil: MonotonicTime? {
        if isInFlight { return nil }
        if let pausedUntil { return pausedUntil }
        let waits = shards.map(\.notBefore)
        return waits.contains { $0 == nil } ? nil : waits.compactMap { $0 }.min()
    }

    /// Updates the figures of what waits.
    mutating func note() {
        var bytes = queue.bytes
        var oldest = queue.oldest
        if let first = spool.blocks.first { oldest = min(oldest ?? first.oldest, first.oldest) }
        noteSpool()
        for index in shards.indices {
            shards[index].batches.updateEach { batch in
                bytes += batch.bytes
                oldest = min(oldest ?? batch.times.oldest, batch.times.oldest)
                return true
            }
        }
        statistics.queue_bytes = bytes
        statistics.oldestQueued = oldest
        statistics.shards = shards.count
        statistics.shardsDesired = pace.desired
        statistics.message = messages.current
        statistics.isHeld = isHeld
    }
}
