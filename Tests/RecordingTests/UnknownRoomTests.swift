import LiveKit
import Matching
import Recording
import Storage
import Testing

/// What the recorder says about rooms whose organization was not found.
@Suite struct UnknownRoomTests {
    private let acme = Organization(id: "acme", name: "Acme", key: .integer(1))

    @Test func `each event that counts under unknown for want of an organization says so`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        desk.receive(.participantJoined(.person("PA_1", "ann")), at: 0)
        #expect(desk.takeTold().isEmpty, "they wait")
        desk.answer("office", .failure(.room_not_found), at: 1)
        #expect(desk.takeTold() == [told(.room_not_found), told(.room_not_found)])
        desk.receive(.participantLeft(.person("PA_1", "ann")), at: 2)
        #expect(desk.takeTold() == [told(.room_not_found)])
        desk.receive(.other, at: 2)
        desk.receive(.egressStarted(.job("EG_1")), in: Room(), at: 2)
        #expect(desk.takeTold().isEmpty, "there is no room")
        desk.receive(.participantJoined(.person("PA_2", "bob")), at: 40)
        #expect(desk.takeTold() == [told(.room_not_found)], "asked again, and not yet answered")
        desk.answer("office", .success(acme), at: 41)
        desk.receive(.participantLeft(.person("PA_2", "bob")), at: 42)
        #expect(desk.takeTold().isEmpty)
    }

    @Test(arguments: LookupFailure.allCases)
    func `every reason is passed on`(_ reason: LookupFailure) {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        desk.answer("office", .failure(reason), at: 1)
        #expect(desk.takeTold() == [told(reason)])
    }

    @Test func `a wait that takes too long, finds no place or is ended by a stop is told`() {
        var desk = Desk(.test(.database, waitingEvents: 2))
        desk.receive(.roomStarted, at: 0)
        desk.pass(to: 9)
        #expect(desk.takeTold().isEmpty)
        desk.pass(to: 10)
        #expect(desk.takeTold() == [told(.lookup_error)], "time")
        for number in 1...3 { desk.receive(.roomStarted, in: .named("r\(number)", sid: "RM_r\(number)"), at: 11) }
        #expect(desk.takeTold().count == 1, "place")
        desk.stop(at: 12)
        #expect(desk.takeTold().count == 2, "stop")
    }

    @Test func `other sources of organizations tell as well`() throws {
        var byName = Desk(.test(.roomName(try Pattern("^(?<org>[a-z]*)-"))))
        byName.receive(.roomStarted, at: 0)
        byName.receive(.roomStarted, in: .named("-1", sid: "RM_2"), at: 0)
        byName.receive(.roomStarted, in: .named("acme-1", sid: "RM_3"), at: 0)
        #expect(byName.takeTold() == [told(.room_not_found), .tellUnknown(room: "-1", .no_org_id)])
        var byMetadata = Desk(.test(.metadata))
        byMetadata.receive(.roomStarted, at: 0)
        #expect(byMetadata.takeTold() == [told(.no_organization)])
        var fixed = Desk()
        fixed.receive(.roomStarted, at: 0)
        #expect(fixed.takeTold().isEmpty)
    }

    private func told(_ reason: LookupFailure) -> Action { .tellUnknown(room: "office", reason) }
}

extension Desk {
    fileprivate mutating func takeTold() -> [Action] {
        takeActions().filter { if case .tellUnknown = $0 { true } else { false } }
    }
}
