import LiveKit
import Recording
import Storage
import Testing

/// What the recorder's tables hold, for people.
@Suite struct TableTests {
    private func entries(_ fixture: RecorderFixture) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: fixture.recorder.tables.map { ($0.name, $0.entries) })
    }

    @Test func `tables count what is open and what is remembered`() throws {
        var fixture = RecorderFixture()
        let anna = Participant.person("PA_1", "anna")
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(anna), at: 1)
        fixture.receive(.egressStarted(.job("EG_1")), at: 2)
        let open = entries(fixture)
        #expect(open["rooms"] == 1 && open["participants"] == 1 && open["egresses"] == 1 && open["room_names"] == 1)
        #expect(open["event_ids"] == 3 && open["ended_participants"] == 0)
        fixture.receive(.participantLeft(anna), at: 3)
        fixture.receive(.roomFinished, at: 4)
        let ended = entries(fixture)
        #expect(ended["rooms"] == 0 && ended["participants"] == 0)
        #expect(ended["event_ids"] == 5 && ended["ended_participants"] == 1 && ended["ended_rooms"] == 1)
        let ids = try #require(fixture.recorder.tables.first { $0.name == "event_ids" })
        #expect(ids.max == 1_000_000)
        #expect(try #require(ids.size_bytes) >= 5 * 24)
    }

    @Test func `a room has an organization from its answer on`() {
        var fixture = RecorderFixture(.test(.database))
        #expect(!fixture.recorder.knowsOrganization(ofRoom: "office"))
        fixture.receive(.roomStarted, at: 0)
        #expect(entries(fixture)["waiting_events"] == 1)
        #expect(!fixture.recorder.knowsOrganization(ofRoom: "office"))
        fixture.answer("office", .failure(.room_not_found), at: 1)
        #expect(!fixture.recorder.knowsOrganization(ofRoom: "office"))
        fixture.answer("office", .success(Organization(id: "acme", name: "Acme")), at: 2)
        #expect(fixture.recorder.knowsOrganization(ofRoom: "office"))
        #expect(entries(fixture)["waiting_events"] == 0)
    }
}
