import LiveKit
import Recording
import Storage
import Testing
import Wire

/// The fall-back where there is no state: who was connected when the database was last written.
@Suite struct PresenceTests {
    private func row(
        _ sid: String, _ identity: String = "7", room: String = "RM_1", name: String = "office",
        joined second: Int64 = 0
    ) -> OpenPresence {
        OpenPresence(
            participantSID: sid, roomSID: room, roomName: name,
            organization: Organization(id: "acme", name: "Acme", key: .integer(3)), userID: 7, identity: identity,
            joinedAt: RecorderFixture.time(second))
    }

    private func adopt(_ rows: [OpenPresence], at second: Int64, _ fixture: inout RecorderFixture) {
        fixture.apply(.presence(rows, at: RecorderFixture.time(second)))
    }

    @Test func `who was connected is open again, counted in no total`() {
        var fixture = RecorderFixture(.test(.database))
        adopt([row("PA_2", "8", joined: 5), row("PA_1"), row("PA_3", room: "")], at: 100, &fixture)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 2)
        #expect(fixture["lk_rooms_started_total"] == nil)
        #expect(fixture["lk_participant_sessions_total"] == nil)
        #expect(fixture.names("lk_org_info") == ["lk_org_info{org_id=\"acme\",org_name=\"Acme\"}"])
        #expect(fixture.takeActions() == [])
    }

    @Test func `a repeated join is not counted again, and leaving observes the lifetime and writes the session`() {
        var fixture = RecorderFixture(.test(.database))
        adopt([row("PA_1", joined: 10)], at: 100, &fixture)
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 10)), at: 101)
        #expect(fixture["lk_participant_sessions_total"] == nil)
        fixture.receive(.participantLeft(.person("PA_1", "7")), at: 130)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 120)
        #expect(fixture["lk_participants_active"] == 0)
        let rows = fixture.takeRows()
        #expect(rows.contains(.absent(participantSID: "PA_1")))
        #expect(
            rows.contains(
                .session(
                    SessionRow(
                        owner: .key(.integer(3)), userID: 7, day: CivilDate(RecorderFixture.time(130)),
                        duration_seconds: 120))))
    }

    @Test func `who is open or has left is not adopted`() {
        var fixture = RecorderFixture(.test(.fixed(id: "acme", name: "Acme")))
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 1)), at: 1)
        fixture.receive(.participantJoined(.person("PA_2", "8", joined: 1)), at: 1)
        fixture.receive(.participantLeft(.person("PA_2", "8")), at: 2)
        adopt([row("PA_1"), row("PA_2", "8")], at: 3, &fixture)
        #expect(fixture["lk_participants_active"] == 1)
        fixture.receive(.roomFinished, at: 4)
        adopt([row("PA_9", "9")], at: 5, &fixture)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_room_active"] == 0)
    }

    @Test func `of two with one identity in a room the later one stays`() {
        var fixture = RecorderFixture(.test(.database))
        adopt([row("PA_2", joined: 9), row("PA_1", joined: 2)], at: 100, &fixture)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture.takeRows() == [.absent(participantSID: "PA_1")])
    }

    @Test func `an event of a newer SID closes the ghost of its name`() {
        var fixture = RecorderFixture(.test(.database))
        adopt([row("PA_1"), row("PA_2", "8", room: "RM_2", joined: 50)], at: 100, &fixture)
        #expect(fixture["lk_room_active"] == 2)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_2"), at: 101)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 1)
    }

    @Test func `ghosts without an event are dropped after the longest silence, from now on`() {
        var fixture = RecorderFixture(.test(.database))
        let now: Int64 = 10 * 86_400
        adopt([row("PA_1")], at: now, &fixture)
        fixture.pass(to: now + 47 * 3_600)
        #expect(fixture["lk_participants_active"] == 1)
        fixture.pass(to: now + 49 * 3_600)
        // Its series have ended too: the organization is idle.
        #expect(fixture["lk_participants_active"] == nil)
        #expect(fixture.takeRows() == [.absent(participantSID: "PA_1")])
    }

    @Test func `one known by its tracks joins`() {
        var fixture = RecorderFixture(.test(.fixed(id: "acme", name: "Acme")))
        fixture.receive(
            .trackPublished(Track(sid: "TR_1"), by: .person("PA_1", "7")), in: .officeByName, at: 1)
        #expect(fixture["lk_participants_active"] == nil)
        adopt([row("PA_1")], at: 3, &fixture)
        #expect(fixture["lk_participants_active"] == 1)
    }
}
