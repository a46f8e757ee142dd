import LiveKit
import Recording
import Storage
import Testing
import Wire

@Suite struct ParticipantTests {
    @Test func `a session is counted, observed, present and stored`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1", "42", joined: 9)), at: 10)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        let owner = RowOwner.organization(id: "acme", name: "Acme")
        #expect(
            fixture.takeRows() == [
                .present(
                    PresenceRow(
                        owner: owner, participantSID: "PA_1", roomSID: "RM_1", roomName: "office", userID: 42,
                        identity: "42", joinedAt: RecorderFixture.time(9)))
            ])
        fixture.receive(.participantLeft(.person("PA_1", "42", joined: 9)), at: 109)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 100)
        #expect(
            fixture.takeRows() == [
                .session(
                    SessionRow(
                        owner: owner, userID: 42, day: CivilDate(RecorderFixture.time(109)), duration_seconds: 100)),
                .absent(participantSID: "PA_1"),
            ])
    }

    @Test func `after a loss, a session that was open is stored only where the participant itself ends it`() {
        var fixture = RecorderFixture()
        for (sid, identity) in [("PA_1", "41"), ("PA_2", "42")] {
            fixture.receive(.participantJoined(.person(sid, identity, joined: 9)), at: 10)
        }
        fixture.doubtEnds()
        fixture.receive(.participantJoined(.person("PA_3", "43", joined: 19)), at: 20)
        _ = fixture.takeRows()
        fixture.receive(.participantLeft(.person("PA_1", "41")), at: 109)
        // The end of the others is that of the room, which may be the second end of the one that was open.
        fixture.receive(.roomFinished, at: 120)
        let users = fixture.takeRows().compactMap { if case .session(let row) = $0 { row.userID } else { nil } }
        #expect(users == [41, 43])
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 2)
    }

    @Test func `joining and leaving count once each`() {
        var fixture = RecorderFixture()
        for _ in 0..<3 { fixture.receive(.participantJoined(.person("PA_1")), at: 10) }
        for _ in 0..<3 { fixture.receive(.participantLeft(.person("PA_1", joined: 10)), at: 20) }
        fixture.receive(.participantJoined(.person("PA_1")), at: 10, received: 21)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
        #expect(fixture["lk_participants_active"] == 0)
    }

    @Test func `the join time is joinedAtMs, joinedAt, that of the join event, or its createdAt`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1")), at: 10)
        fixture.receive(.participantLeft(.person("PA_1")), at: 20)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 10)
        fixture.receive(.participantJoined(.person("PA_2", joined: 15)), at: 20)
        fixture.receive(.participantLeft(.person("PA_2")), at: 40)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 35)
        let seconds = Participant(sid: "PA_3", identity: "3", joinedAt_s: RecorderFixture.opening_s + 30)
        fixture.receive(.participantLeft(seconds), at: 40)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 45)
    }

    @Test func `one that was never seen leaves with what its payload says`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1", "a")), in: .officeByName, at: 5)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 1)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
        fixture.receive(.participantLeft(.person("PA_1", "a", joined: 0)), at: 60)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 60)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
        // It may be in the database from before.
        #expect(fixture.takeRows().contains(.absent(participantSID: "PA_1")))
        fixture.receive(.participantLeft(.person("PA_2", "b")), at: 60)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
    }

    @Test func `a leave that overtakes its join is observed, and the join is counted and opens nothing`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantLeft(.person("PA_1", "7", joined: 10)), at: 30)
        _ = fixture.takeActions()
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 10)), at: 10, received: 31)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
        #expect(fixture.takeRows().isEmpty)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1", "7")), in: .officeByName, at: 11)
        #expect(fixture[#"lk_tracks_published_total{source="unknown",type="audio"}"#] == 1)
        #expect((fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] ?? 0) == 0)
    }

    @Test(arguments: Participant.Kind.allCases.filter { $0 != .standard })
    func `other kinds are kept and not counted, their tracks are`(kind: Participant.Kind) {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", kind: kind)), at: 10)
        fixture.receive(.trackPublished(Track(sid: "TR_1", source: .camera, type: .video), by: .person("PA_1")), at: 11)
        #expect(fixture[#"lk_tracks_active{source="camera",type="video"}"#] == 1)
        fixture.receive(.participantLeft(.person("PA_1", kind: kind, joined: 10)), at: 20)
        #expect(fixture[#"lk_tracks_active{source="camera",type="video"}"#] == 0)
        #expect(fixture.names("lk_participant").isEmpty)
        #expect(fixture.takeRows().isEmpty)
    }

    @Test func `an aborted connection drops an open participant unobserved`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantConnectionAborted(.person("PA_0")), at: 5)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
        fixture.receive(.participantJoined(.person("PA_1")), at: 10)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), at: 11)
        _ = fixture.takeActions()
        fixture.receive(.participantConnectionAborted(.person("PA_1")), at: 20)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        #expect(fixture.takeRows() == [.absent(participantSID: "PA_1")])
    }

    @Test func `the same identity in the same room replaces, unobserved, and the old leave still counts`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 10)), at: 10)
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1", "7")), at: 11)
        fixture.receive(.participantJoined(.person("PA_2", "7", joined: 50)), at: 50)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_participant_sessions_total"] == 2)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 0)
        fixture.receive(.participantLeft(.person("PA_1", "7", joined: 10)), at: 51)
        fixture.receive(.participantLeft(.person("PA_1", "7", joined: 10)), at: 52)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 41)
        #expect(fixture["lk_participants_active"] == 1)
    }

    @Test func `where the joins of one identity arrive the wrong way round, the earlier one is the old one`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_2", "7", joined: 50)), at: 50)
        _ = fixture.takeActions()
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 10)), at: 10, received: 51)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_participant_sessions_total"] == 2)
        #expect(fixture.takeRows().isEmpty)
        fixture.receive(.participantLeft(.person("PA_2", "7", joined: 50)), at: 60)
        #expect(fixture["lk_participants_active"] == 0)
    }

    @Test func `the same identity in another room, and no identity at all, replace nobody`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", "7")), at: 1)
        fixture.receive(.participantJoined(.person("PA_2", "7")), in: .named("b", sid: "RM_2"), at: 2)
        fixture.receive(.participantJoined(.person("PA_3", "")), at: 3)
        fixture.receive(.participantJoined(.person("PA_4", "")), at: 4)
        #expect(fixture["lk_participants_active"] == 4)
        fixture.receive(.participantLeft(.person("PA_3", "", joined: 3)), at: 13)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
        // An empty identity is nobody's activity.
        #expect(!fixture.takeRows().contains { if case .session = $0 { true } else { false } })
    }

    @Test func `identities that look the same and are other bytes are other people`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", "Jos\u{E9}")), at: 1)
        fixture.receive(.participantJoined(.person("PA_2", "Jose\u{301}")), at: 2)
        #expect(fixture["lk_participants_active"] == 2)
        fixture.receive(.participantLeft(.person("PA_1", "Jos\u{E9}", joined: 1)), at: 3)
        #expect(fixture["lk_participants_active"] == 1)
    }

    @Test func `one that joins in an ended room while it is known from another joins once`() {
        var fixture = RecorderFixture()
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .named("a", sid: "RM_1"), at: 1)
        fixture.receive(.roomFinished, in: .named("b", sid: "RM_2"), at: 2)
        for second in Int64(3)...4 {
            let room = Room.named("b", sid: "RM_2")
            fixture.receive(.participantJoined(.person("PA_1")), in: room, at: 1, received: Double(second))
        }
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect((fixture["lk_participants_active"] ?? 0) == 0)
    }

    @Test func `an identity is one whatever the kind`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantJoined(.person("PA_1", "7", kind: .sip, joined: 1)), at: 1)
        fixture.receive(.participantJoined(.person("PA_2", "7", joined: 2)), at: 2)
        fixture.receive(.participantJoined(.person("PA_3", "7", kind: .agent, joined: 3)), at: 3)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect(fixture[#"lkpush_entities_corrected_total{rule="identity_replaced"}"#] == 2)
        fixture.receive(.participantLeft(.person("PA_2", "7", joined: 2)), at: 12)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 10)
    }

    @Test func `a session that cannot be is neither observed nor stored`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantLeft(.person("PA_1", joined: 100)), at: 97)
        fixture.receive(.participantLeft(.person("PA_2", joined: -8 * 86_400)), at: 97)
        #expect(fixture[#"lkpush_implausible_durations_total{event="participant_left"}"#] == 2)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
        #expect(!fixture.takeRows().contains { if case .session = $0 { true } else { false } })
        // A clock cut to whole seconds may seem to run backwards a little.
        fixture.receive(.participantLeft(.person("PA_3", joined: 100)), at: 98)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 0)
    }

    @Test func `the day of a session is that of its end`() {
        var fixture = RecorderFixture()
        fixture.receive(.participantLeft(.person("PA_1", "5", joined: 86_000)), at: 86_500)
        guard case .session(let row)? = fixture.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.day.description == "2026-09-29")
        #expect(row.duration_seconds == 500)
    }
}
