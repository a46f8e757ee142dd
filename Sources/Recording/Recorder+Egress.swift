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
        if !slot.isNone { return renew(slot, job, context) }
        if job.status.isFinal { return }
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
        facts.endedAttempt = max(facts.endedAttempt, job.attempt)
        facts.isClosed = true
        if slot.isNone {
            if !key.isEmpty { endedEgress.remember(id, facts, at: context.receivedAt) }
        } else if job.attempt >= egress[slot].attempt {
            closeJob(.egress, slot, facts)
        } else {
            egress[slot].facts.endedAttempt = facts.endedAttempt
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

    mutating func open(_ job: Egress, _ facts: Facts, _ context: EventContext) {
        var facts = facts
        facts.isClosed = false
        openJob(
            .egress, key: job.id, label: job.requestType.ordinal, start_ms: job.startedAt?.milliseconds,
            attempt: job.attempt, facts: facts, context)
    }

    private mutating func renew(_ slot: Slot<JobState>, _ job: Egress, _ context: EventContext) {
        noteEvent(of: slot, .egress, context)
        egress[slot].attempt = max(egress[slot].attempt, job.attempt)
        egress[slot].start_ms = job.startedAt?.milliseconds ?? egress[slot].start_ms
    }
}

extension Egress {
    /// `retryCount`, clamped to the attempts that are told apart.
    var attempt: Int { Int(max(0, min(retryCount, Int64(Facts.lastAttempt)))) }

    fileprivate var startedAt: Timestamp? {
        startedAt_ns > 0 ? Timestamp(milliseconds: startedAt_ns / 1_000_000) : nil
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
