import LiveKit
import Matching
import Recording
import Storage
import Testing

/// What the recorder says about rooms whose organization was not found.
@Suite struct UnknownRoomTests {
    private let acme = Organization(id: "acme", name: "Acme", key: .integer(1))

    @Test func `each event that counts under unknown for want of an organization says so`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1", "ann")), at: 0)
        #expect(fixture.takeTold().isEmpty, "they wait")
        fixture.answer("office", .failure(.room_not_found), at: 1)
        #expect(fixture.takeTold() == [told(.room_not_found), told(.room_not_found)])
        fixture.receive(.participantLeft(.person("PA_1", "ann")), at: 2)
        #expect(fixture.takeTold() == [told(.room_not_found)])
        fixture.receive(.other, at: 2)
        fixture.receive(.egressStarted(.job("EG_1")), in: Room(), at: 2)
        #expect(fixture.takeTold().isEmpty, "there is no room")
        fixture.receive(.participantJoined(.person("PA_2", "bob")), at: 40)
        #expect(fixture.takeTold() == [told(.room_not_found)], "asked again, and not yet answered")
        fixture.answer("office", .success(acme), at: 41)
        fixture.receive(.participantLeft(.person("PA_2", "bob")), at: 42)
        #expect(fixture.takeTold().isEmpty)
    }

    @Test(arguments: LookupError.allCases)
    func `every reason is passed on`(_ reason: LookupError) {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        fixture.answer("office", .failure(reason), at: 1)
        #expect(fixture.takeTold() == [told(reason)])
    }

    @Test func `a wait that takes too long, finds no place or is ended by a stop is told`() {
        var fixture = RecorderFixture(.test(.database, waitingEvents: 2))
        fixture.receive(.roomStarted, at: 0)
        fixture.pass(to: 9)
        #expect(fixture.takeTold().isEmpty)
        fixture.pass(to: 10)
        #expect(fixture.takeTold() == [told(.lookup_error)], "time")
        for number in 1...3 { fixture.receive(.roomStarted, in: .named("r\(number)", sid: "RM_r\(number)"), at: 11) }
        #expect(fixture.takeTold().count == 1, "place")
        fixture.stop(at: 12)
        #expect(fixture.takeTold().count == 2, "stop")
    }

    @Test func `other sources of organizations tell as well`() throws {
        var byName = RecorderFixture(.test(.roomName(try Pattern("^(?<org>[a-z]*)-"))))
        byName.receive(.roomStarted, at: 0)
        byName.receive(.roomStarted, in: .named("-1", sid: "RM_2"), at: 0)
        byName.receive(.roomStarted, in: .named("acme-1", sid: "RM_3"), at: 0)
        #expect(byName.takeTold() == [told(.room_not_found), .tellUnknown(room: "-1", .no_org_id)])
        var byMetadata = RecorderFixture(.test(.metadata))
        byMetadata.receive(.roomStarted, at: 0)
        #expect(byMetadata.takeTold() == [told(.no_organization)])
        var fixed = RecorderFixture()
        fixed.receive(.roomStarted, at: 0)
        #expect(fixed.takeTold().isEmpty)
    }

    private func told(_ reason: LookupError) -> Action { .tellUnknown(room: "office", reason) }
}

extension RecorderFixture {
    fileprivate mutating func takeTold() -> [Action] {
        takeActions().filter { if case .tellUnknown = $0 { true } else { false } }
    }
}
