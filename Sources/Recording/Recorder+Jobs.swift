import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    subscript(jobs kind: JobKind) -> EntityTable<JobState> {
        _read {
            switch kind {
            case .egress: yield egress
            case .ingress: yield ingress
            }
        }
        _modify {
            switch kind {
            case .egress: yield &egress
            case .ingress: yield &ingress
            }
        }
    }

    /// Returns true if the job started before the end of its room and comes after it. Then it is counted and not
    /// opened.
    func hasRoomEnded(_ context: EventContext) -> Bool {
        guard context.openRoom.isNone, !context.room.sid.isEmpty,
            let ending = endedRooms[ending: Fingerprint(context.room.sid)], ending.facts.isClosed
        else { return false }
        return !tellsLives || ending.facts.isGivenUp || context.at_s <= ending.at_s
    }

    /// Opens a job under the event's organization and room name.
    mutating func openJob(
        _ kind: JobKind, key: String, label: Int, start_ms: Int64?, attempt: Int = 0, facts: Facts,
        ingressID: String = "", _ context: EventContext
    ) {
        var job = JobState()
        job.key = key
        job.name = context.name
        job.organization = context.organization
        job.label = label
        job.start_ms = start_ms
        job.received_ms = context.receivedAt.milliseconds
        job.attempt = attempt
        job.facts = facts
        job.roomSID = context.room.sid
        if job.roomSID.isEmpty { job.roomSID = newestRoom(of: job.name) }
        job.ingressID = ingressID
        let slot = self[jobs: kind].insert(job)
        if !job.name.isNone { names[job.name][jobs: kind].append(slot) }
        organizations[job.organization].entities += 1
        organizations[job.organization].adjust(catalog.jobsActive(kind), label, by: 1)
        if !ingressID.isEmpty { ingressJobs[ExactText(ingressID)] = slot }
    }

    /// Returns the SID of the room of this name that was opened last, for a job whose events tell only the name. Empty
    /// if none is open.
    func newestRoom(of name: Slot<RoomNameState>) -> String {
        if name.isNone { return "" }
        let newest = names[name].rooms.max { rooms[$0].number < rooms[$1].number }
        return newest.map { rooms[$0].key } ?? ""
    }

    /// Records that an open job had an event.
    mutating func noteEvent(of slot: Slot<JobState>, _ kind: JobKind, _ context: EventContext) {
        self[jobs: kind][slot].received_ms = max(self[jobs: kind][slot].received_ms, context.receivedAt.milliseconds)
        if self[jobs: kind][slot].roomSID.isEmpty { self[jobs: kind][slot].roomSID = context.room.sid }
    }

    /// Closes a job and remembers its counts.
    mutating func closeJob(_ kind: JobKind, _ slot: Slot<JobState>, _ facts: Facts) {
        let job = self[jobs: kind][slot]
        if !job.name.isNone {
            names[job.name][jobs: kind].removeAll { $0 == slot }
            names[job.name].lastUse_ms = now.milliseconds
            forgetIfUnused(job.name)
        }
        organizations[job.organization].entities -= 1
        organizations[job.organization].adjust(catalog.jobsActive(kind), job.label, by: -1)
        let id = Fingerprint(job.key)
        switch kind {
        case .egress: endedEgress.remember(id, facts, at: now)
        case .ingress:
            endedIngress.remember(id, facts, at: now)
            forgetIngressJob(of: job, in: slot)
        }
        self[jobs: kind].remove(slot)
    }
}
