import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    mutating func ingressStarted(_ job: Ingress, _ context: EventContext) {
        let key = job.sessionKey
        if key.isEmpty { return count(catalog.ingressStarted, job.inputType.ordinal, of: context) }
        let slot = ingress.find(key)
        if !slot.isNone { return noteEvent(of: slot, .ingress, context) }
        let id = Fingerprint(key)
        var facts = endedIngress[id] ?? .none
        if !facts.isStartCounted { count(catalog.ingressStarted, job.inputType.ordinal, of: context) }
        facts.isStartCounted = true
        let start_ms = job.start_ms ?? (context.created_ms > 0 ? context.created_ms : nil)
        if facts.isClosed || hasRoomEnded(context) || isOlder(job, start_ms: start_ms) {
            facts.isClosed = facts.isClosed || tellsLives
            endedIngress.remember(id, facts, at: context.receivedAt)
            return
        }
        open(job, facts, start_ms: start_ms, context)
    }

    /// Opens a job, and closes the one before of the same ingress.
    mutating func open(_ job: Ingress, _ facts: Facts, start_ms: Int64? = nil, _ context: EventContext) {
        let older = tellsLives ? ingressJobs[ExactText(job.id)] : nil
        openJob(
            .ingress, key: job.sessionKey, label: job.inputType.ordinal, start_ms: start_ms ?? job.start_ms,
            facts: facts, ingressID: job.id, context)
        // LiveKit keeps one state for each ingress, so it sends no end of the job before.
        if let older {
            process.increment(catalog.entitiesCorrected, Correction.ingress_restarted.ordinal)
            closeJob(.ingress, older, Facts(isStartCounted: ingress[older].facts.isStartCounted, isClosed: true))
        }
    }

    /// Returns true if a later job of the same ingress is known.
    private func isOlder(_ job: Ingress, start_ms: Int64?) -> Bool {
        guard tellsLives, !job.id.isEmpty, let start_ms else { return false }
        if let slot = ingressJobs[ExactText(job.id)] {
            return ingress[slot].start_ms.map { start_ms < $0 } ?? false
        }
        return endedIngress[ending: newestSession(of: job.id)].map { start_ms / 1_000 < $0.at_s } ?? false
    }

    /// Forgets the open job of an ingress and remembers its beginning, so that an older job that comes late opens
    /// nothing.
    mutating func forgetIngressJob(of job: JobState, in slot: Slot<JobState>) {
        if job.ingressID.isEmpty { return }
        let id = ExactText(job.ingressID)
        guard ingressJobs[id] == slot else { return }
        ingressJobs[id] = nil
        if let start_ms = job.start_ms {
            endedIngress.set(newestSession(of: job.ingressID), Ending(at_s: start_ms / 1_000), at: now)
        }
    }

    /// Returns the id under which the beginning of an ingress' newest job is remembered.
    private func newestSession(of ingressID: String) -> Fingerprint { Fingerprint("newest \(ingressID)") }

    mutating func ingressEnded(_ job: Ingress, _ context: EventContext) {
        let key = job.sessionKey
        let id = Fingerprint(key)
        let slot = key.isEmpty ? .none : ingress.find(key)
        let known_ms = slot.isNone ? nil : ingress[slot].start_ms
        let whole = job.usage(known_ms, context)
        if !key.isEmpty {
            if slot.isNone && endedIngress[id]?.isEndCounted == true { return }
            let ended = Facts(isStartCounted: !slot.isNone, isEndCounted: true, isClosed: true)
            if slot.isNone {
                endedIngress.remember(id, ended, at: context.receivedAt)
            } else {
                closeJob(.ingress, slot, ended, .exact(whole))
            }
        }
        if slot.isNone, let whole {
            addUsage(
                UsageKeys(.job(.ingress, label: job.inputType.ordinal)), in: context.organization, whole,
                id: estimateID(.ingress, key, attempt: 0), roomName: roomName(ofFailed: context))
        }
        let result: JobResult = job.hasFailed ? .failed : .success
        let offset = job.inputType.ordinal * JobResult.allCases.count + result.ordinal
        count(catalog.ingressEnded, offset, of: context)
        if job.startedAt_ns > 0 && job.endedAt_ns > 0 {
            let duration = DurationRule.between(nanoseconds: job.startedAt_ns, job.endedAt_ns)
            observe(catalog.ingressDuration, duration, offset, of: context)
        } else if let start_ms = job.start_ms ?? known_ms {
            let end_ms = job.endedAt_ns > 0 ? job.endedAt_ns / 1_000_000 : context.endedAt.milliseconds
            observe(catalog.ingressDuration, DurationRule.between(start_ms, end_ms), offset, of: context)
        }
    }
}

extension Ingress {
    fileprivate var start_ms: Int64? { startedAt_ns > 0 ? startedAt_ns / 1_000_000 : nil }

    /// The time that usage counts: that of the histogram.
    fileprivate func usage(_ known_ms: Int64?, _ context: EventContext) -> UsageInterval? {
        guard let start_ms = start_ms ?? known_ms else { return nil }
        return .between(start_ms, endedAt_ns > 0 ? endedAt_ns / 1_000_000 : context.endedAt.milliseconds)
    }
}
