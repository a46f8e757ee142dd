import LiveKit
import Platform
import TestSupport
import Testing
import Wire

@Suite struct EventMessageTests {
    static let room = Room(
        sid: "RM_1", name: "büro \0", creationTime_ms: .max, creationTime_s: -1, metadataOrganization: "")
    static let participant = Participant(
        sid: "PA_1", identity: "é", kind: .bridge, joinedAt_ms: .min, joinedAt_s: 1_790_553_600)
    static let track = Track(
        sid: "TR_1", source: .screen_share_audio, type: .video,
        version: TrackVersion(unixMicro: 1_790_000_004_000_000, ticks: 3))
    static let egress = Egress(
        id: "EG_1", requestType: .replay, status: .limitReached, startedAt_ns: 1, endedAt_ns: 2, retryCount: 3,
        media_ns: 4, size_bytes: 5, location: "s3://", error: "no")
    static let ingress = Ingress(
        id: "IN_1", resourceID: "IS_1", inputType: .unknown, startedAt_ns: 6, endedAt_ns: 7, hasFailed: true)

    /// One event of every type, in their order.
    static let events: [Event] = EventType.allCases.enumerated().map { number, type in
        Event(id: "EV_\(number)", createdAt: Int64(number) - 3, room: room, body: body(type))
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
                event.type == .other || lines.contains("type: \(event.type.rawValue.uppercased())"), "\(event.type)")
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
    }

    @Test func `numbers of enumerations never change`() {
        #expect(
            EventType.inStoredOrder.map(\.rawValue) == [
                "other", "room_started", "room_finished", "participant_joined", "participant_left",
                "participant_connection_aborted", "track_published", "track_unpublished", "egress_started",
                "egress_updated", "egress_ended", "ingress_started", "ingress_ended",
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
