import LiveKit
import Recording
import Testing
import Wire

/// The comparison of the state with the lists of LiveKit's API.
@Suite struct ComparisonTests {
    private var fixture = RecorderFixture()

    private func listed(_ room: Room, _ participants: Int) -> ListedRoom {
        ListedRoom(room: room, participants: participants)
    }

    @Test mutating func `rooms are compared by SID, and their people without agents and recorders`() {
        fixture.receive(.roomStarted, at: 0)
        for (number, kind) in [Participant.Kind.standard, .agent, .egress, .sip, .ingress].enumerated() {
            fixture.receive(.participantJoined(.person("PA_\(number)", kind: kind, joined: 1)), at: 1)
        }
        fixture.receive(.roomStarted, in: .named("gone", sid: "RM_2"), at: 2)
        fixture.receive(.roomStarted, in: .named("ended", sid: "RM_3"), at: 3)
        fixture.receive(.roomFinished, in: .named("ended", sid: "RM_3"), at: 4)
        #expect(fixture.recorder.compare(Listing(rooms: [listed(.office, 3)])).differingRooms.isEmpty)
        let comparison = fixture.recorder.compare(
            Listing(rooms: [
                listed(.named("ended", sid: "RM_3"), 0), listed(.office, 5), listed(.named("new", sid: "RM_4"), 1),
            ]))
        #expect(
            comparison.unknownRooms == [
                .init(place: 0, endedAt: RecorderFixture.time(4)), .init(place: 2, endedAt: nil),
            ])
        #expect(comparison.differingRooms == [.init(place: 1, counted: 3, lastEvent: RecorderFixture.time(1))])
        #expect(comparison.absentRooms == [.init(sid: "RM_2", name: "gone", lastEvent: RecorderFixture.time(2))])
        #expect(comparison.openRooms == 2)
        #expect(comparison.lastWebhook == RecorderFixture.time(4))
    }

    @Test mutating func `recordings are compared by id and attempt`() {
        fixture.receive(.egressStarted(.job("EG_run", started: 1)), in: .officeByName, at: 1)
        fixture.receive(.egressStarted(.job("EG_lost", started: 1)), in: .officeByName, at: 1)
        fixture.receive(.egressStarted(.job("EG_done", started: 1)), in: .officeByName, at: 1)
        fixture.receive(.egressEnded(.job("EG_old", status: .complete, ended: 2)), in: .officeByName, at: 2)
        func listed(_ job: Egress) -> ListedEgress { ListedEgress(egress: job, room: .officeByName) }
        let comparison = fixture.recorder.compare(
            Listing(egress: [
                listed(.job("EG_run")), listed(.job("EG_old")), listed(.job("EG_new")),
                listed(.job("EG_done", status: .complete, ended: 3)),
                listed(.job("EG_old", status: .complete, ended: 2)),
                listed(.job("EG_unseen", status: .failed, ended: 3)),
                listed(.job("EG_before", status: .complete, ended: -60)),
                listed(.job("EG_old", status: .complete, ended: 5, retry: 1)),
            ]))
        #expect(
            comparison.unknownEgress == [
                .init(place: 1, isRemembered: true, hasRoom: false),
                .init(place: 2, isRemembered: false, hasRoom: false),
                .init(place: 5, isRemembered: false, hasRoom: false),
                .init(place: 7, isRemembered: false, hasRoom: false),
            ])
        let at = RecorderFixture.time(1)
        #expect(
            comparison.absentEgress == [
                .init(key: "EG_lost", ingressID: "", lastEvent: at, place: nil),
                .init(key: "EG_done", ingressID: "", lastEvent: at, place: 3),
            ])
    }

    @Test mutating func `an ingress is compared by its job, or by itself where the list tells no job`() {
        fixture.receive(.ingressStarted(.stream("IS_1", started: 1)), in: Room(name: "office"), at: 1)
        func absent(_ job: ListedIngress) -> [Comparison.AbsentJob] {
            fixture.recorder.compare(Listing(ingress: [job])).absentIngress
        }
        let at = RecorderFixture.time(1)
        let known = [Comparison.AbsentJob(key: "IS_1", ingressID: "IN_1", lastEvent: at, place: 0)]
        #expect(absent(ListedIngress(ingress: .stream("IS_1"), activity: .running)).isEmpty)
        #expect(absent(ListedIngress(ingress: .stream(""), activity: .running)).isEmpty)
        #expect(absent(ListedIngress(ingress: .stream("IS_1"), activity: .ended)) == known)
        #expect(absent(ListedIngress(ingress: .stream(""), activity: .ended)) == known)
        let other = Listing(ingress: [ListedIngress(ingress: .stream("IS_2", started: 5), activity: .running)])
        #expect(fixture.recorder.compare(other).absentIngress == known)
        #expect(
            fixture.recorder.compare(other).unknownIngress == [.init(place: 0, isRemembered: false, hasRoom: true)])
    }

    @Test mutating func `the members of a room are compared by SID, identity and tracks`() throws {
        let (camera, screen) = (Track(sid: "TR_1", source: .camera), Track(sid: "TR_2", source: .screen_share))
        fixture.receive(.participantJoined(.person("PA_1", "anna", joined: 1)), at: 1)
        fixture.receive(.participantJoined(.person("PA_2", "bea", joined: 2)), at: 2)
        fixture.receive(.participantJoined(.person("PA_3", "cleo", kind: .agent, joined: 3)), at: 3)
        fixture.receive(.participantJoined(.person("PA_4", "dora", joined: 4)), at: 4)
        fixture.receive(.participantLeft(.person("PA_4", "dora", joined: 4)), at: 5)
        fixture.receive(.trackPublished(camera, by: .person("PA_1", "anna")), at: 6)
        let members = RoomMembers(
            room: "RM_1",
            participants: [
                ListedParticipant(participant: .person("PA_1", "anna"), isActive: true, tracks: [screen]),
                ListedParticipant(participant: .person("PA_9", "bea"), isActive: true),
                ListedParticipant(participant: .person("PA_4", "dora"), isActive: true),
            ])
        let comparison = try #require(fixture.recorder.compare(members))
        #expect(comparison.counted == 2)
        #expect(
            comparison.unknown == [
                .init(place: 1, endedAt: nil), .init(place: 2, endedAt: RecorderFixture.time(5)),
            ])
        #expect(
            comparison.absent == [
                .init(sid: "PA_2", isCounted: true, lastEvent: RecorderFixture.time(2), successor: 1),
                .init(sid: "PA_3", isCounted: false, lastEvent: RecorderFixture.time(3), successor: nil),
            ])
        let at = RecorderFixture.time(6)
        #expect(comparison.unknownTracks == [.init(participant: 0, place: 0, isRemembered: false, lastEvent: at)])
        #expect(comparison.absentTracks == [.init(sid: "TR_1", lastEvent: at)])
        #expect(fixture.recorder.compare(RoomMembers(room: "RM_none", participants: [])) == nil)
    }
}
