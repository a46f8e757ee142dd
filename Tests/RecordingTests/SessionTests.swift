import LiveKit
import Matching
import Recording
import Storage
import Testing
import Wire

/// Of a person's sessions in an organization only the newest stays: Specification, *Single-session enforcement*.
@Suite struct SessionTests {
    private let red = Room.named("red", sid: "RM_red")
    private let blue = Room.named("blue", sid: "RM_blue")
    private let green = Room.named("green", sid: "RM_green")
    private static let globex = Organization(id: "globex", name: "Globex", key: .integer(7))
    private static let acme = Organization(id: "acme", name: "Acme", key: .integer(1))

    private func fixture(_ source: OrganizationSource = .fixed(id: "acme", name: "Acme")) -> RecorderFixture {
        var settings = RecorderSettings.test(source)
        settings.isSingleSession = true
        return RecorderFixture(settings)
    }

    /// What is removed by an event that was created at this second.
    private func removal(_ room: String, _ identity: String = "ann", at second: Int64) -> Action {
        .removeParticipant(room: room, identity: identity, until: RecorderFixture.time(second + 60))
    }

    private func withdrawal(_ room: String, _ identity: String = "ann") -> Action {
        .withdrawRemoval(room: room, identity: identity)
    }

    // MARK: Who goes

    @Test func `who joins a second room is removed from the first one, once`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        #expect(fixture.takeRemovals() == [])
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [removal("red", at: 20)])
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.participantJoined(.person("PA_3", "bob", joined: 20)), in: blue, at: 21)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `nobody is removed where the rule is off`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.participantLeft(.person("PA_1", "ann", joined: 9)), in: red, at: 21)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `the newcomer goes itself where it had joined before the other`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10, received: 21)
        #expect(fixture.takeRemovals() == [removal("red", at: 10)])
        // It is not asked for again when the person joins elsewhere.
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [removal("blue", at: 30)])
    }

    @Test func `of two that joined at the same time the one that was heard of first goes`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 9)), in: blue, at: 10)
        #expect(fixture.takeRemovals() == [removal("red", at: 10)])
    }

    @Test func `a join time is that of the payload, else when the event was created`() {
        var fixture = fixture()
        // Without a time in the payload it is 12, which is before 15.
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 15)), in: red, at: 16)
        fixture.receive(.participantJoined(.person("PA_2", "ann")), in: blue, at: 12, received: 17)
        #expect(fixture.takeRemovals() == [removal("blue", at: 12)])
        // Seconds alone count too.
        let seconds = Participant(sid: "PA_3", identity: "ann", joinedAt_s: RecorderFixture.opening_s + 14)
        fixture.receive(.participantJoined(seconds), in: green, at: 18)
        #expect(fixture.takeRemovals() == [removal("green", at: 18)])
    }

    @Test func `of several older ones all go`() {
        var fixture = fixture()
        // Old news removes nobody.
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10, received: 200)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20, received: 200)
        #expect(fixture.takeRemovals() == [])
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 199)), in: green, at: 200)
        #expect(fixture.takeRemovals() == [removal("red", at: 200), removal("blue", at: 200)])
    }

    // MARK: Who stays

    @Test func `a newcomer in the same room is LiveKit's own affair`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: red, at: 20)
        #expect(fixture.takeRemovals() == [])
        // A room that began anew under its name is the same room to LiveKit: it would remove the newcomer.
        let again = Room.named("red", sid: "RM_red2")
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: again, at: 30)
        #expect(fixture.takeRemovals() == [])
        // Both of its lives are left by one removal.
        fixture.receive(.participantJoined(.person("PA_4", "ann", joined: 39)), in: blue, at: 40)
        #expect(fixture.takeRemovals() == [removal("red", at: 40)])
    }

    @Test(arguments: [Participant.Kind.agent, .sip, .ingress, .egress, .other])
    func `others than people may be in many rooms, beside a person too`(kind: Participant.Kind) {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", kind: kind, joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.participantJoined(.person("PA_3", "ann", kind: kind, joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `without an identity nobody is the same as another`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `who has left before is not removed`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantLeft(.person("PA_1", "ann", joined: 9)), in: red, at: 15)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.roomFinished, in: blue, at: 25)
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `a room without a name cannot be named, so nobody is removed from it until it has one`() {
        var fixture = fixture()
        let nameless = Room(sid: "RM_red")
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: nameless, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [])
        fixture.receive(.roomStarted, in: red, at: 21)
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [removal("red", at: 30), removal("blue", at: 30)])
        // One that stays in such a room still replaces the others.
        fixture.receive(.participantJoined(.person("PA_4", "ann", joined: 39)), in: Room(sid: "RM_9"), at: 40)
        #expect(fixture.takeRemovals() == [removal("green", at: 40)])
    }

    @Test func `who is known by tracks alone is not there yet`() {
        var fixture = fixture()
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1", "ann")), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [])
        // Its own join makes it the older one.
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10, received: 21)
        #expect(fixture.takeRemovals() == [removal("red", at: 10)])
    }

    // MARK: Old news

    @Test(arguments: [60, 61])
    func `an event removes nobody when it is received more than 60 s after it was created`(age: Int64) {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(
            .participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20, received: Double(20 + age))
        #expect(fixture.takeRemovals() == (age > 60 ? [] : [removal("red", at: 20)]))
    }

    @Test(arguments: [9, 10])
    func `an event that waited for its organization is as old as it is when it is applied`(wait: Int64) {
        var fixture = fixture(.database)
        fixture.answer("red", .success(Self.acme), at: 0)
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.answer("red", .success(Self.acme), at: 11)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20, received: 71)
        #expect(fixture.takeRemovals() == [])
        // Received after 51 s, applied after 60 or 61.
        fixture.answer("blue", .success(Self.acme), at: 71 + wait)
        #expect(fixture.takeRemovals() == (wait > 9 ? [] : [removal("red", at: 20)]))
    }

    @Test(arguments: [Int64.min, Int64.max / 1_000 - RecorderFixture.opening_s, Int64.max - RecorderFixture.opening_s])
    func `an event that tells no sensible time removes nobody`(second: Int64) {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: second, received: 20)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `who joined at no known time is neither older nor newer`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann")), in: red, at: .min, received: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [])
    }

    // MARK: Organizations

    @Test func `the same identity in another organization is another person`() throws {
        var fixture = fixture(.roomName(try Pattern("^(?<org>[a-z]+)-")))
        let (acme, globex) = (Room.named("acme-1", sid: "RM_1"), Room.named("globex-1", sid: "RM_2"))
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: acme, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: globex, at: 20)
        #expect(fixture.takeRemovals() == [])
        fixture.receive(
            .participantJoined(.person("PA_3", "ann", joined: 29)), in: .named("acme-2", sid: "RM_3"), at: 30)
        #expect(fixture.takeRemovals() == [removal("acme-1", at: 30)])
    }

    @Test func `nobody is removed in the name of an organization that is not known`() throws {
        var fixture = fixture(.roomName(try Pattern("^(?<org>[a-z]+)-")))
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: .named("1", sid: "RM_1"), at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: .named("2", sid: "RM_2"), at: 20)
        // Nor where somebody calls an organization so.
        fixture.receive(
            .participantJoined(.person("PA_3", "ann", joined: 29)), in: .named("unknown-1", sid: "RM_3"), at: 30)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `a room that moves to another organization takes its people along, and nobody is removed by that`() {
        var fixture = fixture(.database)
        for room in [red, blue, green] {
            fixture.receive(.roomStarted, in: room, at: 1)
            fixture.answer(room.name, .success(room == blue ? Self.globex : Self.acme), at: 2)
        }
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.answer("red", .success(Self.globex), at: 21)
        #expect(fixture.takeRemovals() == [])
        // Nobody of acme is left; of globex there are two.
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [])
        fixture.answer("green", .success(Self.globex), at: 31)
        fixture.receive(.roomStarted, in: .named("white", sid: "RM_white"), at: 32)
        fixture.answer("white", .success(Self.globex), at: 33)
        fixture.receive(
            .participantJoined(.person("PA_4", "ann", joined: 39)), in: .named("white", sid: "RM_white"), at: 40)
        #expect(fixture.takeRemovals() == [removal("blue", at: 40), removal("red", at: 40), removal("green", at: 40)])
    }

    @Test func `a room whose organization is found late counts from then on`() {
        var fixture = fixture(.database)
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.answer("red", .failure(.room_not_found), at: 11)
        fixture.receive(.roomStarted, in: blue, at: 12)
        fixture.answer("blue", .success(Self.acme), at: 13)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [])
        fixture.answer("red", .success(Self.acme), at: 21)
        fixture.receive(.roomStarted, in: green, at: 22)
        fixture.answer("green", .success(Self.acme), at: 23)
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [removal("blue", at: 30), removal("red", at: 30)])
    }

    // MARK: What is not wanted any more

    @Test func `a removal is withdrawn when its session has ended`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        fixture.receive(.participantLeft(.person("PA_1", "ann", joined: 9)), in: red, at: 21)
        #expect(fixture.takeRemovals() == [removal("red", at: 20), withdrawal("red")])
        // Who was not to be removed needs no withdrawal.
        fixture.receive(.participantLeft(.person("PA_2", "ann", joined: 19)), in: blue, at: 22)
        #expect(fixture.takeRemovals() == [])
    }

    @Test func `who comes back to the room that it was to be removed from may stay`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        #expect(fixture.takeRemovals() == [removal("red", at: 20)])
        // LiveKit replaces PA_1 by PA_3.
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: red, at: 30)
        #expect(fixture.takeRemovals() == [withdrawal("red"), removal("blue", at: 30)])
        // The same where the room began anew and nothing was heard of the end of the old one.
        let again = Room.named("blue", sid: "RM_blue2")
        fixture.receive(.participantJoined(.person("PA_4", "ann", joined: 39)), in: again, at: 40)
        #expect(fixture.takeRemovals() == [withdrawal("blue"), removal("red", at: 40)])
    }

    @Test func `the end of a room's earlier life does not withdraw what concerns its later one`() {
        var fixture = fixture()
        let again = Room.named("red", sid: "RM_red2")
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: again, at: 20)
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: blue, at: 30)
        fixture.receive(.roomFinished, in: red, at: 31)
        #expect(fixture.takeRemovals() == [removal("red", at: 30)])
        fixture.receive(.roomFinished, in: again, at: 32)
        #expect(fixture.takeRemovals() == [withdrawal("red")])
    }

    @Test func `after a replay what was asked for in it is asked for again when the person joins again`() {
        var fixture = fixture()
        fixture.receive(.participantJoined(.person("PA_1", "ann", joined: 9)), in: red, at: 10)
        fixture.receive(.participantJoined(.person("PA_2", "ann", joined: 19)), in: blue, at: 20)
        _ = fixture.takeActions()
        fixture.rebuildSessions()
        #expect(fixture.takeRemovals() == [])
        fixture.receive(.participantJoined(.person("PA_3", "ann", joined: 29)), in: green, at: 30)
        #expect(fixture.takeRemovals() == [removal("red", at: 30), removal("blue", at: 30)])
    }
}

extension RecorderFixture {
    /// What was to be done about sessions since the last call of this or `takeActions`.
    mutating func takeRemovals() -> [Action] {
        takeActions().filter {
            switch $0 {
            case .removeParticipant, .withdrawRemoval: true
            case .store, .lookUp, .tellUnknown: false
            }
        }
    }
}
