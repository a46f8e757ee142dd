import LiveKit
import Matching
import Recording
import Storage
import Testing

@Suite struct OrganizationTests {
    private static func failures(_ reason: LookupFailure) -> String {
        "lk_org_lookup_failures_total{reason=\"\(reason.rawValue)\"}"
    }

    private let globex = Organization(id: "globex", name: "Globex", key: .integer(7), recordingLimit_minutes: 1_200)
    private let acme = Organization(id: "acme", name: "Acme", key: .integer(1), recordingLimit_minutes: 0)

    // MARK: fixed

    @Test func `one organization takes everything, what has no room too`() {
        var desk = Desk()
        #expect(desk.names("lk_").isEmpty)
        let web = Egress(id: "EG_1", requestType: .web)
        desk.receive(.egressStarted(web), in: Room(), at: 1)
        #expect(desk[#"lk_egress_active{request_type="web"}"#] == 1)
        #expect(desk[#"lk_org_info{org_id="acme",org_name="Acme"}"#] == 1)
        #expect(desk["lk_org_recording_limit_minutes"] == nil)
        #expect(desk.names("lk_org_lookup").isEmpty)
    }

    // MARK: room name

    @Test func `a pattern takes the organization and its name from the room's name`() throws {
        let pattern = try Pattern("^(?<org>[a-z]+)-(?:(?<name>[A-Z][a-z]+)-)?")
        var desk = Desk(.test(.roomName(pattern)))
        desk.receive(.roomStarted, in: .named("acme-Roadrunner-1", sid: "RM_1"), at: 1)
        desk.receive(.roomStarted, in: .named("globex-2", sid: "RM_2"), at: 1)
        desk.receive(.roomStarted, in: .named("acme-3", sid: "RM_4"), at: 1)
        desk.receive(.roomStarted, in: .named("4", sid: "RM_3"), at: 1)
        desk.receive(.egressStarted(.job("EG_1")), in: Room(), at: 1)
        #expect(desk["lk_room_active"] == 2)
        #expect(desk[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(desk[#"lk_egress_active{org_id="unknown",request_type="room_composite"}"#] == 1)
        #expect(desk[Self.failures(.room_not_found)] == 1)
        #expect(
            desk.names("lk_org_info") == [
                #"lk_org_info{org_id="acme",org_name="Roadrunner"}"#,
                #"lk_org_info{org_id="globex",org_name="globex"}"#,
            ])
        #expect(!desk.takeActions().contains { if case .lookUp = $0 { true } else { false } })
    }

    // MARK: metadata

    @Test func `metadata resolves a room at once, is remembered by name, and moves what is open`() {
        var desk = Desk(.test(.metadata))
        desk.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), in: .officeByName, at: 1)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        desk.receive(.participantJoined(.person("PA_1")), in: .officeByName, at: 1)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(desk[Self.failures(.no_organization)] == 3)
        #expect(desk.takeRows().isEmpty)
        desk.receive(.roomStarted, in: .named("office", sid: "RM_1", organization: "acme"), at: 2)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 0)
        #expect(desk[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(desk["lk_room_active"] == 1)
        #expect(desk["lk_participants_active"] == 1)
        #expect(desk[#"lk_tracks_active{source="unknown",type="audio"}"#] == 1)
        #expect(desk[#"lk_egress_active{request_type="room_composite"}"#] == 1)
        #expect(desk["lk_participant_sessions_total"] == nil)
        #expect(desk[#"lk_participant_sessions_total{org_id="unknown"}"#] == 1)
        #expect(desk.takeRows().count == 1)
        desk.receive(.roomFinished, in: .named("office", sid: "RM_1", organization: "acme"), at: 3)
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 4)
        #expect(desk[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
        #expect(desk[Self.failures(.no_organization)] == 3)
    }

    // MARK: database

    @Test func `the first events of a room wait in order, others pass`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        #expect(desk.takeActions() == [.lookUp(room: "office")])
        desk.receive(.participantJoined(.person("PA_1", "1")), at: 1)
        desk.receive(.participantJoined(.person("PA_1", "1")), at: 1, id: "again")
        desk.receive(.participantJoined(.person("PA_1", "1")), at: 1, id: "again")
        #expect(desk["lkpush_waiting_events"] == 3)
        #expect(desk.names("lk_") == [#"lk_webhook_duplicates_total{event="participant_joined"}"#])
        desk.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 2)
        desk.answer("b", .success(globex), at: 2)
        #expect(desk[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(desk[#"lk_org_recording_limit_minutes{org_id="globex"}"#] == 1_200)
        #expect(desk["lk_room_active"] == nil)
        _ = desk.takeActions()
        desk.answer("office", .success(acme), at: 3)
        #expect(desk["lk_room_active"] == 1)
        #expect(desk["lk_participant_sessions_total"] == 1)
        #expect(desk["lk_org_recording_limit_minutes"] == 0)
        #expect(desk["lkpush_waiting_events"] == 0)
        #expect(desk[#"lk_webhook_events_total{event="participant_joined"}"#] == 2)
        // The lag is that of the delivery, not of the waiting.
        #expect(desk[#"lk_webhook_delivery_lag_seconds_sum{event="room_started"}"#] == 0)
        guard case .present(let row)? = desk.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.owner == .key(.integer(1)))
        desk.receive(.participantLeft(.person("PA_1", "1", joined: 1)), at: 4)
        #expect(!desk.takeActions().contains(.lookUp(room: "office")))
    }

    @Test func `an organization that does not come in ten seconds is a lookup error, rows wait by room`() {
        var desk = Desk(.test(.database))
        desk.receive(.participantJoined(.person("PA_1", "1", joined: 0)), at: 0)
        desk.pass(to: 9)
        #expect(desk.names("lk_webhook_events").isEmpty)
        desk.pass(to: 10)
        #expect(desk[#"lk_participants_active{org_id="unknown"}"#] == 1)
        #expect(desk[Self.failures(.lookup_error)] == 1)
        #expect(desk[#"lkpush_wait_releases_total{reason="time_out"}"#] == 1)
        guard case .present(let row)? = desk.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.owner == .room(name: "office"))
        // With a failure in the cache nobody waits, and nobody asks.
        desk.receive(.participantLeft(.person("PA_1", "1", joined: 0)), at: 30)
        #expect(desk[Self.failures(.lookup_error)] == 2)
        guard
            case .session(let session)? = desk.takeActions().compactMap({ action -> StoreRow? in
                if case .store(let row) = action { row } else { nil }
            }).first
        else { return #expect(Bool(false)) }
        #expect(session.owner == .room(name: "office"))
    }

    @Test(arguments: LookupFailure.allCases.filter { $0 != .lookup_error })
    func `other failures write no rows, count once per event and are asked again after 30 s`(reason: LookupFailure) {
        var desk = Desk(.test(.database))
        let told = Action.tellUnknown(room: "office", reason)
        desk.receive(.participantJoined(.person("PA_1", "1")), at: 0)
        desk.answer("office", .failure(reason), at: 1)
        #expect(desk[Self.failures(reason)] == 1)
        desk.receive(.participantJoined(.person("PA_2", "2")), at: 30)
        #expect(desk.takeActions() == [.lookUp(room: "office"), told, told])
        desk.receive(.participantJoined(.person("PA_3", "3")), at: 31)
        #expect(desk[#"lk_participants_active{org_id="unknown"}"#] == 3)
        #expect(desk[Self.failures(reason)] == 3)
        #expect(desk.takeActions() == [.lookUp(room: "office"), told])
        // The next one is not for another 30 s, and nobody waits for it.
        desk.receive(.participantJoined(.person("PA_4", "4")), at: 60)
        #expect(desk.takeActions() == [told])
        desk.answer("office", .success(acme), at: 61)
        #expect(desk[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(desk["lk_participants_active"] == 4)
        #expect(desk[#"lk_participant_sessions_total{org_id="unknown"}"#] == 4)
        #expect(desk["lk_participant_sessions_total"] == nil)
        #expect(desk.takeRows().count == 4)
        #expect(desk[#"lk_org_info{org_id="acme",org_name="Acme"}"#] == 1)
    }

    @Test func `an organization without a public id is none`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        desk.answer("office", .success(Organization(id: "", name: "x")), at: 1)
        #expect(desk[Self.failures(.no_org_id)] == 1)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
    }

    @Test func `when too many events wait, the room that waits longest is applied at once`() {
        var desk = Desk(.test(.database, waitingEvents: 3))
        desk.receive(.roomStarted, in: .named("a", sid: "RM_1"), at: 0)
        desk.receive(.participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1"), at: 0)
        desk.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1)
        desk.receive(.roomStarted, in: .named("c", sid: "RM_3"), at: 2)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
        #expect(desk["lkpush_waiting_events"] == 2)
        #expect(desk[Self.failures(.lookup_error)] == 2)
        #expect(desk[#"lkpush_wait_releases_total{reason="queue_full"}"#] == 1)
        // A late answer is welcome.
        desk.answer("a", .success(globex), at: 3)
        #expect(desk[#"lk_room_active{org_id="globex"}"#] == 1)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 0)
    }

    @Test func `at a stop nothing waits any more`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, in: .named("a", sid: "RM_1"), at: 0)
        desk.receive(.roomStarted, in: .named("b", sid: "RM_2"), at: 1)
        desk.stop(at: 2)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 2)
        #expect(desk["lkpush_waiting_events"] == 0)
        #expect(desk[#"lkpush_wait_releases_total{reason="stopped"}"#] == 2)
    }

    @Test func `with no room to wait every new room is applied at once`() {
        var desk = Desk(.test(.database, waitingEvents: 0))
        desk.receive(.roomStarted, at: 0)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
    }

    @Test func `a room that fills the queue alone is applied in order`() {
        var desk = Desk(.test(.database, waitingEvents: 2))
        desk.receive(.roomStarted, at: 0)
        desk.receive(.participantJoined(.person("PA_1")), at: 1)
        desk.receive(.participantLeft(.person("PA_1", joined: 1)), at: 2)
        #expect(desk[#"lk_participant_sessions_total{org_id="unknown"}"#] == 1)
        #expect(desk[#"lk_participants_active{org_id="unknown"}"#] == 0)
        #expect(desk["lkpush_waiting_events"] == 0)
    }

    @Test func `an answer is refreshed in the background, and a rename shows one name at a time`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        desk.answer("office", .success(acme), at: 0)
        _ = desk.takeActions()
        desk.pass(to: 599)
        #expect(desk.takeActions().isEmpty)
        desk.pass(to: 600)
        #expect(desk.takeActions() == [.lookUp(room: "office")])
        desk.answer("office", .failure(.lookup_error), at: 610)
        desk.receive(.participantJoined(.person("PA_1")), at: 611)
        #expect(desk["lk_participants_active"] == 1)
        _ = desk.takeActions()
        desk.receive(.participantJoined(.person("PA_2")), at: 1_200)
        #expect(desk.takeActions().first == .lookUp(room: "office"))
        var renamed = acme
        renamed.name = "Acme Ltd"
        desk.answer("office", .success(renamed), at: 1_201)
        #expect(desk.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme Ltd"}"#])
        // The room changes hands: gauges move, counters stay.
        _ = desk.takeActions()
        desk.answer("office", .success(globex), at: 1_202)
        #expect(desk["lk_participants_active"] == 0)
        #expect(desk[#"lk_participants_active{org_id="globex"}"#] == 2)
        #expect(desk["lk_participant_sessions_total"] == 2)
        #expect(desk.takeRows().count == 2)
    }

    @Test func `a closed room is remembered for a day and not asked for meanwhile`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, at: 0)
        desk.answer("office", .success(acme), at: 0)
        desk.receive(.roomFinished, at: 10)
        _ = desk.takeActions()
        for minute in 1..<60 { desk.pass(to: Int64(minute) * 60) }
        #expect(desk.takeActions().isEmpty)
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 3_600)
        #expect(desk[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
        for hour in 2...26 { desk.pass(to: Int64(hour) * 3_600) }
        _ = desk.takeActions()
        desk.receive(.egressEnded(.job("EG_2", status: .complete)), in: .officeByName, at: 26 * 3_600)
        #expect(desk["lkpush_waiting_events"] == 1)
    }

    @Test func `a clock that is put back an hour makes nobody wait for an hour`() {
        var desk = Desk(.test(.database))
        let hour: Int64 = 3_600
        desk.receive(.roomStarted, at: 2 * hour)
        desk.pass(to: hour)
        desk.pass(to: hour + 11)
        #expect(desk["lkpush_waiting_events"] == 0)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 1)
        // Neither does a cached failure, nor a known organization.
        desk.pass(to: 2 * hour)
        desk.answer("office", .failure(.room_not_found), at: 2 * hour)
        desk.pass(to: hour)
        _ = desk.takeActions()
        desk.receive(.participantJoined(.person("PA_1")), at: hour + 31)
        #expect(desk.takeActions().contains(.lookUp(room: "office")))
        desk.pass(to: 2 * hour)
        desk.answer("office", .success(acme), at: 2 * hour)
        desk.pass(to: hour)
        _ = desk.takeActions()
        desk.receive(.participantJoined(.person("PA_2")), at: hour + 601)
        #expect(desk.takeActions().contains(.lookUp(room: "office")))
    }

    @Test func `names that look the same and are other bytes are other rooms`() {
        var desk = Desk(.test(.database))
        desk.receive(.roomStarted, in: .named("caf\u{E9}", sid: "RM_1"), at: 0)
        desk.receive(.roomStarted, in: .named("cafe\u{301}", sid: "RM_2"), at: 0)
        #expect(desk.takeActions().count == 2)
        desk.answer("caf\u{E9}", .success(acme), at: 1)
        desk.answer("cafe\u{301}", .success(globex), at: 1)
        #expect(desk["lk_room_active"] == 1)
        #expect(desk[#"lk_room_active{org_id="globex"}"#] == 1)
    }

    @Test func `a name that only stands for an unknown one reaches no database`() throws {
        let pattern = try Pattern("^(?<org>[a-z]+)-(?:(?<name>[A-Z][a-z]+)-)?")
        var byName = Desk(.test(.roomName(pattern)))
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
        var byMetadata = Desk(.test(.metadata))
        byMetadata.receive(
            .participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1", organization: "acme"), at: 1)
        #expect(Self.owners(byMetadata.takeRows()) == [.organization(id: "acme", name: "")])
        var fixed = Desk(.test(.fixed(id: "acme", name: "acme")))
        fixed.receive(.participantJoined(.person("PA_1")), at: 1)
        #expect(Self.owners(fixed.takeRows()) == [.organization(id: "acme", name: "")])
    }

    @Test func `an organization that is new to the events has the name and limit of the last licence report`() {
        var desk = Desk(.test(.metadata))
        desk.report(
            .licenses([Organization(id: "acme", name: "Acme", key: .integer(1), recordingLimit_minutes: 9)]), at: 0)
        desk.receive(.participantJoined(.person("PA_1")), in: .named("a", sid: "RM_1", organization: "acme"), at: 1)
        #expect(desk.names("lk_org_info") == [#"lk_org_info{org_id="acme",org_name="Acme"}"#])
        #expect(desk["lk_org_recording_limit_minutes"] == 9)
        #expect(Self.owners(desk.takeRows()) == [.key(.integer(1))])
    }

    @Test func `an id that is too long for a label is none`() {
        var desk = Desk(.test(.metadata))
        let long = String(repeating: "x", count: 1_024)
        for (number, id) in [long, long + "y", long + "z"].enumerated() {
            let room = Room.named("\(number)", sid: "RM_\(number)", organization: id)
            desk.receive(.participantJoined(.person("PA_\(number)")), in: room, at: 1)
        }
        #expect(desk["lk_room_active{org_id=\"\(long)\"}"] == 1)
        #expect(desk[#"lk_room_active{org_id="unknown"}"#] == 2)
        #expect(desk[Self.failures(.no_org_id)] == 2)
        #expect(desk.takeRows().count == 1)
        var other = Desk(.test(.database))
        other.receive(.roomStarted, at: 0)
        other.answer("office", .success(Organization(id: long + "y", name: "x")), at: 1)
        #expect(other[Self.failures(.no_org_id)] == 1)
    }

    private static func owners(_ rows: [StoreRow]) -> [RowOwner] {
        rows.compactMap { if case .present(let row) = $0 { row.owner } else { nil } }
    }

    @Test func `answers nobody asked for are ignored`() {
        var desk = Desk()
        desk.answer("office", .success(globex), at: 0)
        #expect(desk.names("lk_").isEmpty)
        var other = Desk(.test(.database))
        other.answer("office", .success(globex), at: 0)
        #expect(other.names("lk_").isEmpty)
    }

    @Test func `a job without a room name in its end counts where it started`() {
        var desk = Desk(.test(.metadata))
        desk.receive(
            .egressStarted(.job("EG_1")), in: .named("office", sid: "RM_1", organization: "acme"), at: 1)
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: Room(), at: 2)
        #expect(desk[#"lk_egress_active{request_type="room_composite"}"#] == 0)
        #expect(desk[#"lk_egress_ended_total{request_type="room_composite",result="success"}"#] == 1)
    }
}
