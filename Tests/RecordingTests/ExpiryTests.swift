import LiveKit
import Recording
import Storage
import Testing

@Suite struct ExpiryTests {
    private let hour: Int64 = 3_600

    @Test func `an id is a duplicate for ten minutes of receive time, and one without id never is`() {
        var fixture = RecorderFixture()
        fixture.receive(.other, at: 0, id: "EV_x")
        fixture.receive(.other, at: 0, received: 599, id: "EV_x")
        #expect(fixture[#"lk_webhook_duplicates_total{event="other"}"#] == 1)
        fixture.receive(.other, at: 0, received: 601, id: "EV_x")
        #expect(fixture[#"lk_webhook_events_total{event="other"}"#] == 2)
        fixture.receive(.other, at: 601, id: "")
        fixture.receive(.other, at: 601, id: "")
        #expect(fixture[#"lk_webhook_events_total{event="other"}"#] == 4)
    }

    @Test func `the lag of a counted event is never negative, and absent without createdAt`() {
        var fixture = RecorderFixture()
        fixture.receive(.other, at: 10, received: 12.5, id: "a")
        fixture.receive(.other, at: 10, received: 13, id: "a")
        fixture.receive(.other, at: 14, received: 13.5)
        fixture.receive(.other, at: .min, received: 14)
        #expect(fixture[#"lk_webhook_delivery_lag_seconds_count{event="other"}"#] == 2)
        #expect(fixture[#"lk_webhook_delivery_lag_seconds_sum{event="other"}"#] == 2.5)
    }

    @Test func `an ended room is remembered for a day`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomFinished, at: 0)
        fixture.pass(to: 23 * hour)
        fixture.receive(.roomFinished, at: 0, received: 23 * 3_600)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        fixture.pass(to: 24 * hour + 1)
        fixture.receive(.roomFinished, at: 0, received: 24 * 3_600 + 2)
        #expect((fixture["lk_rooms_finished_total"] ?? 0) >= 1)
        fixture.receive(
            .trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .named("b", sid: "RM_9"), at: 25 * hour)
        #expect(fixture["lk_room_active"] == 1)
    }

    @Test func `an end is remembered for a day from the end, not from when the room was given up`() {
        var fixture = RecorderFixture()
        let old = Room.named("office", sid: "RM_1", start: 0)
        fixture.receive(.roomStarted, in: old, at: 0)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_2", start: 100), at: 100)
        #expect(fixture["lk_room_active"] == 1)
        fixture.receive(.roomFinished, in: old, at: 23 * hour)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        fixture.pass(to: 25 * hour)
        fixture.receive(.roomFinished, in: old, at: 23 * hour, received: 25 * 3_600)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        // The same for a retried job: its first end was long ago.
        fixture.receive(.egressEnded(.job("EG_1", status: .failed)), in: .officeByName, at: 26 * hour)
        fixture.receive(.egressStarted(.job("EG_1", retry: 1)), in: .officeByName, at: 40 * hour)
        fixture.receive(.egressEnded(.job("EG_1", status: .failed, retry: 1)), in: .officeByName, at: 49 * hour)
        fixture.pass(to: 51 * hour)
        fixture.receive(
            .egressEnded(.job("EG_1", status: .failed, retry: 1)), in: .officeByName, at: 49 * hour,
            received: 51 * 3_600)
        #expect(fixture[#"lk_egress_ended_total{request_type="room_composite",result="failed"}"#] == 2)
    }

    @Test func `what is silent for two days is dropped unobserved, and comes back`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), at: 0)
        fixture.receive(.participantJoined(.person("PA_2", kind: .agent)), at: 0)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .officeByName, at: hour)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 0)
        fixture.receive(.ingressStarted(.stream("IS_1")), in: Room(name: "office"), at: 0)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 2 * hour)
        fixture.receive(.egressStarted(.job("EG_2")), in: .named("b", sid: "RM_2"), at: 0)
        _ = fixture.takeActions()
        fixture.pass(to: 48 * hour)
        #expect(fixture["lk_room_active"] == 2)
        fixture.pass(to: 49 * hour)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 0)
        #expect(fixture[#"lk_egress_active{request_type="room_composite"}"#] == 1)
        #expect(fixture[#"lk_ingress_active{input_type="whip"}"#] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        for (entity, count) in [("room", 1.0), ("participant", 2), ("track", 1), ("egress", 1), ("ingress", 1)] {
            #expect(fixture["lkpush_entities_dropped_total{entity=\"\(entity)\"}"] == count)
        }
        #expect(fixture.takeRows() == [.absent(participantSID: "PA_1")])
        fixture.receive(.participantJoined(.person("PA_1")), at: 49 * hour)
        fixture.receive(.roomStarted, at: 49 * hour)
        #expect(fixture["lk_room_active"] == 2)
        #expect(fixture["lk_participants_active"] == 1)
        // Later lives: they count again.
        #expect(fixture["lk_participant_sessions_total"] == 2)
        #expect(fixture["lk_rooms_started_total"] == 3)
    }

    @Test func `series of an idle organization end after a day and come back from zero`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.roomFinished, at: 10)
        fixture.pass(to: 24 * hour - 60)
        #expect(fixture["lk_rooms_started_total"] == 1)
        fixture.pass(to: 24 * hour + 60)
        #expect(fixture.names("lk_room").isEmpty)
        #expect(fixture[#"lk_webhook_events_total{event="room_started"}"#] == 1)
        #expect(fixture.names("lk_org_info").count == 1)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 30 * hour)
        #expect(fixture["lk_rooms_started_total"] == 1)
        #expect(fixture["lk_rooms_finished_total"] == nil)
        #expect(fixture["lk_room_active"] == 1)
        // An open entity keeps them, however silent.
        fixture.pass(to: 60 * hour)
        #expect(fixture["lk_room_active"] == 1)
    }

    @Test func `an organization of which nothing is left is forgotten, and may return`() {
        var fixture = RecorderFixture(.test(.metadata))
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", organization: "acme"), at: 0)
        fixture.receive(.roomFinished, in: .named("office", sid: "RM_1", organization: "acme"), at: 10)
        fixture.report(.recent([]), at: hour)
        for passed in 1...50 { fixture.pass(to: Int64(passed) * hour) }
        #expect(fixture.names("lk_").allSatisfy { $0.contains("webhook") || $0.contains("unknown") })
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_3", organization: "acme"), at: 51 * hour)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture.names("lk_org_info").count == 1)
    }

    @Test func `a clock that is put back stops nothing`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 1_000)
        fixture.pass(to: 0)
        fixture.receive(.roomFinished, at: 5)
        #expect(fixture["lk_room_active"] == 0)
    }

    @Test func `open entities of every kind are shown`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1")), at: 0)
        fixture.pass(to: 2)
        #expect(fixture[#"lkpush_entities{entity="room"}"#] == 1)
        #expect(fixture[#"lkpush_entities{entity="participant"}"#] == 1)
    }
}
