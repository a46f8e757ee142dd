import LiveKit
import Matching
import Recording
import Storage
import Testing

@Suite struct OrganizationTests {
    private static func failures(_ reason: LookupError) -> String {
        "lk_org_lookup_failures_total{reason=\"\(reason.rawValue)\"}"
    }

    private let globex = Organization(id: "globex", name: "Globex", key: .integer(7), recordingLimit_minutes: 1_200)
    private let acme = Organization(id: "acme", name: "Acme", key: .integer(1), recordingLimit_minutes: 0)

    // MARK: fixed

    @Test func `one organization takes everything, what has no room too`() {
        var fixture = RecorderFixture()
        #expect(fixture.names("lk_").isEmpty)
        let web = Egress(id: "EG_1", requestType: .web)
        fixture.receive(.egressStarted(web), in: Room(), at: 1)
        #expect(fixture[#"lk_egress_active{request_type="web"}"#] == 1)
        #expect(fixture[#"lk_org_info{org_id="acme",org_name="Acme"}"#] == 1)
        #expect(fixture["lk_org_recording_limit_minutes"] == nil)
        #expect(fixture.names("lk_org_lookup").isEmpty)
    }

    // MARK: room name

    @Test func `a pattern takes the organization and its name from the room's name`() throws {
        let pattern = try Pattern("^(?<org>[a-z]+)-(?:(?<name>[A-Z][a-z]+)-)?")
        var fixture = RecorderFixture(.test(.roomName(pattern)))
        fixture.receive(.roomStarted, in: .named("acme-Roadrunner-1", sid: "RM_1"), at: 1)
        fixture.receive(.roomStarted, in: .named("globex-2", sid: "RM_2"), at: 1)
        fixture.receive(.roomStarted, in: .named("acme-3", sid: "RM_4"), at: 1)
        fixture.receive(.roomStarted, in: .named("4", sid: "RM_3"), at: 1)
        fixture.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        #expect(fixture["lk_room_active"] == 2)
        #expect(fixture[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(fixture[#"lk_egress_active{org_id="unknown",request_type="room_composite"}"#] == 1)
        #expect(fixture[Self.failures(.room_not_found)] == 1)
        #expect(
            fixture.names("lk_org_info") == [
                #"lk_org_info{org_id="acme",org_name="Roadrunner"}"#,
                #"lk_org_info{org_id="globex",org_name="globex"}"#,
            ])
        #expect(!fixture.takeActions().contains { if case .lookUp = $0 { true } else { false } })
    }

    // MARK: metadata

    @Test func `metadata resolves a room at once, is remembered by name, and moves what is open`() {
        var fixture = RecorderFixture(.test(.metadata))
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .officeByName, at: 1)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        fixture.receive(.participantJoined(.person("PA_1")), in: .officeByName, at: 1)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(fixture[Self.failures(.no_organization)] == 3)
        #expect(fixture.takeRows().isEmpty)
        fixture.receive(.roomStarted, in: .named("office", sid: "RM_1", organization: "acme"), at: 2)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 0)
        #expect(fixture[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture[#"lk_tracks_active{source="unknown",type="audio"}"#] == 1)
        #expect(fixture[#"lk_egress_active{request_type="room_composite"}"#] == 1)
        #expect(fixture["lk_participant_sessions_total"] == nil)
        #expect(fixture[#"lk_participant_sessions_total{org_id="unknown"}"#] == 1)
        #expect(fixture.takeRows().count == 1)
        fixture.receive(.roomFinished, in: .named("office", sid: "RM_1", organization: "acme"), at: 3)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 4)
        #expect(fixture[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
        #expect(fixture[Self.failures(.no_organization)] == 3)
    }

    // MARK: database

    @Test func `the first events of a room wait in order, others pass`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        #expect(fixture.takeActions() == [.lookUp(room: "office")])
        fixture.receive(.participantJoined(.person("PA_1", "1")), at: 1)
        fixture.receive(.participantJoined(.person("PA_1", "1")), at: 1, id: "again")
        fixture.receive(.participantJoined(.person("PA_1", "1")), at: 1, id: "again")
        #expect(fixture["lkpush_waiting_events"] == 3)
        #expect(fixture.names("lk_") == [#"lk_webhook_duplicates_total{event="participant_joined"}"#])
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 2)
        fixture.answer("b", .success(globex), at: 2)
        #expect(fixture[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(fixture[#"lk_org_recording_limit_minutes{org_id="globex"}"#] == 1_200)
        #expect(fixture["lk_room_active"] == nil)
        _ = fixture.takeActions()
        fixture.answer("office", .success(acme), at: 3)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participant_sessions_total"] == 1)
        #expect(fixture["lk_org_recording_limit_minutes"] == 0)
        #expect(fixture["lkpush_waiting_events"] == 0)
        #expect(fixture[#"lk_webhook_events_total{event="participant_joined"}"#] == 2)
        // The lag is that of the delivery, not of the waiting.
        #expect(fixture[#"lk_webhook_delivery_lag_seconds_sum{event="room_started"}"#] == 0)
        guard case .present(let row)? = fixture.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.owner == .key(.integer(1)))
        fixture.receive(.participantLeft(.person("PA_1", "1", joined: 1)), at: 4)
        #expect(!fixture.takeActions().contains(.lookUp(room: "office")))
    }

    @Test func `an organization that does not come in ten seconds is a lookup error, rows wait by room`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.participantJoined(.person("PA_1", "1", joined: 0)), at: 0)
        fixture.pass(to: 9)
        #expect(fixture.names("lk_webhook_events").isEmpty)
        fixture.pass(to: 10)
        #expect(fixture[#"lk_participants_active{org_id="unknown"}"#] == 1)
        #expect(fixture[Self.failures(.lookup_error)] == 1)
        #expect(fixture[#"lkpush_wait_releases_total{reason="time_out"}"#] == 1)
        guard case .present(let row)? = fixture.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.owner == .room(name: "office"))
        // With a failure in the cache nobody waits, and nobody asks.
        fixture.receive(.participantLeft(.person("PA_1", "1", joined: 0)), at: 30)
        #expect(fixture[Self.failures(.lookup_error)] == 2)
        guard
            case .session(let session)? = fixture.takeActions().compactMap({ action -> StoreRow? in
                if case .store(let row) = action { row } else { nil }
            }).first
        else { return #expect(Bool(false)) }
        #expect(session.owner == .room(name: "office"))
    }

    @Test(arguments: LookupError.allCases.filter { $0 != .lookup_error })
    func `other failures write no rows, count once per event and are asked again after 30 s`(reason: LookupError) {
        var fixture = RecorderFixture(.test(.database))
        let told = Action.tellUnknown(room: "office", reason)
        fixture.receive(.participantJoined(.person("PA_1", "1")), at: 0)
        fixture.answer("office", .failure(reason), at: 1)
        #expect(fixture[Self.failures(reason)] == 1)
        fixture.receive(.participantJoined(.person("PA_2", "2")), at: 30)
        #expect(fixture.takeActions() == [.lookUp(room: "office"), told, told])
        fixture.receive(.participantJoined(.person("PA_3", "3")), at: 31)
        #expect(fixture[#"lk_participants_active{org_id="unknown"}"#] == 3)
        #expect(fixture[Self.failures(reason)] == 3)
        #expect(fixture.takeActions() == [.lookUp(room: "office"), told])
        // The next one is not for another 30 s, and nobody waits for it.
        fixture.receive(.participantJoined(.person("PA_4", "4")), at: 60)
        #expect(fixture.takeActions() == [told])
        fixture.answer("office", .success(acme), at: 61)
        #expect(fixture[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(fixture["lk_participants_active"] == 4)
        #expect(fixture[#"lk_participant_sessions_total{org_id="unknown"}"#] == 4)
        #expect(fixture["lk_participant_sessions_total"] == nil)
        #expect(fixture.takeRows().count == 4)
        #expect(fixture[#"lk_org_info{org_id="acme",org_name="Acme"}"#] == 1)
    }

    @Test func `an organization without a public id is none`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        fixture.answer("office", .success(Organization(id: "", name: "x")), at: 1)
        #expect(fixture[Self.failures(.no_org_id)] == 1)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
    }

    @Test func `when too many events wait, the room that waits longest is applied at once`() {
        var fixture = RecorderFixture(.test(.database, waitingEvents: 3))
        fixture.receive(.roomStarted, in: .named("a", sid: "RM_1"), at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1"), at: 0)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1)
        fixture.receive(.roomStarted, in: .named("c", sid: "RM_3"), at: 2)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(fixture["lkpush_waiting_events"] == 2)
        #expect(fixture[Self.failures(.lookup_error)] == 2)
        #expect(fixture[#"lkpush_wait_releases_total{reason="queue_full"}"#] == 1)
        // A late answer is welcome.
        fixture.answer("a", .success(globex), at: 3)
        #expect(fixture[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 0)
    }

    @Test func `at a stop nothing waits any more`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, in: .named("a", sid: "RM_1"), at: 0)
        fixture.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1)
        fixture.stop(at: 2)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 2)
        #expect(fixture["lkpush_waiting_events"] == 0)
        #expect(fixture[#"lkpush_wait_releases_total{reason="stopped"}"#] == 2)
    }

    @Test func `with no room to wait every new room is applied at once`() {
        var fixture = RecorderFixture(.test(.database, waitingEvents: 0))
        fixture.receive(.roomStarted, at: 0)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
    }

    @Test func `a room that fills the queue alone is applied in order`() {
        var fixture = RecorderFixture(.test(.database, waitingEvents: 2))
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), at: 1)
        fixture.receive(.participantLeft(.person("PA_1", joined: 1)), at: 2)
        #expect(fixture[#"lk_participant_sessions_total{org_id="unknown"}"#] == 1)
        #expect(fixture[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(fixture["lkpush_waiting_events"] == 0)
    }

    @Test func `an answer is refreshed in the background, and a rename shows one name at a time`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        fixture.answer("office", .success(acme), at: 0)
        _ = fixture.takeActions()
        fixture.pass(to: 599)
        #expect(fixture.takeActions().isEmpty)
        fixture.pass(to: 600)
        #expect(fixture.takeActions() == [.lookUp(room: "office")])
        fixture.answer("office", .failure(.lookup_error), at: 610)
        fixture.receive(.participantJoined(.person("PA_1")), at: 611)
        #expect(fixture["lk_participants_active"] == 1)
        _ = fixture.takeActions()
        fixture.receive(.participantJoined(.person("PA_2")), at: 1_200)
        #expect(fixture.takeActions().first == .lookUp(room: "office"))
        var renamed = acme
        renamed.name = "Acme Ltd"
        fixture.answer("office", .success(renamed), at: 1_201)
        #expect(fixture.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme Ltd"}"#])
        // The room changes hands: gauges move, counters stay.
        _ = fixture.takeActions()
        fixture.answer("office", .success(globex), at: 1_202)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture[#"lk_participants_active{org_id="globex"}"#] == 2)
        #expect(fixture["lk_participant_sessions_total"] == 2)
        #expect(fixture.takeRows().count == 2)
    }

    @Test func `a closed room is remembered for a day and not asked for meanwhile`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, at: 0)
        fixture.answer("office", .success(acme), at: 0)
        fixture.receive(.roomFinished, at: 10)
        _ = fixture.takeActions()
        for minute in 1..<60 { fixture.pass(to: Int64(minute) * 60) }
        #expect(fixture.takeActions().isEmpty)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 3_600)
        #expect(fixture[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
        for hour in 2...26 { fixture.pass(to: Int64(hour) * 3_600) }
        _ = fixture.takeActions()
        fixture.receive(.egressEnded(.job("EG_2", status: .complete)), in: .officeByName, at: 26 * 3_600)
        #expect(fixture["lkpush_waiting_events"] == 1)
    }

    @Test func `a clock that is put back an hour makes nobody wait for an hour`() {
        var fixture = RecorderFixture(.test(.database))
        let hour: Int64 = 3_600
        fixture.receive(.roomStarted, at: 2 * hour)
        fixture.pass(to: hour)
        fixture.pass(to: hour + 11)
        #expect(fixture["lkpush_waiting_events"] == 0)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 1)
        // Neither does a cached failure, nor a known organization.
        fixture.pass(to: 2 * hour)
        fixture.answer("office", .failure(.room_not_found), at: 2 * hour)
        fixture.pass(to: hour)
        _ = fixture.takeActions()
        fixture.receive(.participantJoined(.person("PA_1")), at: hour + 31)
        #expect(fixture.takeActions().contains(.lookUp(room: "office")))
        fixture.pass(to: 2 * hour)
        fixture.answer("office", .success(acme), at: 2 * hour)
        fixture.pass(to: hour)
        _ = fixture.takeActions()
        fixture.receive(.participantJoined(.person("PA_2")), at: hour + 601)
        #expect(fixture.takeActions().contains(.lookUp(room: "office")))
    }

    @Test func `names that look the same and are other bytes are other rooms`() {
        var fixture = RecorderFixture(.test(.database))
        fixture.receive(.roomStarted, in: .named("caf\u{E9}", sid: "RM_1"), at: 0)
        fixture.receive(.roomStarted, in: .named("cafe\u{301}", sid: "RM_2"), at: 0)
        #expect(fixture.takeActions().count == 2)
        fixture.answer("caf\u{E9}", .success(acme), at: 1)
        fixture.answer("cafe\u{301}", .success(globex), at: 1)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture[#"lk_room_active{org_id="globex"}"#] == 1)
    }

    @Test func `a name that only stands for an unknown one reaches no database`() throws {
        let pattern = try Pattern("^(?<org>[a-z]+)-(?:(?<name>[A-Z][a-z]+)-)?")
        var byName = RecorderFixture(.test(.roomName(pattern)))
        byName.receive(.participantJoined(.person("PA_1")), in: .named("acme-1", sid: "RM_1"), at: 1)
        #expect(Self.owners(byName.takeRows()) == [.organization(id: "acme", name: "")])
        #expect(byName.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="acme"}"#])
        byName.receive(.participantJoined(.person("PA_2")), in: .named("acme-Road-1", sid: "RM_2"), at: 1)
        #expect(Self.owners(byName.takeRows()) == [.organization(id: "acme", name: "Road")])
        // A name that a room told goes on to the database, which had another one.
        byName.report(.licenses([Organization(id: "acme", name: "Acme", key: .integer(1))]), at: 2)
        byName.receive(.participantJoined(.person("PA_3")), in: .named("acme-Road-2", sid: "RM_3"), at: 3)
        #expect(Self.owners(byName.takeRows()) == [.organization(id: "acme", name: "Road")])
        #expect(byName.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Road"}"#])
        var byMetadata = RecorderFixture(.test(.metadata))
        byMetadata.receive(
            .participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1", organization: "acme"), at: 1)
        #expect(Self.owners(byMetadata.takeRows()) == [.organization(id: "acme", name: "")])
        var fixed = RecorderFixture(.test(.fixed(id: "acme", name: "acme")))
        fixed.receive(.participantJoined(.person("PA_1")), at: 1)
        #expect(Self.owners(fixed.takeRows()) == [.organization(id: "acme", name: "")])
    }

    @Test func `an organization that is new to the events has the name and limit of the last licence report`() {
        var fixture = RecorderFixture(.test(.metadata))
        fixture.report(
            .licenses([Organization(id: "acme", name: "Acme", key: .integer(1), recordingLimit_minutes: 9)]), at: 0)
        fixture.receive(.participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1", organization: "acme"), at: 1)
        #expect(fixture.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme"}"#])
        #expect(fixture["lk_org_recording_limit_minutes"] == 9)
        #expect(Self.owners(fixture.takeRows()) == [.key(.integer(1))])
    }

    @Test func `an id that is too long for a label is none`() {
        var fixture = RecorderFixture(.test(.metadata))
        let long = String(repeating: "x", count: 1_024)
        for (number, id) in [long, long + "y", long + "z"].enumerated() {
            let room = Room.named("\(number)", sid: "RM_\(number)", organization: id)
            fixture.receive(.participantJoined(.person("PA_\(number)")), in: room, at: 1)
        }
        #expect(fixture["lk_room_active{org_id=\"\(long)\"}"] == 1)
        #expect(fixture[#"lk_room_active{org_id="unknown"}"#] == 2)
        #expect(fixture[Self.failures(.no_org_id)] == 2)
        #expect(fixture.takeRows().count == 1)
        var other = RecorderFixture(.test(.database))
        other.receive(.roomStarted, at: 0)
        other.answer("office", .success(Organization(id: long + "y", name: "x")), at: 1)
        #expect(other[Self.failures(.no_org_id)] == 1)
    }

    private static func owners(_ rows: [StoreRow]) -> [RowOwner] {
        rows.compactMap { if case .present(let row) = $0 { row.owner } else { nil } }
    }

    @Test func `answers nobody asked for are ignored`() {
        var fixture = RecorderFixture()
        fixture.answer("office", .success(globex), at: 0)
        #expect(fixture.names("lk_").isEmpty)
        var other = RecorderFixture(.test(.database))
        other.answer("office", .success(globex), at: 0)
        #expect(other.names("lk_").isEmpty)
    }

    @Test func `a job without a room name in its end counts where it started`() {
        var fixture = RecorderFixture(.test(.metadata))
        fixture.receive(
            .egressStarted(.job("EG_1")), in: .named("office", sid: "RM_1", organization: "acme"), at: 1)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: Room(), at: 2)
        #expect(fixture[#"lk_egress_active{request_type="room_composite"}"#] == 0)
        #expect(fixture[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
    }
}
