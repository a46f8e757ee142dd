import LiveKit
import Wire

/// Agents get jobs, wait for a worker and work; phones call and are called.
extension Office {
    private static let agents = ["notes", "notes", "translator", "support", ""]
    /// The time after which a job that no worker takes is given up.
    private static let patience_ms: Int64 = 30_000
    /// The time for which the called phone rings.
    private static let ringing_ms: ClosedRange<Int64> = 8_000...30_000

    // MARK: Agents

    mutating func dispatch(_ organization: Int) {
        let live = rooms(of: organization).filter { rooms[$0].isOpen && !rooms[$0].attendees.isEmpty }
        guard !live.isEmpty else { return }
        let room = guestRandom.pick(live)
        let lasts = Int64(guestRandom.uniform(0.01...0.25) * Double(length))
        let job = AgentWork(
            id: guestRandom.id("AJ_"), room: room, roomSID: rooms[room].sid, agentName: guestRandom.pick(Self.agents),
            lasts: lasts)
        agentJobs[job.id] = job
        tell(job, .agentJobPending, .pending, [.jobWaiting(id: job.id, agent: job.agentName, at: time(now))])
        let dice = guestRandom.unit()
        if dice < 0.05 {
            return plan(after: Self.patience_ms, .endJob(id: job.id, .failed, reason: "JSR_NO_CAPACITY"))
        }
        if dice < 0.08 { return plan(after: 2_000, .endJob(id: job.id, .cancelled, reason: "")) }
        let wait = min(guestRandom.logNormal(median: 400, sigma: 1.5), 90_000)
        plan(after: Int64(wait), .startJob(id: job.id))
    }

    /// A worker takes the job, and the agent joins the room.
    mutating func startJob(_ id: String) {
        guard var job = agentJobs[id] else { return }
        let place = rooms[job.room]
        guard place.isOpen, !place.isDown, place.sid == job.roomSID else { return endJob(id, .cancelled, reason: "") }
        job.startedAt = time(now)
        agentJobs[id] = job
        tell(job, .agentJobStarted, .running, [.jobStarted(id: id, agent: job.agentName, at: time(now))])
        let sid = enter(
            job.room, "agent-\(id)", "", .agent, until: now + job.lasts, person: nil, agentName: job.agentName, job: id)
        plan(after: 400, .publish(attendee: sid, .microphone))
    }

    /// The participant of a job has left, for a reason.
    mutating func finishJob(_ id: String, because reason: DisconnectReason) {
        switch reason {
        case .agent_error, .connection_timeout, .media_failure:
            endJob(id, .failed, reason: reason == .agent_error ? "JSR_AGENT_ERROR" : "")
        case .room_deleted, .participant_removed: endJob(id, .cancelled, reason: "")
        default: endJob(id, .success, reason: "")
        }
    }

    mutating func endJob(_ id: String, _ status: AgentJob.Status, reason: String) {
        guard let job = agentJobs.removeValue(forKey: id) else { return }
        let label = reason.isEmpty ? "" : String(reason.dropFirst(4)).lowercased()
        let fact = Fact.Job(
            id: id, agent: job.agentName, status: status, reason: label, startedAt: job.startedAt, endedAt: time(now))
        tell(job, .agentJobEnded, status, reason: reason, [.jobEnded(fact)])
    }

    private mutating func tell(
        _ job: AgentWork, _ event: EventType, _ status: AgentJob.Status, reason: String = "", _ facts: [Fact]
    ) {
        guard size.server == .new else { return }
        let message = AgentJobMessage(
            id: job.id, agentName: job.agentName, status: status, reason: reason,
            error: status == .failed ? "the job failed" : "", startedAt: job.startedAt,
            endedAt: event == .agentJobEnded ? time(now) : nil, updatedAt: time(now))
        say(
            event, in: job.room, key: job.id, detail: fullRoom(job.room), .job(message), facts: facts,
            restated: Self.restatement)
    }

    // MARK: Calls

    mutating func call(_ organization: Int, _ direction: CallDirection) {
        let choice = rooms(of: organization)
        guard !choice.isEmpty else { return }
        let room = choice[guestRandom.favourite(of: choice.count)]
        let identity = "sip_+49\(guestRandom.whole(100_000_000...999_999_999))"
        open(room)
        let dice = guestRandom.unit()
        if direction == .outbound && dice < 0.08 {
            // The trunk takes no call.
            rooms[room].mark += 1
            abort(
                room, sid: guestRandom.id("PA_"), identity: identity, .sip, joinedAt: time(now - 200),
                because: .sip_trunk_failure)
            return watchIdle(room)
        }
        let lasts = guestRandom.logNormal(median: Double(length) * 0.05, sigma: 1)
        let until = now + Int64(min(max(20_000, lasts), Double(length) * 0.3))
        let sid = enter(room, identity, "", .sip, until: until, person: nil, call: direction)
        if direction == .outbound && dice < 0.25 {
            let reason = dice < 0.18 ? DisconnectReason.user_unavailable : .user_rejected
            return plan(after: guestRandom.whole(Self.ringing_ms), .hangUp(attendee: sid, reason))
        }
        plan(after: 400, .publish(attendee: sid, .microphone))
    }
}
