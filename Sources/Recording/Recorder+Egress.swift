import LiveKit
import Metrics
import Storage
import Wire

// A retried job keeps its id and increments `retryCount`: each attempt starts and ends once.

extension Recorder {
    mutating func egressStarted(_ job: Egress, _ context: EventContext) {
        let started = catalog.egressStarted
        // A job without an id has no later events, so it would stay open for ever.
        if job.id.isEmpty { return count(started, job.requestType.ordinal, of: context) }
        let slot = egress.find(job.id)
        countRetries(job, slot, context)
        if !slot.isNone {
            if job.attempt > egress[slot].facts.startedAttempt {
                count(started, job.requestType.ordinal, of: context)
                egress[slot].facts.startedAttempt = job.attempt
            }
            renew(slot, job, context)
            return
        }
        let id = Fingerprint(job.id)
        var facts = endedEgress[id] ?? .none
        if job.attempt > facts.startedAttempt {
            count(started, job.requestType.ordinal, of: context)
            facts.startedAttempt = job.attempt
        }
        if hasRoomEnded(context) || facts.isClosed && job.attempt <= facts.endedAttempt {
            endedEgress.remember(id, facts, at: context.receivedAt)
        } else {
            open(job, facts, context)
        }
    }

    mutating func egressUpdated(_ job: Egress, _ context: EventContext) {
        if job.id.isEmpty { return }
        let slot = egress.find(job.id)
        // A final one that opens nothing is not remembered. Its end tells the attempts again.
        if slot.isNone && job.status.isFinal { return }
        countRetries(job, slot, context)
        if !slot.isNone { return renew(slot, job, context) }
        let facts = endedEgress[Fingerprint(job.id)] ?? .none
        if facts.isClosed && job.attempt <= facts.endedAttempt { return }
        open(job, facts, context)
    }

    mutating func egressEnded(_ job: Egress, _ context: EventContext, _ actions: inout [Action]) {
        let key = job.id.isEmpty ? context.id : job.id
        let id = Fingerprint(key)
        let slot = egress.find(key)
        var facts = slot.isNone ? endedEgress[id] ?? .none : egress[slot].facts
        let isNew = job.attempt > facts.endedAttempt
        countRetries(job, slot, context)
        facts.endedAttempt = max(facts.endedAttempt, job.attempt)
        facts.isClosed = true
        var isOpen = !slot.isNone
        if slot.isNone {
            if !key.isEmpty { endedEgress.remember(id, facts, at: context.receivedAt) }
        } else if job.attempt >= egress[slot].attempt {
            // An attempt whose end was counted before counts no time again.
            if !isNew { endUsage(withoutTraceOf: slot) }
            closeJob(.egress, slot, facts, .exact(job.usage(context)))
        } else {
            egress[slot].facts.endedAttempt = facts.endedAttempt
            isOpen = false
        }
        // The end of an earlier attempt may come after that of a later one. Its time was estimated then.
        let estimate = estimateID(.egress, key, attempt: job.attempt)
        if !isOpen, isNew || usage.estimates[estimate] != nil, let whole = job.usage(context) {
            addUsage(
                UsageKeys(.job(.egress, label: job.requestType.ordinal)), in: context.organization, whole,
                id: estimate, roomName: roomName(ofFailed: context))
        }
        if isNew { finish(job, key: key, context, &actions) }
    }

    /// Counts, observes and persists the result of a job.
    private mutating func finish(
        _ job: Egress, key: String, _ context: EventContext, _ actions: inout [Action]
    ) {
        let result: JobResult = job.status == .complete || job.status == .limitReached ? .success : .failed
        let offset = job.requestType.ordinal * JobResult.allCases.count + result.ordinal
        count(catalog.egressEnded, offset, of: context)
        countResult(job, result, of: context.organization)
        let duration = job.duration
        if let duration { observe(catalog.egressDuration, duration, offset, of: context) }
        guard !key.isEmpty, let owner = owner(of: context) else { return }
        var seconds: Double?
        if case .plausible(let plausible) = duration { seconds = plausible }
        let endedAt = job.endedAt ?? context.endedAt
        let row = RecordingRow(
            owner: owner, egressID: key, roomName: context.room.name, requestType: job.requestType.rawValue,
            status: result == .success ? "completed" : "failed", startedAt: job.startedAt, endedAt: endedAt,
            duration_seconds: seconds, size_bytes: job.size_bytes, location: job.location, error: job.error,
            expiresAt: endedAt + settings.recordingRetention)
        actions.append(.store(.recording(row)))
    }

    private mutating func countResult(_ job: Egress, _ result: JobResult, of slot: Slot<OrganizationState>) {
        let type = job.requestType.ordinal
        let status = EgressStatus(job.status)
        increment(catalog.egressResults, type * EgressStatus.allCases.count + status.ordinal, of: slot)
        if job.size_bytes > 0 { increment(catalog.egressBytes, type, by: Double(job.size_bytes), of: slot) }
        guard result == .failed else { return }
        let code = ErrorClass(job.errorCode)
        increment(catalog.egressErrors, type * ErrorClass.allCases.count + code.ordinal, of: slot)
    }

    /// Counts the attempts of a job that were not known before.
    private mutating func countRetries(_ job: Egress, _ slot: Slot<JobState>, _ context: EventContext) {
        guard job.attempt > 0 else { return }
        let facts = slot.isNone ? endedEgress[Fingerprint(job.id)] ?? .none : egress[slot].facts
        let known = max(0, facts.startedAttempt, facts.endedAttempt, slot.isNone ? 0 : egress[slot].attempt)
        guard job.attempt > known else { return }
        increment(
            catalog.egressRetries, job.requestType.ordinal, by: Double(job.attempt - known), of: context.organization)
    }

    mutating func open(_ job: Egress, _ facts: Facts, _ context: EventContext) {
        var facts = facts
        facts.isClosed = false
        let slot = openJob(
            .egress, key: job.id, label: job.requestType.ordinal, start_ms: job.startedAt?.milliseconds,
            attempt: job.attempt, facts: facts, context)
        egress[slot].isActive = job.status == .active
    }

    private mutating func renew(_ slot: Slot<JobState>, _ job: Egress, _ context: EventContext) {
        noteEvent(of: slot, .egress, context)
        let isNewAttempt = job.attempt > egress[slot].attempt
        // The attempt before was over when the next one began.
        if isNewAttempt { endJobUsage(.egress, slot, .estimated(job.startedAt?.milliseconds ?? context.proof_ms)) }
        egress[slot].attempt = max(egress[slot].attempt, job.attempt)
        egress[slot].start_ms = job.startedAt?.milliseconds ?? egress[slot].start_ms
        if isNewAttempt {
            egress[slot].isActive = job.status == .active
            openJobUsage(
                .egress, slot, start_ms: egress[slot].start_ms ?? context.created_ms,
                received_ms: context.receivedAt.milliseconds)
        } else if job.status == .active && !egress[slot].isActive {
            egress[slot].isActive = true
            beginUsageAnew(slot, context)
        }
    }

    /// Counts a recording from the moment at which it became ACTIVE. What it counted before is paid by later growth.
    private mutating func beginUsageAnew(_ slot: Slot<JobState>, _ context: EventContext) {
        guard egress[slot].usage.isOpen, egress[slot].usage.moved_ms == 0 else { return }
        endUsage(withoutTraceOf: slot)
        openJobUsage(
            .egress, slot, start_ms: context.endedAt.milliseconds, received_ms: context.receivedAt.milliseconds)
    }
}

extension Egress {
    /// `retryCount`, clamped to the attempts that are told apart.
    var attempt: Int { Int(max(0, min(retryCount, Int64(Facts.lastAttempt)))) }

    fileprivate var startedAt: Timestamp? {
        startedAt_ns > 0 ? Timestamp(milliseconds: startedAt_ns / 1_000_000) : nil
    }

    /// The time that usage counts: the duration of the histogram, up to the end that the payload tells.
    fileprivate func usage(_ context: EventContext) -> UsageInterval? {
        guard case .plausible(let seconds) = duration else { return nil }
        let length_ms = Int64((seconds * 1_000).rounded())
        let end_ms = UsageInterval.clamped((endedAt ?? context.endedAt).milliseconds)
        return UsageInterval(start_ms: end_ms - length_ms, length_ms: length_ms)
    }

    fileprivate var endedAt: Timestamp? {
        endedAt_ns > 0 ? Timestamp(milliseconds: endedAt_ns / 1_000_000) : nil
    }

    /// The length of the media, else the time from start to end; nil if neither is known.
    fileprivate var duration: DurationRule? {
        if media_ns > 0 { return .length(nanoseconds: media_ns) }
        guard startedAt_ns > 0, endedAt_ns > 0 else { return nil }
        return .between(nanoseconds: startedAt_ns, endedAt_ns)
    }
}

extension EventContext {
    /// The time at which the event was created, else at which it was received.
    var endedAt: Timestamp { created_ms > 0 ? Timestamp(milliseconds: created_ms) : receivedAt }
}
