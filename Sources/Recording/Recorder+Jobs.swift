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
            case .agentJob: yield agentJobs
            }
        }
        _modify {
            switch kind {
            case .egress: yield &egress
            case .ingress: yield &ingress
            case .agentJob: yield &agentJobs
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
    @discardableResult
    mutating func openJob(
        _ kind: JobKind, key: String, label: Int, start_ms: Int64?, attempt: Int = 0, facts: Facts,
        ingressID: String = "", agentName: String = "", _ context: EventContext
    ) -> Slot<JobState> {
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
        job.agentName = agentName
        let slot = self[jobs: kind].insert(job)
        if !job.name.isNone { names[job.name][jobs: kind].append(slot) }
        organizations[job.organization].entities += 1
        if let metric = catalog.jobsActive(kind) {
            organizations[job.organization].adjust(metric, label, by: 1)
            openJobUsage(
                kind, slot, start_ms: start_ms ?? context.created_ms, received_ms: context.receivedAt.milliseconds)
        }
        if !ingressID.isEmpty { ingressJobs[ExactText(ingressID)] = slot }
        return slot
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
        wake(kind, slot, at: context.proof_ms)
        self[jobs: kind][slot].received_ms = max(self[jobs: kind][slot].received_ms, context.receivedAt.milliseconds)
        if self[jobs: kind][slot].roomSID.isEmpty { self[jobs: kind][slot].roomSID = context.room.sid }
    }

    /// Closes a job and remembers its counts.
    ///
    /// - Parameter end: if nil, it ended unseen, with its last evidence.
    mutating func closeJob(_ kind: JobKind, _ slot: Slot<JobState>, _ facts: Facts, _ end: UsageEnd? = nil) {
        endJobUsage(kind, slot, end)
        if self[jobs: kind][slot].isPending { adjustPending(slot, by: -1) }
        let job = self[jobs: kind][slot]
        if !job.name.isNone {
            names[job.name][jobs: kind].removeAll { $0 == slot }
            names[job.name].lastUse_ms = now.milliseconds
            forgetIfUnused(job.name)
        }
        organizations[job.organization].entities -= 1
        if let metric = catalog.jobsActive(kind) { organizations[job.organization].adjust(metric, job.label, by: -1) }
        let id = Fingerprint(job.key)
        switch kind {
        case .egress: endedEgress.remember(id, facts, at: now)
        case .ingress:
            endedIngress.remember(id, facts, at: now)
            forgetIngressJob(of: job, in: slot)
        case .agentJob: endedIngress.remember(Self.fingerprint(ofAgentJob: job.key), facts, at: now)
        }
        self[jobs: kind].remove(slot)
    }

    // MARK: Usage

    /// Returns the series of an open job.
    mutating func usageKeys(of kind: JobKind, _ slot: Slot<JobState>) -> UsageKeys {
        let job = self[jobs: kind][slot]
        guard kind == .agentJob else { return UsageKeys(.job(kind, label: job.label)) }
        return UsageKeys(.agent(agentPlace(job.agentName, of: job.organization)))
    }

    /// The id under which the estimated end of an attempt of a job is remembered.
    func estimateID(_ kind: JobKind, _ key: String, attempt: Int) -> Fingerprint {
        Fingerprint("\(kind) \(attempt) \(key)")
    }

    mutating func openJobUsage(_ kind: JobKind, _ slot: Slot<JobState>, start_ms: Int64, received_ms: Int64) {
        self[jobs: kind][slot].usage = openUsage(
            usageKeys(of: kind, slot), in: self[jobs: kind][slot].organization, start_ms: start_ms,
            received_ms: received_ms,
            id: estimateID(kind, self[jobs: kind][slot].key, attempt: self[jobs: kind][slot].attempt))
    }

    /// Ends the usage of an open job.
    ///
    /// - Parameter end: if nil, it ended unseen, with its last evidence.
    mutating func endJobUsage(_ kind: JobKind, _ slot: Slot<JobState>, _ end: UsageEnd?) {
        let job = self[jobs: kind][slot]
        guard job.usage.isOpen else { return }
        var share = job.usage
        let listed_ms = job.listed_ms > 0 || kind == .agentJob ? job.listed_ms : lastPoll_ms
        var roomName: String?
        if job.organization == unknown, !job.name.isNone, case .failed(.lookup_error, _) = names[job.name].resolution {
            roomName = names[job.name].key
        }
        endUsage(
            &share, usageKeys(of: kind, slot), in: job.organization,
            end ?? .estimated(min(max(job.received_ms, listed_ms), now.milliseconds)),
            id: estimateID(kind, job.key, attempt: job.attempt), roomName: roomName)
        self[jobs: kind][slot].usage = share
    }
}
