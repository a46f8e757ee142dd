import LiveKit
import Wire

/// Facts become amounts and counts.
extension UsageTruth {
    private static let minute_ms: Int64 = 60_000

    /// Counts a webhook that was answered 200, whose times were moved by `shift`.
    mutating func count(_ webhook: SimulatedWebhook, shift: TimeShift) {
        for fact in webhook.facts {
            add(fact, webhook.organization, at: shift.milliseconds(webhook.at), shift: shift)
        }
    }

    /// Counts a crash at once. The webhook that tells it later changes nothing.
    mutating func count(_ crash: Occurrence.Crash) {
        vanish(crash.participants, crash.tracks, at: crash.at.milliseconds)
    }

    /// - Parameter now_ms: the time of the fact. `createdAt` is its whole second.
    private mutating func add(_ fact: Fact, _ organization: String, at now_ms: Int64, shift: TimeShift) {
        let created_ms = now_ms / 1_000 * 1_000
        switch fact {
        case .roomClosed(_, _, let reason?):
            change("lk_rooms_ended_total", of: organization, ["reason": reason.rawValue])
        case .joined(let visitor): join(visitor, organization, at: created_ms)
        case .left(let visitor, _, let stayed, let reason):
            leave(visitor, organization, at: created_ms, stayed_ms: Int64((stayed * 1_000).rounded()), reason)
        case .aborted(let kind, let reason):
            change(
                "lk_connections_aborted_total", of: organization, ["kind": Self.label(kind), "reason": reason.rawValue])
        case .published(let sid, let source, let participant):
            let open = Open(
                use: Use(organization: organization, usage: "track:\(source.rawValue)"), from_ms: created_ms)
            publish(sid, open, by: participant)
        case .unpublished(let sid): unpublish(sid, at: created_ms)
        case .vanished(let participants, let tracks): vanish(participants, tracks, at: created_ms)
        case .recordingRetried(_, let type):
            change("lk_egress_retries_total", of: organization, ["request_type": type.rawValue])
        case .recordingEnded(let recording): end(recording.moved(by: shift), organization, at: now_ms)
        case .streamEnded(_, let type, _, let lasted):
            let use = Use(organization: organization, usage: "ingress:\(type.rawValue)")
            end(use, from: now_ms - Int64((lasted * 1_000).rounded()), to: now_ms)
        case .jobWaiting(let id, let agent, let at):
            tellsJobs = true
            waiting[id] = shift.milliseconds(at)
            change("lk_agent_jobs_pending", of: organization, ["agent_name": Self.label(agent)])
        case .jobStarted(let id, let agent, let at): start(id, agent, organization, at: shift.milliseconds(at))
        case .jobEnded(let job): end(job, organization, shift)
        case .roomOpened, .roomClosed, .recordingStarted, .streamStarted: break
        }
    }

    static func label(_ kind: Participant.Kind) -> String { kind == .other ? "unknown" : "\(kind)" }

    static func label(_ agent: String) -> String { agent.isEmpty ? "default" : agent }

    // MARK: Participants

    private mutating func join(_ visitor: Fact.Visitor, _ organization: String, at now_ms: Int64) {
        let kind = Self.label(visitor.kind)
        var usages = ["connection:\(kind)"]
        change("lk_connections_total", of: organization, ["kind": kind])
        change("lk_connections_active", of: organization, ["kind": kind])
        if visitor.kind == .sip {
            let direction = ["direction": visitor.direction.rawValue]
            usages.append("sip:\(visitor.direction.rawValue)")
            change("lk_sip_calls_total", of: organization, direction)
            change("lk_sip_calls_active", of: organization, direction)
        }
        if visitor.kind == .agent && !tellsJobs {
            let agent = ["agent_name": Self.label(visitor.agentName)]
            usages.append("agent:\(Self.label(visitor.agentName))")
            change("lk_agent_jobs_started_total", of: organization, agent)
            change("lk_agent_jobs_active", of: organization, agent)
        }
        participants[visitor.sid] = usages.map {
            Open(use: Use(organization: organization, usage: $0), from_ms: now_ms)
        }
    }

    private mutating func leave(
        _ visitor: Fact.Visitor, _ organization: String, at now_ms: Int64, stayed_ms: Int64, _ reason: DisconnectReason
    ) {
        for open in participants.removeValue(forKey: visitor.sid) ?? [] {
            let isConnection = open.use.usage.hasPrefix("connection:")
            let minutes = isConnection ? (stayed_ms + Self.minute_ms - 1) / Self.minute_ms : 0
            end(open.use, from: now_ms - stayed_ms, to: now_ms, billed_minutes: minutes)
            close(open.use)
            guard open.use.usage.hasPrefix("agent:") else { continue }
            let result = reason == .agent_error ? "failed" : "success"
            change(
                "lk_agent_jobs_ended_total", of: organization,
                ["agent_name": Self.label(visitor.agentName), "result": result, "reason": reason.rawValue])
        }
        change(
            "lk_connections_ended_total", of: organization,
            ["kind": Self.label(visitor.kind), "reason": reason.rawValue])
        departures[visitor.sid] = .some(now_ms)
        for sid in publications.removeValue(forKey: visitor.sid) ?? [] { unpublish(sid, at: now_ms) }
    }

    /// One less is there.
    private mutating func close(_ use: Use) {
        let parts = use.usage.split(separator: ":", maxSplits: 1)
        let value = String(parts[1])
        switch parts[0] {
        case "connection": change("lk_connections_active", of: use.organization, ["kind": value], by: -1)
        case "sip": change("lk_sip_calls_active", of: use.organization, ["direction": value], by: -1)
        default: change("lk_agent_jobs_active", of: use.organization, ["agent_name": value], by: -1)
        }
    }

    private mutating func vanish(_ gone: [String], _ goneTracks: [String], at now_ms: Int64) {
        for sid in gone {
            for open in participants.removeValue(forKey: sid) ?? [] {
                vanish(open, at: now_ms)
                close(open.use)
            }
            departures[sid] = .some(nil)
            publications[sid] = nil
        }
        for sid in goneTracks {
            if let track = tracks.removeValue(forKey: sid) { vanish(track, at: now_ms) }
            trackEnds[sid] = .some(nil)
        }
    }

    // MARK: Tracks

    private mutating func publish(_ sid: String, _ open: Open, by participant: String) {
        // Its own end, or that of its participant, was told before its start.
        if let end = trackEnds[sid] ?? departures[participant] {
            if let end { self.end(open.use, from: open.from_ms, to: max(open.from_ms, end)) }
            trackEnds[sid] = end
        } else {
            tracks[sid] = open
            publications[participant, default: []].append(sid)
        }
    }

    private mutating func unpublish(_ sid: String, at now_ms: Int64) {
        if let track = tracks.removeValue(forKey: sid) {
            end(track.use, from: track.from_ms, to: max(track.from_ms, now_ms))
        }
        if trackEnds[sid] == nil { trackEnds[sid] = .some(now_ms) }
    }

    // MARK: Jobs

    private mutating func end(_ recording: Fact.Recording, _ organization: String, at now_ms: Int64) {
        let type = ["request_type": recording.requestType.rawValue]
        let to = recording.endedAt?.milliseconds ?? now_ms
        if let lasted = recording.lasted_seconds {
            let use = Use(organization: organization, usage: "egress:\(recording.requestType.rawValue)")
            end(use, from: to - Int64((lasted * 1_000).rounded()), to: to)
        }
        let status = recording.status == .limitReached ? "limit_reached" : "\(recording.status)"
        change("lk_egress_results_total", of: organization, type.merging(["status": status]) { $1 })
        if recording.size_bytes > 0 {
            change("lk_egress_bytes_total", of: organization, type, by: recording.size_bytes)
        }
        if !recording.hasSucceeded {
            let code = [4: "4xx", 5: "5xx"][recording.errorCode / 100] ?? "none"
            change("lk_egress_errors_total", of: organization, type.merging(["code": code]) { $1 })
        }
    }

    private mutating func start(_ id: String, _ agent: String, _ organization: String, at start_ms: Int64) {
        tellsJobs = true
        let name = ["agent_name": Self.label(agent)]
        change("lk_agent_jobs_started_total", of: organization, name)
        change("lk_agent_jobs_active", of: organization, name)
        guard let since = waiting.removeValue(forKey: id) else { return }
        change("lk_agent_jobs_pending", of: organization, name, by: -1)
        let use = Use(organization: organization, usage: "agent:\(Self.label(agent))")
        waits[use, default: Truth.Distribution(bounds: Truth.Bounds.wait)].observe(Double(start_ms - since) / 1_000)
    }

    private mutating func end(_ job: Fact.Job, _ organization: String, _ shift: TimeShift) {
        tellsJobs = true
        let name = ["agent_name": Self.label(job.agent)]
        let end_ms = shift.milliseconds(job.endedAt)
        // A job that never ran is no use.
        if let startedAt = job.startedAt {
            let use = Use(organization: organization, usage: "agent:\(Self.label(job.agent))")
            end(use, from: shift.milliseconds(startedAt), to: end_ms)
        }
        if waiting.removeValue(forKey: job.id) != nil {
            change("lk_agent_jobs_pending", of: organization, name, by: -1)
        } else if job.startedAt != nil {
            change("lk_agent_jobs_active", of: organization, name, by: -1)
        }
        change(
            "lk_agent_jobs_ended_total", of: organization,
            name.merging(["result": "\(job.status)", "reason": job.reason.isEmpty ? "unknown" : job.reason]) { $1 })
    }
}
