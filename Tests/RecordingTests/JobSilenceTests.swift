import LiveKit
import Recording
import Testing

/// Jobs of which nothing is heard any more.
@Suite struct JobSilenceTests {
    private let hour: Int64 = 3_600
    private let recordings = #"lk_egress_active{request_type="room_composite"}"#
    private let streams = #"lk_ingress_active{input_type="whip"}"#

    /// Two days of the same room name under new SIDs, a room each hour.
    private func liveOn(_ fixture: inout RecorderFixture, from start: Int64 = 1, hours: Int64 = 52) {
        for number in start..<(start + hours) {
            let room = Room.named("office", sid: "RM_later_\(number)")
            fixture.receive(.roomStarted, in: room, at: number * hour)
            fixture.receive(.roomFinished, in: room, at: number * hour + 600)
        }
    }

    @Test func `a recording whose room has ended goes after the longest silence, whatever its room's name does`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        fixture.receive(.roomFinished, at: 60)
        liveOn(&fixture, hours: 46)
        #expect(fixture[recordings] == 1)
        liveOn(&fixture, from: 47, hours: 3)
        #expect(fixture[recordings] == 0)
        #expect(fixture[#"lkpush_entities_dropped_total{entity="egress"}"#] == 1)
        // Its end may still come, and counts.
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 60 * hour)
        #expect(fixture[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
    }

    @Test func `an import that tells its room's name only belongs to the room that was open then`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.ingressStarted(.stream("IS_1")), in: Room(name: "office"), at: 1)
        fixture.receive(.roomFinished, at: 60)
        liveOn(&fixture)
        #expect(fixture[streams] == 0)
    }

    @Test func `a job of no room goes too`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        liveOn(&fixture)
        #expect(fixture[recordings] == 0)
    }

    @Test func `a silent job stays as long as its own room is open`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        fixture.receive(.ingressStarted(.stream("IS_1")), in: Room(name: "office"), at: 1)
        for number in 1...100 {
            let person = Participant.person("PA_\(number)")
            fixture.receive(.participantJoined(person), at: Int64(number) * hour)
            fixture.receive(.participantLeft(person), at: Int64(number) * hour + 60)
        }
        #expect(fixture[recordings] == 1)
        #expect(fixture[streams] == 1)
    }

    @Test func `an update keeps a job`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        fixture.receive(.egressUpdated(.job("EG_1", status: .active)), in: Room(), at: 30 * hour)
        liveOn(&fixture)
        #expect(fixture[recordings] == 1)
    }

    @Test func `an ingress that is used again and again shows one stream, and none after the end of the last`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        for (number, second) in [Int64(0), 100, 200].enumerated() {
            fixture.receive(.ingressStarted(.stream("RT_\(number)", started: second)), in: .officeByName, at: second)
            #expect(fixture[streams] == 1)
        }
        fixture.receive(.ingressEnded(.stream("RT_2", started: 200, ended: 260)), in: .officeByName, at: 260)
        #expect(fixture[streams] == 0)
        fixture.receive(.roomFinished, at: 300)
        #expect(fixture[streams] == 0)
        #expect(fixture[#"lk_ingress_started_total{input_type="whip"}"#] == 3)
        #expect(fixture[#"lk_ingress_duration_seconds_count{input_type="whip",result="success"}"#] == 1)
    }
}
