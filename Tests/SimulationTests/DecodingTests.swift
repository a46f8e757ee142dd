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

    @Test func `every body decodes to the event it was made for`() throws {
        for webhook in OfficeTests.afternoon() {
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
        case (.roomOpened(let sid), .roomStarted), (.roomClosed(let sid, _), .roomFinished):
            #expect(event.room.sid == sid)
            #expect(event.room.createdAt != nil)
            #expect(event.room.metadataOrganization != nil)
            if case .roomClosed(_, let lasted) = fact, let from = event.room.createdAt {
                #expect(abs(max(0, Double(event.createdAt) - from.seconds) - lasted) < 0.0005)
            }
        case (.vanished, .roomStarted): break
        case (.joined(let sid, let kind), .participantJoined(let participant)):
            #expect(participant.sid == sid)
            #expect(participant.kind == kind)
        case (.left(let sid, let identity, let kind, let at, let stayed), .participantLeft(let participant)):
            #expect(participant.sid == sid)
            #expect(participant.identity == identity)
            #expect(participant.kind == kind)
            #expect(shift(at).milliseconds / 1_000 == event.createdAt)
            #expect(abs(max(0, Double(event.createdAt) - (participant.joinedAt?.seconds ?? 0)) - stayed) < 0.0005)
        case (.published(let sid, let source), .trackPublished(let track, _)):
            #expect(track.sid == sid)
            #expect(track.source == source)
        case (.unpublished(let sid), .trackUnpublished(let track, _)): #expect(track.sid == sid)
        case (.recordingStarted(let id, let type), .egressStarted(let egress)):
            #expect(egress.id == id)
            #expect(egress.requestType == type)
            #expect(!egress.status.isFinal)
        case (.recordingEnded(let recording), .egressEnded(let egress)): expect(recording, in: egress, of: event)
        case (.streamStarted(let id, let type), .ingressStarted(let ingress)):
            #expect(ingress.resourceID == id)
            #expect(ingress.inputType == type)
        case (.streamEnded(let id, let type, let hasFailed, let lasted), .ingressEnded(let ingress)):
            #expect(ingress.resourceID == id)
            #expect(ingress.inputType == type)
            #expect(ingress.hasFailed == hasFailed)
            #expect(abs(Double(ingress.endedAt_ns - ingress.startedAt_ns) / 1e9 - lasted) < 0.0005)
        default: Issue.record("\(event.type) says \(fact)")
        }
    }

    private static func expect(_ recording: Fact.Recording, in egress: Egress, of event: Event) {
        #expect((egress.id.isEmpty ? event.id : egress.id) == recording.id)
        #expect(egress.requestType == recording.requestType)
        #expect(egress.status.isFinal)
        #expect((egress.status == .complete || egress.status == .limitReached) == recording.hasSucceeded)
        #expect(egress.size_bytes == recording.size_bytes)
        let job = egress.endedAt_ns > 0 ? egress.endedAt_ns - egress.startedAt_ns : 0
        let nanoseconds = egress.media_ns > 0 ? egress.media_ns : job
        #expect(abs(Double(nanoseconds) / 1e9 - (recording.lasted_seconds ?? 0)) < 0.0005)
    }

    @Test func `duplicates and restatements say the same as the first`() throws {
        var last: Event?
        var count = 0
        for webhook in OfficeTests.afternoon() {
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
