import LiveKit
import Simulation
import Testing
import Wire

/// Bodies say what the office meant, as the product's own decoder reads them.
@Suite struct DecodingTests {
    private static let shift = TimeShift(seconds: 12_345)

    private static func decode(_ webhook: SimulatedWebhook) throws -> Event {
        try EventDecoder(metadataKey: "org_id").decode(webhook.message.body(shift: shift).span)
    }

    @Test(arguments: OfficeSize.Guests.allCases)
    func `every body decodes to the event it was made for`(guests: OfficeSize.Guests) throws {
        for webhook in OfficeTests.afternoon(guests: guests) {
            let event = try Self.decode(webhook)
            #expect(event.type == webhook.event)
            #expect(event.createdAt == Self.shift(webhook.at).milliseconds / 1_000)
            #expect(event.id.hasPrefix("EV_"))
            #expect(event.room.name.hasPrefix(webhook.organization))
            if let organization = event.room.metadataOrganization { #expect(organization == webhook.organization) }
            for fact in webhook.facts { Self.expect(fact, in: event) }
        }
    }

    /// Nothing but what the payload says is used: durations come out of it alone.
    private static func expect(_ fact: Fact, in event: Event) {
        switch (fact, event.body) {
        case (.roomOpened(let sid), .roomStarted), (.roomClosed(let sid, _, _), .roomFinished):
            #expect(event.room.sid == sid)
            #expect(event.room.createdAt != nil)
            #expect(event.room.metadataOrganization != nil)
            if case .roomClosed(_, let lasted, let reason) = fact, let from = event.room.createdAt {
                #expect(event.endReason == reason)
                #expect(abs(max(0, Double(event.createdAt) - from.seconds) - lasted) < 0.0005)
            }
        case (.vanished, .roomStarted): break
        case (.joined(let visitor), .participantJoined(let participant)): expect(visitor, as: participant)
        case (.left(let visitor, let at, let stayed, let reason), .participantLeft(let participant)):
            expect(visitor, as: participant)
            #expect(participant.reason == reason)
            #expect(shift(at).milliseconds / 1_000 == event.createdAt)
            #expect(abs(max(0, Double(event.createdAt) - (participant.joinedAt?.seconds ?? 0)) - stayed) < 0.0005)
        case (.aborted(let kind, let reason), .participantConnectionAborted(let participant)):
            #expect(participant.kind == kind)
            #expect(participant.reason == reason)
        case (.published(let sid, let source, let by), .trackPublished(let track, let participant)):
            #expect(track.sid == sid)
            #expect(participant.sid == by)
            #expect(track.source == source)
        case (.unpublished(let sid), .trackUnpublished(let track, _)): #expect(track.sid == sid)
        case (.recordingStarted(let id, let type), .egressStarted(let egress)):
            #expect(egress.id == id)
            #expect(egress.requestType == type)
            #expect(!egress.status.isFinal)
        case (.recordingRetried(let id, let type), .egressUpdated(let egress)):
            #expect(egress.id == id && egress.retryCount == 1)
            #expect(egress.requestType == type)
        case (.recordingEnded(let recording), .egressEnded(let egress)): expect(recording, in: egress, of: event)
        case (.streamStarted(let id, let type), .ingressStarted(let ingress)):
            #expect(ingress.resourceID == id)
            #expect(ingress.inputType == type)
        case (.streamEnded(let id, let type, let hasFailed, let lasted), .ingressEnded(let ingress)):
            #expect(ingress.resourceID == id)
            #expect(ingress.inputType == type)
            #expect(ingress.hasFailed == hasFailed)
            #expect(abs(Double(ingress.endedAt_ns - ingress.startedAt_ns) / 1e9 - lasted) < 0.0005)
        case (.jobWaiting, .agentJobPending), (.jobStarted, .agentJobStarted), (.jobEnded, .agentJobEnded):
            expect(fact, in: event.body)
        default: Issue.record("\(event.type) says \(fact)")
        }
    }

    private static func expect(_ visitor: Fact.Visitor, as participant: Participant) {
        #expect(participant.sid == visitor.sid)
        #expect(participant.identity == visitor.identity)
        #expect(participant.kind == visitor.kind)
        #expect(participant.agentName == visitor.agentName)
        #expect(participant.direction == visitor.direction)
    }

    private static func expect(_ fact: Fact, in body: Event.Body) {
        let time_ns = { (time: Timestamp?) in time.map { shift($0).milliseconds * 1_000_000 } ?? 0 }
        switch (fact, body) {
        case (.jobWaiting(let id, let agent, let at), .agentJobPending(let job)):
            #expect(job == AgentJob(id: id, agentName: agent, status: .pending, updatedAt_ns: time_ns(at)))
        case (.jobStarted(let id, let agent, let at), .agentJobStarted(let job)):
            #expect(
                job
                    == AgentJob(
                        id: id, agentName: agent, status: .running, startedAt_ns: time_ns(at), updatedAt_ns: time_ns(at)
                    ))
        case (.jobEnded(let ended), .agentJobEnded(let job)):
            let end = time_ns(ended.endedAt)
            #expect(
                job
                    == AgentJob(
                        id: ended.id, agentName: ended.agent, status: ended.status, reason: ended.reason,
                        startedAt_ns: time_ns(ended.startedAt), endedAt_ns: end, updatedAt_ns: end))
        default: Issue.record("\(body) says \(fact)")
        }
    }

    private static func expect(_ recording: Fact.Recording, in egress: Egress, of event: Event) {
        #expect((egress.id.isEmpty ? event.id : egress.id) == recording.id)
        #expect(egress.requestType == recording.requestType)
        #expect(egress.status.isFinal)
        #expect(egress.status == recording.status)
        #expect(egress.errorCode == Int64(recording.errorCode) && egress.retryCount == Int64(recording.retryCount))
        #expect(egress.size_bytes == recording.size_bytes)
        let job = egress.endedAt_ns > 0 ? egress.endedAt_ns - egress.startedAt_ns : 0
        let nanoseconds = egress.media_ns > 0 ? egress.media_ns : job
        #expect(abs(Double(nanoseconds) / 1e9 - (recording.lasted_seconds ?? 0)) < 0.0005)
    }

    @Test(arguments: OfficeSize.Guests.allCases)
    func `duplicates and restatements say the same as the first`(guests: OfficeSize.Guests) throws {
        var last: Event?
        var count = 0
        for webhook in OfficeTests.afternoon(guests: guests) {
            var event = try Self.decode(webhook)
            if webhook.novelty != .first, let last {
                if webhook.novelty == .restatement { event.id = last.id }
                #expect(event == last)
                count += 1
            }
            // A late one is not what the next may repeat, but then the next is a first.
            last = event
        }
        #expect(count > 20)
    }
}
