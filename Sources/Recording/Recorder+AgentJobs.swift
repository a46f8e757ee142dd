import LiveKit
import Metrics
import Wire

// The jobs of agents: pending, then running, then ended. Where the server sends no events of them, participants of kind
// AGENT make these metrics. Specification, "Metrics of usage".

/// The result of an agent's job. The raw value is the label value of `result`.
enum AgentResult: String, CaseIterable {
    case success, failed, cancelled

    static let labels = MetricLabels("result", allCases.map(\.rawValue))

    var ordinal: Int {
        switch self {
        case .success: 0
        case .failed: 1
        case .cancelled: 2
        }
    }
}

extension Recorder {
    mutating func agentJobPending(_ job: AgentJob, _ context: EventContext) {
        usage.hasAgentEvents = true
        guard !job.id.isEmpty, agentJobs.find(job.id).isNone else { return }
        let facts = endedIngress[Self.fingerprint(ofAgentJob: job.id)] ?? .none
        if facts.isClosed || facts.isStartCounted || hasRoomEnded(context) { return }
        let slot = openAgentJob(job, facts, context)
        agentJobs[slot].isPending = true
        agentJobs[slot].pendingSince_ms = job.updatedAt_ns > 0 ? job.updatedAt_ns / 1_000_000 : context.created_ms
        adjustPending(slot, by: 1)
    }

    mutating func agentJobStarted(_ job: AgentJob, _ context: EventContext) {
        usage.hasAgentEvents = true
        if job.id.isEmpty { return countAgent(catalog.agentJobsStarted, job.agentName, of: context.organization) }
        let id = Self.fingerprint(ofAgentJob: job.id)
        var slot = agentJobs.find(job.id)
        var facts = slot.isNone ? endedIngress[id] ?? .none : agentJobs[slot].facts
        if !facts.isStartCounted { countAgent(catalog.agentJobsStarted, job.agentName, of: context.organization) }
        facts.isStartCounted = true
        if slot.isNone && (facts.isClosed || hasRoomEnded(context)) {
            facts.isClosed = true
            return endedIngress.remember(id, facts, at: context.receivedAt)
        }
        if slot.isNone { slot = openAgentJob(job, facts, context) }
        agentJobs[slot].facts = facts
        noteEvent(of: slot, .agentJob, context)
        start(slot, job, context)
    }

    /// Lets a pending job run.
    private mutating func start(_ slot: Slot<JobState>, _ job: AgentJob, _ context: EventContext) {
        guard !agentJobs[slot].usage.isOpen else { return }
        let startedAt_ms = job.startedAt_ns > 0 ? job.startedAt_ns / 1_000_000 : context.created_ms
        if agentJobs[slot].isPending {
            agentJobs[slot].isPending = false
            adjustPending(slot, by: -1)
            if case .plausible(let seconds) = DurationRule.between(agentJobs[slot].pendingSince_ms, startedAt_ms) {
                observeWait(of: slot, seconds)
            }
        }
        agentJobs[slot].start_ms = startedAt_ms
        openJobUsage(.agentJob, slot, start_ms: startedAt_ms, received_ms: context.receivedAt.milliseconds)
    }

    mutating func agentJobEnded(_ job: AgentJob, _ context: EventContext) {
        usage.hasAgentEvents = true
        let id = Self.fingerprint(ofAgentJob: job.id)
        let slot = job.id.isEmpty ? .none : agentJobs.find(job.id)
        var facts = slot.isNone ? endedIngress[id] ?? .none : agentJobs[slot].facts
        if !job.id.isEmpty && facts.isEndCounted { return }
        (facts.isEndCounted, facts.isClosed) = (true, true)
        let start_ms =
            job.startedAt_ns > 0 ? job.startedAt_ns / 1_000_000 : slot.isNone ? nil : agentJobs[slot].start_ms
        let end_ms = job.endedAt_ns > 0 ? job.endedAt_ns / 1_000_000 : context.endedAt.milliseconds
        let whole = start_ms.flatMap { UsageInterval.between($0, end_ms) }
        let organization = context.organization
        if !slot.isNone && agentJobs[slot].usage.isOpen {
            closeJob(.agentJob, slot, facts, .exact(whole))
        } else {
            if !slot.isNone { closeJob(.agentJob, slot, facts) }
            if let whole, !job.id.isEmpty {
                addUsage(
                    UsageKeys(.agent(agentPlace(job.agentName, of: organization))), in: organization, whole,
                    id: estimateID(.agentJob, job.id, attempt: 0), roomName: roomName(ofFailed: context))
            }
            if slot.isNone && !job.id.isEmpty { endedIngress.remember(id, facts, at: context.receivedAt) }
        }
        let result: AgentResult
        switch job.status {
        case .failed: result = .failed
        case .cancelled: result = .cancelled
        case .success, .pending, .running, .other: result = .success
        }
        countAgentEnd(job.agentName, result, job.reason.isEmpty ? "unknown" : job.reason, of: organization)
    }

    private mutating func openAgentJob(
        _ job: AgentJob, _ facts: Facts, _ context: EventContext
    ) -> Slot<JobState> {
        openJob(
            .agentJob, key: job.id, label: 0, start_ms: nil, facts: facts, agentName: job.agentName, context)
    }

    /// Ids of agent jobs are remembered with those of ingress sessions: programs before 0.8.0 know no other kind.
    static func fingerprint(ofAgentJob id: String) -> Fingerprint { Fingerprint("agent \(id)") }

    // MARK: Metrics

    /// Returns the place of an agent's name in an organization. An agent without a name is `default`.
    mutating func agentPlace(_ name: String, of organization: Slot<OrganizationState>) -> Int {
        // A text of PostgreSQL has no zero character.
        let name = name.utf8.contains(0) ? name.replacing("\0", with: "\u{FFFD}") : name
        return organizations[organization].sparse.agents.place(of: name.isEmpty ? "default" : name)
    }

    mutating func countAgent(_ metric: SparseMetric<Counter>, _ name: String, of slot: Slot<OrganizationState>) {
        let (agent, prefix) = (agentPlace(name, of: slot), organizations[slot].prefix)
        organizations[slot].sparse.instrument(metric, 0, agent: agent, prefix)?.increment()
        organizations[slot].hasEventSeries = true
    }

    mutating func countAgentEnd(
        _ name: String, _ result: AgentResult, _ reason: String, of slot: Slot<OrganizationState>
    ) {
        let (agent, prefix) = (agentPlace(name, of: slot), organizations[slot].prefix)
        let place = organizations[slot].sparse.reasons.place(of: reason)
        organizations[slot].sparse.instrument(
            catalog.agentJobsEnded, result.ordinal, agent: agent, reason: place, prefix)?.increment()
        organizations[slot].hasEventSeries = true
    }

    private mutating func observeWait(of job: Slot<JobState>, _ seconds: Double) {
        let slot = agentJobs[job].organization
        let (agent, prefix) = (agentPlace(agentJobs[job].agentName, of: slot), organizations[slot].prefix)
        organizations[slot].sparse.instrument(catalog.agentJobWait, 0, agent: agent, prefix)?.observe(seconds)
        organizations[slot].hasEventSeries = true
    }

    /// Changes the number of pending jobs of an agent, and the gauge that shows it.
    mutating func adjustPending(_ job: Slot<JobState>, by change: Int) {
        let slot = agentJobs[job].organization
        let (agent, prefix) = (agentPlace(agentJobs[job].agentName, of: slot), organizations[slot].prefix)
        organizations[slot].agentsPending[agent, default: 0] += change
        let pending = organizations[slot].agentsPending[agent] ?? 0
        assert(pending >= 0, "a set has no negative size")
        organizations[slot].sparse.instrument(catalog.agentJobsPending, 0, agent: agent, prefix)?.set(pending)
        organizations[slot].hasEventSeries = true
    }
}
