import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    mutating func ingressStarted(_ job: Ingress, _ context: EventContext) {
        let key = job.sessionKey
        if key.isEmpty { return count(catalog.ingressStarted, job.inputType.ordinal, of: context) }
        let slot = ingress.find(key)
        if !slot.isNone {
            ingress[slot].received_ms = max(ingress[slot].received_ms, context.receivedAt.milliseconds)
            return
        }
        let id = Fingerprint(key)
        var facts = endedIngress[id] ?? .none
        if !facts.isStartCounted { count(catalog.ingressStarted, job.inputType.ordinal, of: context) }
        facts.isStartCounted = true
        if facts.isClosed || hasRoomEnded(context) {
            endedIngress.remember(id, facts, at: context.receivedAt)
        } else {
            let start_ms = job.start_ms ?? (context.created_ms > 0 ? context.created_ms : nil)
            openJob(
                .ingress, key: key, label: job.inputType.ordinal, start_ms: start_ms, facts: facts, context)
        }
    }

    mutating func ingressEnded(_ job: Ingress, _ context: EventContext) {
        let key = job.sessionKey
        let id = Fingerprint(key)
        let slot = key.isEmpty ? .none : ingress.find(key)
        let known_ms = slot.isNone ? nil : ingress[slot].start_ms
        if !key.isEmpty {
            if slot.isNone && endedIngress[id]?.isEndCounted == true { return }
            let ended = Facts(isStartCounted: !slot.isNone, isEndCounted: true, isClosed: true)
            if slot.isNone {
                endedIngress.remember(id, ended, at: context.receivedAt)
            } else {
                closeJob(.ingress, slot, ended)
            }
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
}
