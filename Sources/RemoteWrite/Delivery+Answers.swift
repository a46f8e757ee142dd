package import Platform
package import Wire

/// The reason for sending version 1.0 instead of 2.0.
package enum FallbackReason: String, Sendable, CaseIterable {
    /// Status 415.
    case unsupported = "415"
    /// A success without any of the headers that every receiver of 2.0 sends.
    case noHeaders = "no_headers"
    /// Status 400, before any success with 2.0.
    case badRequest = "400"
}

extension Delivery {
    /// Takes the outcome of the request that a shard has under way. Traps if there is none.
    package mutating func settle(
        shard index: Int, _ outcome: Outcome, at now: MonotonicTime, wall: Timestamp, _ table: inout SeriesTable
    ) -> Verdict {
        precondition(shards[index].isInFlight, "only a request that was begun can end")
        defer { note() }
        shards[index].isInFlight = false
        shards[index].isLate = false
        switch outcome {
        case .failed(let mayHaveArrived):
            if mayHaveArrived { shards[index].batches.updateFirst { $0.mayHaveArrived = true } }
            return retry(index, nil, at: now)
        case .answered(let status, let wait, let wasResent, let written):
            statistics.answers[status, default: 0] += 1
            statistics.note(written)
            if wasResent { shards[index].batches.updateFirst { $0.mayHaveArrived = true } }
            return settle(index, status, wait, written, at: now, wall: wall, &table)
        }
    }

    private mutating func settle(
        _ index: Int, _ status: Int, _ wait: Duration?, _ written: Written, at now: MonotonicTime, wall: Timestamp,
        _ table: inout SeriesTable
    ) -> Verdict {
        guard let batch = shards[index].batches.first else { preconditionFailure("a request has samples") }
        let isV2 = batch.message == .v2
        switch status {
        case 202:
            // The receiver has the samples from another replica. Only one that reads the message can know that.
            statistics.deduplicated += UInt64(batch.samples.count)
            return accept(index, Written(samples: UInt64(batch.samples.count)), at: now, wall: wall, &table)
        case 200..<300 where isV2 && !written.isPresent:
            guard fallBack(index, .noHeaders, at: now) else { return reject(index, status, written, at: now, &table) }
            // A proxy may have removed the headers of a receiver that stored the samples.
            shards[index].batches.updateFirst { $0.mayHaveArrived = true }
            return .fellBack(.noHeaders)
        case 200..<300: return accept(index, written, at: now, wall: wall, &table)
        case 415 where isV2 && fallBack(index, .unsupported, at: now): return .fellBack(.unsupported)
        case 400 where batch.mayHaveArrived && isV2 && !written.isPresent && messages.isInDoubt:
            // An earlier process tried these samples, so they are not just `up`: they are not given up for a message that
            // the receiver may not know.
            messages.noteBadRequest(.v2)
            statistics.fallbacks[.badRequest, default: 0] += 1
            return .fellBack(.badRequest)
        case 400 where batch.mayHaveArrived:
            // Prometheus accepts an exact copy of a series' newest sample only. A copy of two samples is refused,
            // although both are stored.
            finish(index, .ambiguous, &table)
            return .ambiguous
        case 400 where !written.isPresent:
            let before = messages.current
            messages.noteBadRequest(batch.message)
            if before == .v2 && messages.current == .v1 { statistics.fallbacks[.badRequest, default: 0] += 1 }
            return reject(index, status, written, at: now, &table)
        // 407 comes from a proxy: the receiver has not seen the samples, so it did not refuse them.
        case 401, 403, 407: return hold(at: now)
        case 413: return shrink(index, at: now, &table)
        case 429 where settings.retriesOnTooManyRequests, 529:
            pace.noteOverload()
            let verdict = retry(index, wait, at: now)
            // The limit is that of a tenant, so no other request would fare better.
            pausedUntil = shards[index].notBefore
            return verdict
        case 300..<500: return reject(index, status, written, at: now, &table)
        case 501, 505:
            // The receiver does not implement this, so it would not help to try again in a second.
            shards[index].failures = max(shards[index].failures, 62)
            return retry(index, wait, at: now)
        case 502, 504:
            // A gateway lost the answer: the server behind it may have stored the samples.
            shards[index].batches.updateFirst { $0.mayHaveArrived = true }
            return retry(index, wait, at: now)
        default: return retry(index, wait, at: now)
        }
    }

    // MARK: Verdicts

    private mutating func accept(
        _ index: Int, _ written: Written, at now: MonotonicTime, wall: Timestamp, _ table: inout SeriesTable
    ) -> Verdict {
        guard let batch = shards[index].batches.first else { preconditionFailure("a request has samples") }
        messages.noteRead(batch.message, at: now)
        statistics.lastSuccess = wall
        caps.noteAccepted(batch.body.count, at: now)
        if let begun = shards[index].begunAt { pace.noteAccepted(samples: batch.samples.count, took: now.since(begun)) }
        let count = batch.samples.count
        // Only version 2.0 requires the header. A receiver that counts too many has a fault of its own.
        let taken = batch.message == .v2 ? min(count, Int(clamping: written.samples ?? 0)) : count
        finish(index, .accepted(taken), &table)
        return taken == count ? .accepted : .acceptedInPart(missing: count - taken)
    }

    private mutating func reject(
        _ index: Int, _ status: Int, _ written: Written, at now: MonotonicTime, _ table: inout SeriesTable
    ) -> Verdict {
        guard let batch = shards[index].batches.first else { preconditionFailure("a request has samples") }
        if batch.message == .v2 && written.isPresent { messages.noteRead(.v2, at: now) }
        let taken = batch.message == .v2 ? min(batch.samples.count, Int(clamping: written.samples ?? 0)) : 0
        finish(index, .rejected(status, taken: taken), &table)
        return .rejected(batch.samples.count - taken)
    }

    /// Sends the same samples as version 1.0 next. Returns false if the setting does not allow it.
    private mutating func fallBack(_ index: Int, _ reason: FallbackReason, at now: MonotonicTime) -> Bool {
        guard messages.fallBack(at: now) else { return false }
        statistics.fallbacks[reason, default: 0] += 1
        shards[index].failures = 0
        return true
    }

    /// Waits half a second, doubled up to 30 s and never more, with jitter; or as long as the receiver asked for.
    private mutating func retry(_ index: Int, _ asked: Duration?, at now: MonotonicTime) -> Verdict {
        shards[index].failures = min(shards[index].failures + 1, 63)
        beginSpooling()
        var wait = backoff.wait(afterFailures: shards[index].failures, chance: .random(in: 0...1, using: &random))
        if let asked { wait = min(max(asked, settings.minBackoff), Limits.retryAfter) }
        shards[index].notBefore = now + wait
        statistics.backoff = wait
        return .retried(after: wait)
    }

    /// Waits before the next request. Missing or refused credentials are an operator's mistake, which can be mended
    /// without a loss.
    private mutating func hold(at now: MonotonicTime) -> Verdict {
        isHeld = true
        beginSpooling()
        pausedUntil = now + Limits.credentialHold
        statistics.holds += 1
        statistics.backoff = Limits.credentialHold
        return .held(Limits.credentialHold)
    }

    private mutating func shrink(_ index: Int, at now: MonotonicTime, _ table: inout SeriesTable) -> Verdict {
        guard let batch = shards[index].batches.first else { preconditionFailure("a request has samples") }
        let isTrial = caps.noteTooLarge(batch.body.count, at: now)
        statistics.splits += 1
        _ = shards[index].batches.popFirst()
        if isTrial || batch.body.count > Limits.split_bytes, split(batch, of: index, table) {
            shards[index].failures = 0
            statistics.batchesSplit += 1
            return .split
        }
        shards[index].batches.prepend(batch)
        finish(index, .rejected(413, taken: 0), &table)
        return .rejected(batch.samples.count)
    }

    private enum Fate {
        case accepted(Int)
        case rejected(Int, taken: Int)
        case ambiguous
    }

    private mutating func finish(_ index: Int, _ fate: Fate, _ table: inout SeriesTable) {
        guard var batch = shards[index].batches.popFirst() else { return }
        let count = UInt64(batch.samples.count)
        isHeld = false
        shards[index].failures = 0
        statistics.backoff = .zero
        forgetPlace(of: batch)
        switch fate {
        case .accepted(let taken):
            statistics.accepted += UInt64(taken)
            statistics.ambiguous += count - UInt64(taken)
            statistics.bytesAccepted += UInt64(batch.body.count)
            statistics.newestSent = max(statistics.newestSent ?? batch.times.newest, batch.times.newest)
            table.noteAccepted(batch.samples[...])
        case .rejected(let status, let taken):
            statistics.accepted += UInt64(taken)
            statistics.rejectedByStatus[status, default: 0] += count - UInt64(taken)
            table.noteLoss(batch.samples[...], wasAttempted: true)
        case .ambiguous:
            statistics.ambiguous += count
            table.noteLoss(batch.samples[...], wasAttempted: true)
        }
        recycle(&batch)
    }

    // MARK: Losing

    /// The memory for what waits. The rest is kept free for a reading that is unpacked and encoded.
    func memory(afterReadingOf samples: Int) -> Int {
        let all_bytes = settings.queue.bytes
        return all_bytes - min(all_bytes / 2, max(all_bytes / 4, 3 * samples * MemoryLayout<QueuedSample>.stride))
    }

    /// Drops the oldest samples until the rest fits. Requests that are under way stay.
    mutating func dropOldest(downTo most_bytes: Int, _ table: inout SeriesTable) {
        note()
        while statistics.queue_bytes > most_bytes {
            guard dropOldest(.queueFull, &table) else { return }
            note()
        }
    }

    /// Drops the oldest batch that is not under way, or the oldest samples of the queue. What is on disk as well only
    /// leaves the memory. Returns false if there are none.
    private mutating func dropOldest(_ reason: DropReason, _ table: inout SeriesTable) -> Bool {
        if unload(&table) { return true }
        var oldest: (shard: Int, time: Timestamp)?
        for (index, shard) in shards.enumerated() where !shard.isInFlight {
            guard let first = shard.batches.first, first.stored == nil else { continue }
            let time = first.times.oldest
            if oldest.map({ time < $0.time }) ?? true { oldest = (index, time) }
        }
        if let oldest, queue.oldest.map({ oldest.time <= $0 }) ?? true,
            var batch = shards[oldest.shard].batches.popFirst()
        {
            forgetPlace(of: batch)
            statistics.dropped[reason, default: 0] += UInt64(batch.samples.count)
            table.noteLoss(batch.samples[...], wasAttempted: batch.attempts > 0)
            recycle(&batch)
            return true
        }
        var count = 0
        let isDropped = queue.dropOldest(&table) { table, samples in
            count += samples.count
            table.noteLoss(samples, wasAttempted: false)
        }
        statistics.dropped[reason, default: 0] += UInt64(count)
        return isDropped
    }

    /// Drops the samples that wait and have a time after `now`, because the clock was wrong when they were read. Those
    /// under way are left to the receiver.
    package mutating func dropFuture(after now: Timestamp, _ table: inout SeriesTable) {
        var count = 0
        for index in shards.indices where !shards[index].isInFlight {
            var kept: [DeliveryBatch] = []
            while var batch = shards[index].batches.popFirst() {
                if batch.times.newest <= now || batch.stored != nil {
                    kept.append(batch)
                } else {
                    count += batch.samples.count
                    forgetPlace(of: batch)
                    table.noteLoss(batch.samples[...], wasAttempted: batch.attempts > 0)
                    recycle(&batch)
                }
            }
            for batch in kept { shards[index].batches.append(batch) }
        }
        queue.dropFuture(after: now, &table) { table, samples in
            count += samples.count
            table.noteLoss(samples, wasAttempted: false)
        }
        spool.future = now
        spool.now = nil
        statistics.dropped[.clock, default: 0] += UInt64(count)
        if let newest = statistics.newestEnqueued, newest > now { statistics.newestEnqueued = nil }
        if let newest = statistics.newestSent, newest > now { statistics.newestSent = nil }
        note()
    }

    /// Gives up all samples at the end that are not in the spool. Those under way may still arrive, so they count as
    /// ambiguous.
    package mutating func abandon(_ table: inout SeriesTable) {
        for index in shards.indices where shards[index].isInFlight {
            shards[index].isInFlight = false
            if shards[index].batches.first?.stored == nil { finish(index, .ambiguous, &table) }
        }
        while dropOldest(.stopped, &table) {}
        note()
    }
}
