import LiveKit
import Recording
import Testing

/// Jobs of which nothing is heard any more.
@Suite struct JobSilenceTests {
    private let hour: Int64 = 3_600
    private let recordings = #"lk_egress_active{request_type="room_composite"}"#
    private let streams = #"lk_ingress_active{input_type="whip"}"#

    /// Two days of the same room name under new SIDs, a room each hour.
    private func liveOn(_ desk: inout Desk, from start: Int64 = 1, hours: Int64 = 52) {
        for number in start..<(start + hours) {
            let room = Room.named("office", sid: "RM_later_\(number)")
            desk.receive(.roomStarted, in: room, at: number * hour)
            desk.receive(.roomFinished, in: room, at: number * hour + 600)
        }
    }

    @Test func `a recording whose room has ended goes after the longest silence, whatever its room's name does`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        desk.receive(.roomFinished, at: 60)
        liveOn(&desk, hours: 46)
        #expect(desk[recordings] == 1)
        liveOn(&desk, from: 47, hours: 3)
        #expect(desk[recordings] == 0)
        #expect(desk[#"lkpush_entities_dropped_total{entity="egress"}"#] == 1)
        // Its end may still come, and counts.
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 60 * hour)
        #expect(desk[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
    }

    @Test func `an import that tells its room's name only belongs to the room that was open then`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.receive(.ingressStarted(.stream("IS_1")), in: Room(name: "office"), at: 1)
        desk.receive(.roomFinished, at: 60)
        liveOn(&desk)
        #expect(desk[streams] == 0)
    }

    @Test func `a job of no room goes too`() {
        var desk = Desk()
        desk.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        liveOn(&desk)
        #expect(desk[recordings] == 0)
    }

    @Test func `a silent job stays as long as its own room is open`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        desk.receive(.ingressStarted(.stream("IS_1")), in: Room(name: "office"), at: 1)
        for number in 1...100 {
            let person = Participant.person("PA_\(number)")
            desk.receive(.participantJoined(person), at: Int64(number) * hour)
            desk.receive(.participantLeft(person), at: Int64(number) * hour + 60)
        }
        #expect(desk[recordings] == 1)
        #expect(desk[streams] == 1)
    }

    @Test func `an update keeps a job`() {
        var desk = Desk()
        desk.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        desk.receive(.egressUpdated(.job("EG_1", status: .active)), in: Room(), at: 30 * hour)
        liveOn(&desk)
        #expect(desk[recordings] == 1)
    }

    @Test func `an ingress that is used again and again shows one stream, and none after the end of the last`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        for (number, second) in [Int64(0), 100, 200].enumerated() {
            desk.receive(.ingressStarted(.stream("RT_\(number)", started: second)), in: .officeByName, at: second)
            #expect(desk[streams] == 1)
        }
        desk.receive(.ingressEnded(.stream("RT_2", started: 200, ended: 260)), in: .officeByName, at: 260)
        #expect(desk[streams] == 0)
        desk.receive(.roomFinished, at: 300)
        #expect(desk[streams] == 0)
        #expect(desk[#"lk_ingress_started_total{input_type="whip"}"#] == 3)
        #expect(desk[#"lk_ingress_duration_seconds_count{input_type="whip",result="success"}"#] == 1)
    }
}
