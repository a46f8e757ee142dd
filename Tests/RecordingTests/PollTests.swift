import LiveKit
import Recording
import Storage
import Testing
import Wire

/// The results of polls of LiveKit's API, as inputs of the recorder.
@Suite struct PollTests {
    private var fixture = RecorderFixture()

    private mutating func poll(at second: Int64, _ change: (inout PollResult) -> Void = { _ in }) {
        fixture.poll(at: second, change)
    }

    private func corrections(_ entity: String, _ action: String) -> Double? {
        fixture["lkpush_reconcile_corrections_total{entity=\"\(entity)\",action=\"\(action)\"}"]
    }

    // MARK: What was missed

    @Test mutating func `what is adopted is open, its start is counted when its event comes late, and once`() {
        let track = Track(sid: "TR_1", source: .camera, type: .video)
        poll(at: 100) {
            $0.corrections = [
                .adoptRoom(.office), .adoptParticipant(.person("PA_1", joined: 10), room: "RM_1"),
                .adoptTrack(track, participant: "PA_1"),
            ]
        }
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_tracks_active{source=\"camera\",type=\"video\"}"] == 1)
        let totals = ["lk_rooms_started_total", "lk_participant_sessions_total"]
        for total in totals { #expect(fixture[total] == nil) }
        #expect(fixture.names("lk_tracks_published_total").isEmpty)
        #expect(corrections("room", "adopted") == 1)
        #expect(corrections("participant", "adopted") == 1)
        #expect(corrections("track", "adopted") == 1)
        for second: Int64 in [101, 102] {
            fixture.receive(.roomStarted, at: 0, received: Double(second))
            fixture.receive(.participantJoined(.person("PA_1", joined: 10)), at: 10, received: Double(second))
            fixture.receive(.trackPublished(track, by: .person("PA_1")), at: 11, received: Double(second))
        }
        for total in totals { #expect(fixture[total] == 1) }
        #expect(fixture["lk_tracks_published_total{source=\"camera\",type=\"video\"}"] == 1)
        #expect(fixture["lk_participants_active"] == 1)
        fixture.receive(.participantLeft(.person("PA_1", joined: 10)), at: 130)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 120)
    }

    @Test mutating func `what is open or remembered as ended is not adopted`() {
        let person = Participant.person("PA_1", joined: 1)
        let track = Track(sid: "TR_1", source: .camera, type: .video)
        fixture.receive(.participantJoined(person), at: 1)
        fixture.receive(.trackPublished(track, by: person), at: 2)
        let all: [PollResult.Correction] = [
            .adoptRoom(.office), .adoptParticipant(person, room: "RM_1"), .adoptTrack(track, participant: "PA_1"),
        ]
        poll(at: 100) { $0.corrections = all }
        #expect(fixture["lk_participants_active"] == 1)
        fixture.receive(.trackUnpublished(track, by: person), at: 101)
        fixture.receive(.participantLeft(person), at: 102)
        poll(at: 200) { $0.corrections = all }
        #expect(fixture["lk_participants_active"] == 0)
        fixture.receive(.roomFinished, at: 201)
        poll(at: 300) { $0.corrections = [all[1], all[2]] }
        #expect(fixture["lk_room_active"] == 0)
        #expect(fixture.names("lkpush_reconcile_corrections_total").isEmpty)
    }

    @Test mutating func `a recording that ended unseen is counted and written as by its webhook, and once`() {
        let job = Egress.job("EG_1", status: .complete, started: 5, ended: 65, media_s: 50)
        var told = RecorderFixture()
        for second: Int64 in [66, 67] { told.receive(.egressEnded(job), in: .officeByName, at: second) }
        poll(at: 130) { $0.corrections = [.endEgress(job, .officeByName)] }
        #expect(fixture.takeRows() == told.takeRows())
        #expect(corrections("egress", "ended") == 1)
        #expect(fixture.names("lk_webhook_events_total").isEmpty)
        fixture.receive(.egressEnded(job), in: .officeByName, at: 66, received: 131)
        poll(at: 190) { $0.corrections = [.endEgress(job, .officeByName)] }
        #expect(fixture.takeRows() == [])
        for name in fixture.names("lk_egress") { #expect(fixture[name] == told[name], "\(name)") }
        #expect(fixture.names("lk_egress") == told.names("lk_egress"))
        #expect(corrections("egress", "ended") == 1)
    }

    @Test mutating func `a recovered recording waits for its organization, over a restart, and is no webhook`() throws {
        let job = Egress.job("EG_1", status: .complete, started: 5, ended: 65, media_s: 50)
        let setup = RestorableFixture.Setup(settings: .test(.database))
        var first = RestorableFixture(setup)
        first.apply(
            .poll(.asked(at: 130) { $0.corrections = [.endEgress(job, .officeByName)] }, at: RecorderFixture.time(130)))
        #expect(first.actions == [.lookUp(room: "office")])
        var second = try RestorableFixture(first.save(), first.segments, setup)
        let acme = Organization(id: "acme", name: "Acme", key: .integer(3))
        second.apply(.answer(room: "office", .success(acme), at: RecorderFixture.time(131)))
        let rows = second.actions.compactMap { if case .store(.recording(let row)) = $0 { row } else { nil } }
        #expect(rows.map(\.egressID) == ["EG_1"])
        #expect(!second.page.contains { $0.hasPrefix("lk_webhook_events_total") })
    }

    @Test mutating func `a running job is adopted, and one that LiveKit lost is closed without an end`() {
        poll(at: 100) {
            $0.corrections = [
                .adoptEgress(.job("EG_1", started: 5), .officeByName),
                .adoptIngress(.stream("IS_1", started: 6), Room(name: "office")),
            ]
        }
        #expect(fixture["lk_egress_active{request_type=\"room_composite\"}"] == 1)
        #expect(fixture["lk_ingress_active{input_type=\"whip\"}"] == 1)
        poll(at: 220) { $0.corrections = [.dropEgress(id: "EG_1"), .dropIngress(key: "IS_1")] }
        #expect(fixture["lk_egress_active{request_type=\"room_composite\"}"] == 0)
        #expect(fixture["lk_ingress_active{input_type=\"whip\"}"] == 0)
        #expect(fixture.names("lk_egress_ended_total").isEmpty)
        fixture.receive(
            .egressEnded(.job("EG_1", status: .complete, started: 5, ended: 60)), in: .officeByName, at: 230)
        #expect(fixture["lk_egress_ended_total{request_type=\"room_composite\",result=\"success\"}"] == 1)
    }

    // MARK: What ends unseen

    /// Somebody who joined at 10 and is seen by the polls at 100 and 160.
    private mutating func seen() {
        fixture.receive(.participantJoined(.person("PA_1", "7", joined: 10)), at: 10)
        poll(at: 100)
        poll(at: 160)
        _ = fixture.takeRows()
    }

    private func session(_ seconds: Double) -> StoreRow {
        .session(
            SessionRow(
                owner: .organization(id: "acme", name: "Acme"), userID: 7, day: CivilDate(RecorderFixture.time(0)),
                duration_seconds: seconds))
    }

    @Test mutating func `a session ends with the last poll that counted it, and a late end changes nothing`() {
        seen()
        poll(at: 220) { $0.differingRooms = ["RM_1"] }
        poll(at: 280) {
            $0.differingRooms = ["RM_1"]
            $0.settledRooms = ["RM_1"]
            $0.corrections = [.endParticipant(sid: "PA_1", at: nil)]
        }
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 150)
        #expect(fixture.takeRows().contains(session(150)))
        #expect(corrections("participant", "estimated") == 1)
        fixture.receive(.participantLeft(.person("PA_1", joined: 10)), at: 175, received: 290)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == 1)
        #expect(!fixture.takeRows().contains { if case .session = $0 { true } else { false } })
    }

    @Test mutating func `who was closed by mistake is there again with the next event`() {
        seen()
        poll(at: 220) { $0.corrections = [.endParticipant(sid: "PA_1", at: nil)] }
        let track = Track(sid: "TR_1", source: .camera, type: .video)
        fixture.receive(.trackPublished(track, by: .person("PA_1")), at: 300)
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_participant_sessions_total"] == 1)
    }

    @Test mutating func `a successor's join is the exact end`() {
        seen()
        poll(at: 280) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 190)
        #expect(corrections("participant", "ended") == 1)
    }

    @Test mutating func `what had an event in the minute before the poll is left alone`() {
        seen()
        fixture.receive(.trackPublished(Track(sid: "TR_1"), by: .person("PA_1")), at: 221)
        poll(at: 280) {
            $0.corrections = [
                .endTrack(sid: "TR_1"), .endParticipant(sid: "PA_1", at: nil), .endRoom(sid: "RM_1", at: nil),
            ]
        }
        #expect(fixture["lk_participants_active"] == 1)
        #expect(fixture["lk_room_active"] == 1)
        #expect(fixture.names("lkpush_reconcile_corrections_total").isEmpty)
        poll(at: 282) { $0.corrections = [.endTrack(sid: "TR_1"), .endRoom(sid: "RM_1", at: nil)] }
        #expect(fixture["lk_room_active"] == 0)
        #expect(corrections("track", "estimated") == 1)
    }

    @Test mutating func `a room that vanished ends with the last poll that listed it, with everybody in it`() {
        fixture.receive(.roomStarted, at: 0)
        seen()
        for second: Int64 in [220, 280] {
            poll(at: second) {
                $0.absentRooms = ["RM_1"]
                if second == 280 { $0.corrections = [.endRoom(sid: "RM_1", at: nil)] }
            }
        }
        #expect(fixture["lk_room_active"] == 0)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        #expect(fixture["lk_room_duration_seconds_sum"] == 160)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 150)
        #expect(fixture.takeRows().contains(session(150)))
        fixture.receive(.roomFinished, at: 170, received: 290)
        #expect(fixture["lk_rooms_finished_total"] == 1)
        #expect(fixture["lk_room_duration_seconds_count"] == 1)
    }

    @Test mutating func `a stranger who had joined bounds the evidence of who had left`() {
        // PA_1 leaves and PA_2 joins between two polls, and neither is told: the number stays the same.
        seen()
        for second: Int64 in [220, 280, 340] { poll(at: second) }
        fixture.receive(.participantLeft(.person("PA_2", joined: 180)), at: 350)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 170)
        for second: Int64 in [400, 460] {
            poll(at: second) {
                $0.differingRooms = ["RM_1"]
                if second == 460 { $0.corrections = [.endParticipant(sid: "PA_1", at: nil)] }
            }
        }
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 340)
    }

    @Test mutating func `people whose node crashed were there until the last poll`() {
        fixture.receive(.roomStarted, at: 0)
        seen()
        fixture.receive(.roomStarted, at: 200)
        #expect(fixture["lk_participants_active"] == 0)
        #expect(fixture["lk_participant_lifetime_seconds_sum"] == 150)
        #expect(fixture.takeRows().contains(session(150)))
    }

    @Test mutating func `without polls a crash ends sessions unobserved, as before`() {
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.participantJoined(.person("PA_1", joined: 10)), at: 10)
        fixture.receive(.roomStarted, at: 200)
        #expect(fixture["lk_participant_lifetime_seconds_count"] == nil)
    }

    // MARK: Replay

    @Test func `a restored recorder goes on from a poll as if nothing had been`() throws {
        let setup = RestorableFixture.Setup(settings: .test())
        let event = Event(
            id: "EV_1", createdAt: RecorderFixture.opening_s + 10, room: .office,
            body: .participantJoined(.person("PA_1", joined: 10)))
        var inputs: [Input] = [.event(event, receivedAt: RecorderFixture.time(10))]
        inputs += [100, 160].map { .poll(.asked(at: $0), at: RecorderFixture.time($0)) }
        inputs.append(.poll(.asked(at: 220) { $0.absentRooms = ["RM_1"] }, at: RecorderFixture.time(220)))
        let last = Input.poll(
            .asked(at: 280) {
                $0.absentRooms = ["RM_1"]
                $0.corrections = [.endRoom(sid: "RM_1", at: nil)]
            }, at: RecorderFixture.time(280))
        var whole = RestorableFixture(setup)
        for input in inputs { whole.apply(input) }
        var restored = try RestorableFixture(whole.save(), whole.segments, setup)
        whole.apply(last)
        restored.apply(last)
        #expect(whole.page == restored.page)
        #expect(whole.actions == restored.actions)
        #expect(whole.save() == restored.save())
    }
}

extension RecorderFixture {
    /// Takes the result of a poll that began at `second` and took no time.
    mutating func poll(
        at second: Int64, _ change: (inout PollResult) -> Void = { _ in },
        _ location: SourceLocation = #_sourceLocation
    ) {
        apply(.poll(.asked(at: second, change), at: Self.time(second)), location)
    }
}

extension PollResult {
    static func asked(at second: Int64, _ change: (inout PollResult) -> Void = { _ in }) -> PollResult {
        var result = PollResult(askedAt: RecorderFixture.time(second))
        change(&result)
        return result
    }
}
