import LiveKit
import Platform
import TestSupport
import Testing
import Wire

@Suite struct EventMessageTests {
    static let room = Room(
        sid: "RM_1", name: "büro \0", creationTime_ms: .max, creationTime_s: -1, metadataOrganization: "")
    static let participant = Participant(
        sid: "PA_1", identity: "é", kind: .bridge, joinedAt_ms: .min, joinedAt_s: 1_790_553_600,
        reason: .agent_error, agentName: "nötes", direction: .outbound)
    static let track = Track(
        sid: "TR_1", source: .screen_share_audio, type: .video,
        version: TrackVersion(unixMicro: 1_790_000_004_000_000, ticks: 3))
    static let egress = Egress(
        id: "EG_1", requestType: .replay, status: .limitReached, startedAt_ns: 1, endedAt_ns: 2, retryCount: 3,
        media_ns: 4, size_bytes: 5, location: "s3://", error: "no", errorCode: 503)
    static let ingress = Ingress(
        id: "IN_1", resourceID: "IS_1", inputType: .unknown, startedAt_ns: 6, endedAt_ns: 7, hasFailed: true)

    static let job = AgentJob(
        id: "AJ_1", agentName: "notes", status: .cancelled, reason: "no_capacity", startedAt_ns: 8, endedAt_ns: 9,
        updatedAt_ns: 10)

    /// One event of every type, in their order.
    static let events: [Event] = EventType.allCases.enumerated().map { number, type in
        Event(
            id: "EV_\(number)", createdAt: Int64(number) - 3, room: room, endReason: .idle_timeout, body: body(type))
    }

    static func body(_ type: EventType) -> Event.Body {
        switch type {
        case .roomStarted: .roomStarted
        case .roomFinished: .roomFinished
        case .participantJoined: .participantJoined(participant)
        case .participantLeft: .participantLeft(participant)
        case .participantConnectionAborted: .participantConnectionAborted(participant)
        case .trackPublished: .trackPublished(track, by: participant)
        case .trackUnpublished: .trackUnpublished(track, by: participant)
        case .egressStarted: .egressStarted(egress)
        case .egressUpdated: .egressUpdated(egress)
        case .egressEnded: .egressEnded(egress)
        case .ingressStarted: .ingressStarted(ingress)
        case .ingressEnded: .ingressEnded(ingress)
        case .agentJobPending: .agentJobPending(job)
        case .agentJobStarted: .agentJobStarted(job)
        case .agentJobEnded: .agentJobEnded(job)
        case .other: .other
        }
    }

    private static func again(_ event: Event) throws -> Event {
        var writer = MessageWriter()
        event.encode(into: &writer)
        var reader = MessageReader(writer.bytes)
        return try Event(from: &reader)
    }

    @Test func `the samples have something in every field`() {
        #expect(unfilled(Self.events[0], Event(body: .other)) == [])
        #expect(unfilled(Self.room, Room()) == [])
        #expect(unfilled(Self.participant, Participant()) == [])
        #expect(unfilled(Self.track, Track()) == [])
        #expect(unfilled(Self.egress, Egress()) == [])
        #expect(unfilled(Self.ingress, Ingress()) == [])
        #expect(unfilled(Self.job, AgentJob()) == [])
    }

    @Test func `every event is read as it was written, in every field`() throws {
        for event in Self.events { #expect(try Self.again(event) == event) }
        for type in EventType.allCases where type != .other {
            let empty = Event(body: Self.body(type))
            #expect(try Self.again(empty) == empty)
        }
    }

    @Test func `protoc reads every type of event with our schema, and knows every field`() throws {
        for event in Self.events {
            var writer = MessageWriter()
            event.encode(into: &writer)
            let text = try Protoc.decodeJournal(writer.bytes, "Event")
            let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
            #expect(
                event.type == .other || lines.contains { $0.hasSuffix("type: \(event.type.rawValue.uppercased())") },
                "\(event.type)")
        }
    }

    @Test func `every value of every enumeration has a number of its own`() {
        func check<E: StoredEnumeration & CaseIterable & Hashable>(_: E.Type) {
            #expect(Set(E.inStoredOrder) == Set(E.allCases), "\(E.self)")
            #expect(E.inStoredOrder.count == E.allCases.count, "\(E.self)")
        }
        check(EventType.self)
        check(Participant.Kind.self)
        check(Track.Source.self)
        check(Track.Medium.self)
        check(Egress.RequestType.self)
        check(Egress.Status.self)
        check(Ingress.InputType.self)
        check(AgentJob.Status.self)
        check(DisconnectReason.self)
        check(RoomEndReason.self)
        check(CallDirection.self)
    }

    @Test func `numbers of enumerations never change`() {
        #expect(
            EventType.inStoredOrder.map(\.rawValue) == [
                "other", "room_started", "room_finished", "participant_joined", "participant_left",
                "participant_connection_aborted", "track_published", "track_unpublished", "egress_started",
                "egress_updated", "egress_ended", "ingress_started", "ingress_ended", "agent_job_pending",
                "agent_job_started", "agent_job_ended",
            ])
        #expect(Participant.Kind.inStoredOrder.map(\.rawValue) == [0, 1, 2, 3, 4, 7, 8, -1])
        #expect(
            Track.Source.inStoredOrder.map(\.rawValue)
                == ["unknown", "camera", "microphone", "screen_share", "screen_share_audio"])
        #expect(Track.Medium.inStoredOrder.map(\.rawValue) == ["audio", "video", "unknown"])
        #expect(
            Egress.RequestType.inStoredOrder.map(\.rawValue) == [
                "unknown", "room_composite", "web", "track", "participant", "track_composite", "template", "media",
                "replay",
            ])
        #expect(Egress.Status.inStoredOrder.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, -1])
        #expect(Ingress.InputType.inStoredOrder.map(\.rawValue) == ["rtmp", "whip", "url", "unknown"])
        #expect(AgentJob.Status.inStoredOrder.map(\.rawValue) == [0, 1, 2, 3, 4, -1])
        // The numbers of LiveKit.
        #expect(
            DisconnectReason.inStoredOrder.map(\.rawValue) == [
                "unknown", "client_initiated", "duplicate_identity", "server_shutdown", "participant_removed",
                "room_deleted", "state_mismatch", "join_failure", "migration", "signal_close", "room_closed",
                "user_unavailable", "user_rejected", "sip_trunk_failure", "connection_timeout", "media_failure",
                "agent_error",
            ])
        #expect(
            RoomEndReason.inStoredOrder.map(\.rawValue)
                == ["unknown", "api_delete", "idle_timeout", "server_shutdown", "superseded", "open_failed"])
        #expect(CallDirection.inStoredOrder.map(\.rawValue) == ["unknown", "inbound", "outbound"])
    }

    @Test func `an older reader finds another event where a job of an agent is stored`() throws {
        for type in [EventType.agentJobPending, .agentJobStarted, .agentJobEnded] {
            let event = Event(id: "EV_1", createdAt: 5, room: Self.room, body: Self.body(type))
            let other = Event(id: "EV_1", createdAt: 5, room: Self.room, body: .other)
            // It skips the object and the later type, and without field 8 an event is `other`.
            #expect(try Self.fields(of: event) == Self.fields(of: other) + [13, 18])
            #expect(try !Self.fields(of: other).contains(8))
        }
        let known = Event(createdAt: 5, endReason: .superseded, body: .roomFinished)
        #expect(try Self.fields(of: known) == [2, 8, 17])
    }

    private static func fields(of event: Event) throws -> [Int] {
        var writer = MessageWriter()
        event.encode(into: &writer)
        var reader = MessageReader(writer.bytes)
        var fields: [Int] = []
        while let field = try reader.next() {
            fields.append(field)
            try reader.skip()
        }
        return fields.sorted()
    }

    @Test func `fields of a newer version are skipped, unknown types are refused`() throws {
        var writer = MessageWriter()
        Self.events[3].encode(into: &writer)
        writer.message(500) { $0.field(1, "new") }
        writer.field(501, 7)
        var reader = MessageReader(writer.bytes)
        #expect(try Event(from: &reader) == Self.events[3])
        writer.removeAll()
        writer.field(8, 99 as UInt64)
        var other = MessageReader(writer.bytes)
        #expect(throws: MessageFault.self) { try Event(from: &other) }
    }

    @Test func `damaged bytes are refused or make another event, and never more`() {
        var generator = SeededGenerator(seed: 3)
        for event in Self.events {
            var writer = MessageWriter()
            event.encode(into: &writer)
            for _ in 0..<300 {
                var bytes = writer.bytes
                bytes[Int.random(in: bytes.indices, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
                bytes.removeLast(
                    Int.random(in: 0..<2, using: &generator) * Int.random(in: 0..<bytes.count, using: &generator))
                var reader = MessageReader(bytes)
                _ = try? Event(from: &reader)
            }
        }
    }
}
