import LiveKit
import Testing
import Wire

/// All recorded bodies, against what `index.json` says of them.
@Suite struct CorpusTests {
    @Test func `there are 66 bodies`() {
        #expect(Corpus.shared.files.count == 66)
    }

    @Test(arguments: Corpus.shared.files)
    func `a body has its size, type and id, and its room by name`(entry: Corpus.Entry) throws {
        let body = try entry.body()
        #expect(body.count == entry.bytes)
        let event = try EventDecoder().decode(body.span)
        #expect(event.id == entry.id)
        #expect(event.type == EventType(rawValue: entry.event) ?? .other)
        #expect(event.createdAt >= 1_790_000_000)
        #expect(event.room.name == "974b6e04-0617-4ae7-90f9-7202e5e998e9")
        #expect(event.room.sid == "RM_nHPUfmxXrHry" || entry.event == "ingress_started")
    }

    @Test(arguments: Corpus.shared.files)
    func `a body decodes to everything that is expected of it`(entry: Corpus.Entry) throws {
        let body = try entry.body()
        let event = try EventDecoder().decode(body.span)
        for (key, expectation) in entry.expected {
            #expect(try actual(key, of: event) == expectation, "\(entry.file): \(key)")
        }
    }

    @Test(arguments: EventType.allCases.filter { $0 != .other })
    func `each event type has a body`(type: EventType) throws {
        let entry = Corpus.shared.files.first { $0.event == type.rawValue }
        let body = try #require(entry, "no body of \(type.rawValue)").body()
        #expect(try EventDecoder().decode(body.span).type == type)
    }

    @Test(arguments: Corpus.shared.files)
    func `a body is accepted with the header it was sent with`(entry: Corpus.Entry) throws {
        let verifier = TokenVerifier(keys: Corpus.shared.keys, leeway: .seconds(60))
        let body = try entry.body()
        let verdict = verifier.verify(
            authorization: entry.headers["Authorization"], body: body.span, at: Timestamp(seconds: 1_790_000_010))
        #expect(verdict == .accepted(key: Corpus.shared.api_key))
    }

    /// What the event says under a key of `expected`.
    private func actual(_ key: String, of event: Event) throws -> Corpus.Expectation? {
        let createdAt = Timestamp(seconds: event.createdAt)
        switch (key, event.body) {
        case ("room_duration_seconds", .roomFinished):
            return .number(createdAt.since(try #require(event.room.createdAt)).inSeconds)
        case ("end_reason", .roomFinished): return .text(try #require(event.endReason).rawValue)
        case ("counts_as_user", .participantJoined(let participant)):
            return .flag(participant.kind == .standard)
        case ("agent_name", .participantJoined(let participant)): return .text(participant.agentName)
        case ("direction", .participantJoined(let participant)): return .text(participant.direction.rawValue)
        case ("reason", .participantLeft(let participant)),
            ("reason", .participantConnectionAborted(let participant)):
            return .text(participant.reason.rawValue)
        case ("session_seconds_approx", .participantLeft(let participant)):
            return .number(createdAt.since(try #require(participant.joinedAt)).inSeconds.rounded())
        case ("source", .trackPublished(let track, _)): return .text(track.source.rawValue)
        case ("type", .trackPublished(let track, _)): return .text(track.type.rawValue)
        case ("input_type", .ingressStarted(let ingress)), ("input_type", .ingressEnded(let ingress)):
            return .text(ingress.inputType.rawValue)
        case ("result", .ingressEnded(let ingress)): return .text(ingress.hasFailed ? "failed" : "success")
        case ("seconds", .ingressEnded(let ingress)): return seconds(from: ingress.startedAt_ns, to: ingress.endedAt_ns)
        case ("request_type", .egressStarted(let egress)), ("request_type", .egressUpdated(let egress)),
            ("request_type", .egressEnded(let egress)):
            return .text(egress.requestType.rawValue)
        case ("result", .egressEnded(let egress)):
            return .text(egress.status == .limitReached ? "limit_reached" : "\(egress.status)")
        case ("wall_seconds", .egressEnded(let egress)):
            return seconds(from: egress.startedAt_ns, to: egress.endedAt_ns)
        case ("media_seconds", .egressEnded(let egress)): return .number(Double(egress.media_ns) / 1e9)
        case ("error_code", .egressEnded(let egress)): return .number(Double(egress.errorCode))
        case (_, .agentJobPending(let job)), (_, .agentJobStarted(let job)), (_, .agentJobEnded(let job)):
            return actual(key, of: job)
        default:
            Issue.record("nothing is known of \(key) in \(event.type.rawValue)")
            return nil
        }
    }

    private func actual(_ key: String, of job: AgentJob) -> Corpus.Expectation? {
        switch key {
        case "agent_name": return .text(job.agentName)
        case "status": return .text("\(job.status)")
        case "reason": return .text(job.reason)
        case "seconds": return seconds(from: job.startedAt_ns, to: job.endedAt_ns)
        default:
            Issue.record("nothing is known of \(key) in a job")
            return nil
        }
    }

    private func seconds(from start_ns: Int64, to end_ns: Int64) -> Corpus.Expectation {
        start_ns == 0 || end_ns == 0 ? .absent : .number(Double(end_ns - start_ns) / 1e9)
    }
}
