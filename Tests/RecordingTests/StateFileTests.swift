import LiveKit
import Platform
import Recording
import Storage
import TestSupport
import Testing
import Wire

/// Bytes that outlive the program: a file that an older version wrote, and the schema that describes all of them.
@Suite struct StateFileTests {
    private static let folder = Repository.root + "/Tests/RecordingTests/Data"

    /// `UPDATE_GOLDEN=1` rewrites both files. Never for a change of the format alone: state of version 1 is in the field.
    @Test func `state that version 1 wrote is restored`() throws {
        if ProcessEnvironment.current["UPDATE_GOLDEN"] == "1" {
            var fixture = Sample.fixture()
            let state = fixture.save()
            var writer = MessageWriter()
            writer.field(1, bytes: state)
            for segment in fixture.segments { writer.field(2, bytes: segment.bytes) }
            try FileStore.replace(Self.folder + "/state.1", with: writer.bytes)
            try FileStore.replace(
                Self.folder + "/state.1.page", with: Array(fixture.page.joined(separator: "\n").utf8))
        }
        var reader = MessageReader(try FileStore.read(Self.folder + "/state.1"))
        var state: [UInt8] = []
        var segments: [IDSegment] = []
        while let field = try reader.next() {
            switch field {
            case 1: state = try reader.byteArray()
            default:
                segments.append(
                    IDSegment(kind: 0, latest: Timestamp(milliseconds: 0), bytes: try reader.byteArray()))
            }
        }
        var fixture = try RestorableFixture(state, segments, Sample.setup)
        #expect(fixture.recorder.checkInvariants() == [])
        #expect(fixture.recorder.missingIDs == 0)
        #expect(fixture.recorder.waitingEvents == 1)
        #expect(fixture.recorder.outstandingLookups.contains("waiting"))
        let page = String(decoding: try FileStore.read(Self.folder + "/state.1.page"), as: UTF8.self)
        // Programs before 0.8.0 counted no usage: series that are new since then begin with what is open.
        let known = Set(page.split(separator: "\n").map(String.init))
        #expect(known.subtracting(fixture.page) == [])
        let new = fixture.page.filter { !known.contains($0) }
        #expect(!new.isEmpty)
        for line in new { #expect(["_active{", "_seconds", "_billed_"].contains { line.contains($0) }) }
        fixture.apply(
            .event(
                Event(id: "EV_last_40001", createdAt: RecorderFixture.opening_s, room: .office, body: .roomStarted),
                receivedAt: RecorderFixture.time(40_010)))
        #expect(fixture.page.contains { $0.hasPrefix("lk_webhook_duplicates_total{event=\"room_started\"}") })
    }

    // MARK: The schema

    @Test func `protoc reads the state and the ids with our schema, and knows every field`() throws {
        var fixture = Sample.fixture()
        let state = fixture.save()
        let text = try Protoc.decodeJournal(state, "State")
        for part in [
            "version: 1\n", "name: \"lk_tracks_active\"", "sid: \"PA_open\"", "identity: \"anna\"", "sid: \"TR_open\"",
            "id: \"EG_open\"", "id: \"IS_open\"", "stage: WAITING", "stage: KNOWN", "type: ROOM_STARTED",
            "shown_name: \"One\"", "kind: DATABASE", "id: \"new\"", "is_asked: true", "counts: ",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        for segment in fixture.segments { _ = try Protoc.decodeJournal(segment.bytes, "IDSegment") }
    }

    @Test func `protoc reads every input and every row`() throws {
        let bodies: [Event.Body] = [
            .participantJoined(Participant(sid: "PA", identity: "a", kind: .other, joinedAt_ms: 1, joinedAt_s: 2)),
            .trackPublished(Track(sid: "TR", source: .screen_share_audio, type: .unknown), by: Participant(sid: "PA")),
            .egressEnded(
                Egress(
                    id: "EG", requestType: .replay, status: .other, startedAt_ns: 1, endedAt_ns: 2, retryCount: 3,
                    media_ns: 4, size_bytes: 5, location: "l", error: "e")),
            .ingressEnded(
                Ingress(
                    id: "IN", resourceID: "IS", inputType: .unknown, startedAt_ns: 1, endedAt_ns: 2, hasFailed: true)),
        ]
        let room = Room(sid: "RM", name: "n", creationTime_ms: 3, creationTime_s: 4, metadataOrganization: "o")
        var inputs = InputMessageTests.inputs
        for body in bodies {
            let event = Event(id: "EV", createdAt: 1, room: room, body: body)
            inputs.append(.event(event, receivedAt: InputMessageTests.time))
            var writer = MessageWriter()
            event.encode(into: &writer)
            #expect(try Protoc.decodeJournal(writer.bytes, "Event").contains("room_metadata_organization: \"o\""))
        }
        for input in inputs {
            var writer = MessageWriter()
            input.encode(into: &writer)
            #expect(
                try Protoc.decodeJournal(writer.bytes, "Input").contains("time_ms: ")
                    || input == InputMessageTests.inputs[5])
        }
        let owners: [RowOwner] = [
            .key(.integer(1)), .key(.text("k")), .organization(id: "i", name: "n"), .room(name: "r"),
        ]
        let time = InputMessageTests.time
        let rows: [StoreRow] = owners.flatMap { owner in
            [
                .session(SessionRow(owner: owner, userID: -1, day: CivilDate(time), duration_seconds: 1)),
                .recording(
                    RecordingRow(
                        owner: owner, egressID: "EG", roomName: "r", requestType: "web", status: "failed",
                        startedAt: time, endedAt: time, duration_seconds: 1, size_bytes: 1, location: "l", error: "e",
                        expiresAt: time)),
                .present(
                    PresenceRow(
                        owner: owner, participantSID: "PA", roomSID: "RM", roomName: "r", userID: 1, identity: "i",
                        joinedAt: time)),
            ]
        }
        for row in rows + [.absent(participantSID: "PA")] {
            var writer = MessageWriter()
            row.encode(into: &writer)
            #expect(try !Protoc.decodeJournal(writer.bytes, "StoreRow").isEmpty)
        }
    }

}
