import LiveKit
import Recording
import Storage
import Testing

@Suite struct RoomTests {
    @Test func `a room starts and finishes once, whatever is repeated`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.roomStarted, at: 0)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_rooms_started_total"] == 1)
        fixture.receive(.roomFinished, at: 100)
        fixture.receive(.roomFinished, at: 101)
        fixture.receive(.roomStarted, at: 0)
        #expect(fixture["lk_room_active"] == 0)
        #expect(fixture["lk_rooms_started_total"] == 1)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        #expect(fixture["lk_room_duration_seconds_count"] == 1)
        #expect(fixture["lk_room_duration_seconds_sum"] == 100)
    }

    @Test func `the start of a room comes from the payload, else from state, else there is no duration`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, in: .named("a", sid: "RM_A", start: 10), at: 12)
        fixture.receive(.roomFinished, in: .named("a", sid: "RM_A"), at: 40)
        #expect(fixture["lk_room_duration_seconds_sum"] == 30)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_B"), at: 50)
        fixture.receive(.roomFinished, in: .named("b", sid: "RM_B"), at: 60)
        #expect(fixture["lk_room_duration_seconds_sum"] == 40)
        fixture.receive(.roomFinished, in: .named("c", sid: "RM_C"), at: 70)
        #expect(fixture["lk_rooms_finished_total"] == 3)
        #expect(fixture["lk_room_duration_seconds_count"] == 2)
        fixture.receive(
            .roomFinished, in: Room(sid: "RM_D", name: "d", creationTime_s: RecorderFixture.opening_s + 70), at: 75)
        #expect(fixture["lk_room_duration_seconds_sum"] == 45)
    }

    @Test func `an end that overtakes its start is counted once, and the start opens nothing`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomFinished, at: 50)
        fixture.receive(.roomStarted, at: 0, received: 51)
        #expect(fixture["lk_rooms_started_total"] == 1)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        #expect((fixture["lk_room_active"] ?? 0) == 0)
        fixture.receive(.participantJoined(.person("PA_1")), at: 20, received: 52)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), at: 21, received: 53)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect(fixture[#"lk_tracks_published_total{source="unknown",type="audio"}"#] == 1)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
        #expect((fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] ?? 0) == 0)
        #expect((fixture["lk_room_active"] ?? 0) == 0)
    }

    @Test func `an unknown room is adopted uncounted, and its late start is counted once and filled in`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .officeByName, at: 30)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_rooms_started_total"] == nil)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", start: 10), at: 40)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", start: 10), at: 20)
        #expect(fixture["lk_rooms_started_total"] == 1)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 1)
        fixture.receive(.roomFinished, in: .officeByName, at: 110)
        #expect(fixture["lk_room_duration_seconds_sum"] == 100)
        #expect(fixture["lk_room_active"] == 0)
    }

    @Test func `a start is filled in where it is missing, and never replaced by a worse one`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1")), in: .named("office", sid: "RM_1", start: 10), at: 30)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1"), at: 40)
        fixture.receive(.roomFinished, in: .named("office", sid: "RM_1"), at: 110)
        #expect(fixture["lk_room_duration_seconds_sum"] == 100)
        // The creation time may come with any event of the room.
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_2")), in: .named("b", sid: "RM_2"), at: 200)
        fixture.receive(.participantJoined(.person("PA_2")), in: .named("b", sid: "RM_2", start: 190), at: 201)
        fixture.receive(.roomFinished, in: .named("b", sid: "RM_2"), at: 240)
        #expect(fixture["lk_room_duration_seconds_sum"] == 150)
    }

    @Test func `every participant and track event adopts, jobs do not`() {
        let person = Participant.person("PA_1")
        let adopting: [Event.Body] = [
            .participantJoined(person), .participantLeft(person), .participantConnectionAborted(person),
            .trackPublished(Track(sid: "TR_1"), by: person), .trackUnpublished(Track(sid: "TR_1"), by: person),
        ]
        for body in adopting {
            var fixture = RecorderFixture()
            fixture.receive(body, at: 1)
            #expect(fixture["lk_room_active"] == 1, "\(body)")
            #expect(fixture["lk_rooms_started_total"] == nil)
        }
        let others: [Event.Body] = [
            .roomFinished, .egressStarted(.job("EG_1")), .egressEnded(.job("EG_1")), .ingressStarted(.stream("s")),
            .other,
        ]
        for body in others {
            var fixture = RecorderFixture()
            fixture.receive(body, at: 1)
            #expect((fixture["lk_room_active"] ?? 0) == 0, "\(body)")
        }
    }

    @Test func `a second start of an open room drops, unobserved, what had no event since`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        for (number, second) in [(1, Int64(10)), (2, 20), (3, 90)] {
            fixture.receive(.participantJoined(.person("PA_\(number)")), at: second)
            fixture.receive(
                .trackPublished(Track(sid: "TR_\(number)"), by: .person("PA_\(number)")), in: .officeByName, at: second)
        }
        // PA_2 is silent, but a track of it is not.
        fixture.receive(.trackPublished(Track(sid: "TR_4"), by: .person("PA_2")), in: .officeByName, at: 95)
        _ = fixture.takeActions()
        fixture.receive(.roomStarted, at: 90, received: 96)
        #expect(fixture["lk_rooms_started_total"] == 1)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 2)
        // TR_1 with its participant, TR_2 by itself.
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 2)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        #expect(fixture.takeRows() == [.absent(participantSID: "PA_1")])
        #expect(fixture[#"lkpush_entities_corrected_total{rule="room_restarted"}"#] == 2)
    }

    @Test func `a finished room ends its STANDARD participants and drops all else`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1", "17", joined: 10)), at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "18", joined: 40)), at: 40)
        fixture.receive(.participantJoined(.person("PA_A", "agent", kind: .agent)), at: 10)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .officeByName, at: 11)
        fixture.receive(.trackPublished(Track(sid: "TR_X"), by: .person("PA_X")), in: .officeByName, at: 11)
        _ = fixture.takeActions()
        fixture.receive(.roomFinished, at: 100)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 2)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 150)
        let rows = fixture.takeRows()
        #expect(rows.contains(.absent(participantSID: "PA_1")) && rows.contains(.absent(participantSID: "PA_2")))
        #expect(rows.filter { if case .session = $0 { true } else { false } }.count == 2)
        // Their own ends say nothing new, and neither does that of the agent.
        fixture.receive(.participantLeft(.person("PA_1", "17", joined: 10)), at: 101)
        fixture.receive(.participantLeft(.person("PA_A", "agent", kind: .agent)), at: 101)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 2)
        #expect(fixture.takeRows().isEmpty)
    }

    @Test func `a new SID of a room name closes the silent older one, whose own end still counts`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", start: 0), at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), in: .named("office", sid: "RM_1", start: 0), at: 10)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_2", start: 40), at: 40)
        #expect(fixture["lk_room_active"] == 2)
        fixture.receive(.participantJoined(.person("PA_2")), in: .named("office", sid: "RM_2", start: 40), at: 69)
        #expect(fixture["lk_room_active"] == 2)
        fixture.receive(.participantJoined(.person("PA_3")), in: .named("office", sid: "RM_2", start: 40), at: 70)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 2)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        #expect(fixture["lk_rooms_finished_total"] == nil)
        // Not adopted again, and its ends count.
        fixture.receive(.participantLeft(.person("PA_1", joined: 10)), in: .named("office", sid: "RM_1"), at: 80)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 70)
        fixture.receive(.roomFinished, in: .named("office", sid: "RM_1", start: 0), at: 90)
        fixture.receive(.roomFinished, in: .named("office", sid: "RM_1", start: 0), at: 91)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        #expect(fixture["lk_room_duration_seconds_sum"] == 90)
        #expect(fixture["lk_room_active"] == 1)
    }

    @Test func `a late event of the old SID does not close the new one`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", start: 0), at: 0)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_2", start: 5), at: 5)
        fixture.receive(.participantJoined(.person("PA_1")), in: .named("office", sid: "RM_1", start: 0), at: 200)
        #expect(fixture["lk_room_active"] == 2)
        // Nor does an old SID that is seen for the first time.
        fixture.receive(.participantJoined(.person("PA_0")), in: .named("office", sid: "RM_0", start: -9), at: 400)
        #expect(fixture["lk_room_active"] == 3)
    }

    @Test func `rooms of different names and SIDs do not touch each other`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, in: .named("a", sid: "RM_1", start: 0), at: 0)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2", start: 500), at: 500)
        #expect(fixture["lk_room_active"] == 2)
    }

    @Test func `an event without SIDs only counts in the health metrics`() {
        var fixture = RecorderFixture()
        let room = Room(name: "office")
        let nobody = Participant()
        fixture.receive(.roomStarted, in: room, at: 1)
        fixture.receive(.roomFinished, in: room, at: 1)
        fixture.receive(.participantJoined(.person("PA_1")), in: room, at: 1)
        fixture.receive(.participantLeft(.person("PA_1")), in: room, at: 1)
        fixture.receive(.participantJoined(nobody), at: 1)
        fixture.receive(.participantLeft(nobody), at: 1)
        fixture.receive(.participantConnectionAborted(nobody), at: 1)
        fixture.receive(.trackPublished(Track(), by: .person("PA_1")), at: 1)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: nobody), at: 1)
        fixture.receive(.trackUnpublished(Track(), by: .person("PA_1")), at: 1)
        #expect(fixture[#"lk_webhook_events_total{event="participant_joined"}"#] == 2)
        #expect(
            fixture.series.keys.filter { $0.hasPrefix("lk_") && !$0.contains("webhook") && !$0.contains("info") }
                .isEmpty)
    }

    @Test func `a clock that is wrong neither traps nor counts a duration`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomFinished, in: Room(sid: "RM_1", name: "a", creationTime_ms: .max), at: 1)
        fixture.receive(.roomFinished, in: Room(sid: "RM_2", name: "a", creationTime_s: .max), at: 1)
        let late = Event(id: "x", createdAt: .max, room: .named("b", sid: "RM_3", start: 0), body: .roomFinished)
        fixture.apply(.event(late, receivedAt: RecorderFixture.time(2)))
        let early = Event(id: "y", createdAt: .min, room: .named("b", sid: "RM_4", start: 0), body: .roomFinished)
        fixture.apply(.event(early, receivedAt: RecorderFixture.time(2)))
        fixture.receive(.roomFinished, in: .named("c", sid: "RM_5", start: 0), at: .min, received: 3)
        fixture.receive(.roomFinished, in: .named("c", sid: "RM_6", start: 0), at: 7 * 86_400 + 1, received: 3)
        fixture.receive(.roomFinished, in: .named("c", sid: "RM_7", start: 3), at: 0, received: 3)
        #expect(fixture["lk_rooms_finished_total"] == 7)
        #expect(fixture["lk_room_duration_seconds_count"] == nil)
        #expect(fixture[#"lkpush_implausible_durations_total{event="room_finished"}"#] == 7)
    }
}
