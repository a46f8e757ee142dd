import LiveKit
import Recording
import Storage
import Testing

/// Ends that are estimated, and the exact ones that take their place. Specification, *Usage*.
@Suite struct UsageEstimateTests {
    private var fixture = RecorderFixture()

    private func connected(_ kind: String = "standard") -> Double? {
        fixture["lk_connection_seconds_total{kind=\"\(kind)\"}"]
    }

    private func billed(_ kind: String = "standard") -> Double? {
        fixture["lk_connection_billed_minutes_total{kind=\"\(kind)\"}"]
    }

    /// Lets time pass as a running program does, with an input every 10 s.
    private mutating func run(from first: Int64, to last: Int64) {
        for second in stride(from: first, through: last, by: 10) { fixture.pass(to: second) }
    }

    private mutating func join(_ person: Participant, at second: Int64) {
        fixture.receive(.participantJoined(person), at: second)
    }

    @Test mutating func `an event that waited for its commit makes no gap`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 100)
        fixture.receive(.roomStarted, in: Room(sid: "RM_2", name: "other"), at: 41)
        run(from: 110, to: 200)
        #expect(connected() == 200)
    }

    @Test mutating func `a leave takes the place of the end that a poll gave`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        run(from: 310, to: 400)
        #expect(billed() == 4)
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), at: 400)
        fixture.pass(to: 410)
        #expect(connected() == 400)
        #expect(billed() == 7)
        // Told again, under another id.
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), at: 410)
        fixture.pass(to: 420)
        #expect(connected() == 400)
    }

    @Test mutating func `who shows to be there after an estimated end has stayed all the time`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        run(from: 310, to: 400)
        let track = Track(sid: "TR_1", source: .camera, type: .video)
        fixture.receive(.trackPublished(track, by: .person("PA_1", joined: 0)), at: 400)
        run(from: 410, to: 600)
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), at: 600)
        fixture.pass(to: 610)
        #expect(connected() == 600)
        #expect(billed() == 10)
    }

    @Test mutating func `a call whose end a poll gave is not billed twice`() {
        join(.person("PA_1", kind: .sip, joined: 0), at: 0)
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        fixture.receive(.participantLeft(.person("PA_1", kind: .sip, joined: 0)), at: 290, received: 305)
        fixture.pass(to: 310)
        #expect(connected("sip") == 300)
        #expect(billed("sip") == 5)
        #expect(fixture["lk_connections_active{kind=\"sip\"}"] == 0)
    }

    @Test mutating func `a leave after an abort takes its place`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 60)
        fixture.receive(.participantConnectionAborted(.person("PA_1", joined: 0)), at: 60)
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), at: 90)
        fixture.pass(to: 100)
        #expect(connected() == 90)
        #expect(billed() == 2)
        #expect(fixture["lk_connections_aborted_total{kind=\"standard\",reason=\"unknown\"}"] == 1)
        #expect(fixture["lk_connections_ended_total{kind=\"standard\",reason=\"unknown\"}"] == 1)
    }

    @Test mutating func `a poll before LiveKit's clock is known proves a gap when it is known`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 100)
        fixture.poll(at: 2_000)
        fixture.pass(to: 2_000)
        fixture.receive(.roomStarted, in: Room(sid: "RM_2", name: "other"), at: 2_010, received: 2_010)
        fixture.poll(at: 2_020)
        fixture.pass(to: 2_020)
        #expect(connected() == 2_020)
    }

    @Test mutating func `an agent's late end corrects its own series, wherever its room is then`() {
        fixture = RecorderFixture(.test(.metadata))
        let agent = { (name: String) in
            var agent = Participant.person("PA_\(name)", kind: .agent, joined: 0)
            agent.agentName = name
            return agent
        }
        var room = Room.office
        room.metadataOrganization = "acme"
        for name in ["first", "notes"] { fixture.receive(.participantJoined(agent(name)), in: room, at: 0) }
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_notes", at: RecorderFixture.time(200))] }
        room.metadataOrganization = "globex"
        fixture.receive(.roomStarted, in: room, at: 300)
        // An event of an agent job decides how later agents count, and nothing about this one.
        fixture.receive(.agentJobStarted(AgentJob(id: "AJ_1", agentName: "later")), in: room, at: 305)
        fixture.receive(.participantLeft(agent("notes")), in: room, at: 310)
        run(from: 310, to: 320)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"first\"}"] == 300)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"notes\"}"] == 310)
        #expect(fixture["lk_agent_job_seconds_total{org_id=\"globex\",agent_name=\"first\"}"] == 20)
        #expect(fixture["lk_agent_job_seconds_total{org_id=\"globex\",agent_name=\"notes\"}"] == nil)
    }

    @Test func `an estimate is saved with its series`() throws {
        var agent = Participant.person("PA_1", kind: .agent, joined: 0)
        agent.agentName = "notes"
        let event = { (id: String, second: Int64, body: Event.Body) in
            Input.event(
                Event(id: id, createdAt: RecorderFixture.opening_s + second, room: .office, body: body),
                receivedAt: RecorderFixture.time(second))
        }
        let setup = RestorableFixture.Setup()
        var whole = RestorableFixture(setup)
        whole.apply(event("EV_1", 0, .participantJoined(agent)))
        for second in stride(from: Int64(10), through: 200, by: 10) {
            whole.apply(.time(at: RecorderFixture.time(second)))
        }
        let end = PollResult.asked(at: 200) {
            $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(100))]
        }
        whole.apply(.poll(end, at: RecorderFixture.time(200)))
        var restored = try RestorableFixture(whole.save(), whole.segments, setup)
        for input in [event("EV_2", 210, .participantLeft(agent)), .time(at: RecorderFixture.time(211))] {
            whole.apply(input)
            restored.apply(input)
        }
        #expect(restored.page == whole.page)
        #expect(
            restored.page.contains {
                $0.hasPrefix("lk_agent_job_seconds_total") && $0.contains("notes") && $0.contains(" 210")
            })
    }

    @Test mutating func `who returns to another organization after an estimated end is billed there, as a whole`() {
        fixture = RecorderFixture(.test(.metadata))
        fixture.report(.usageTable(isUsable: true), at: 0)
        var room = Room.office
        room.metadataOrganization = "acme"
        let person = Participant.person("PA_1", joined: 0)
        fixture.receive(.participantJoined(person), in: room, at: 0)
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        fixture.pass(to: 310)
        #expect(billed() == 4)
        room.metadataOrganization = "globex"
        fixture.receive(.roomStarted, in: room, at: 310)
        let track = Track(sid: "TR_1", source: .camera, type: .video)
        fixture.receive(.trackPublished(track, by: person), in: room, at: 400)
        run(from: 410, to: 600)
        fixture.receive(.participantLeft(person), in: room, at: 600)
        fixture.apply(.stopping(at: RecorderFixture.time(610)))
        #expect(connected() == 300)
        #expect(fixture["lk_connection_seconds_total{org_id=\"globex\",kind=\"standard\"}"] == 400)
        #expect(fixture["lk_connection_billed_minutes_total{org_id=\"globex\",kind=\"standard\"}"] == 10)
        var sums: [String: [Int64]] = [:]
        for case .usage(let row) in fixture.takeRows() {
            guard case .organization(let id, _) = row.owner, row.usage == "connection:standard" else { continue }
            let old = sums[id] ?? [0, 0, 0]
            sums[id] = [old[0] + row.duration_ms, old[1] + row.count, old[2] + row.billed_minutes]
        }
        #expect(sums == ["acme": [200_000, 0, 0], "globex": [400_000, 1, 10]])
    }

    @Test mutating func `what was shown after an estimated end is uncertain once`() {
        join(.person("PA_1", joined: 0), at: 0)
        run(from: 10, to: 300)
        fixture.poll(at: 300) { $0.corrections = [.endParticipant(sid: "PA_1", at: RecorderFixture.time(200))] }
        let uncertain = "lkpush_uncertain_seconds_total{usage=\"connection\"}"
        #expect(fixture[uncertain] == 100)
        fixture.receive(.roomFinished, at: 300)
        fixture.pass(to: 300 + 25 * 3_600)
        #expect(connected() == nil)
        #expect(fixture[uncertain] == 100)
    }

    @Test mutating func `the late publication of a track that a poll found and that has ended adds nothing twice`() {
        let (track, person) = (
            Track(sid: "TR_1", source: .camera, type: .video), Participant.person("PA_1", joined: 10)
        )
        fixture.poll(at: 100) {
            $0.corrections = [
                .adoptRoom(.office), .adoptParticipant(person, room: "RM_1"), .adoptTrack(track, participant: "PA_1"),
            ]
        }
        run(from: 110, to: 200)
        fixture.receive(.trackUnpublished(track, by: person), at: 200)
        fixture.receive(.trackPublished(track, by: person), at: 50, received: 205)
        fixture.pass(to: 210)
        #expect(fixture["lk_track_seconds_total{source=\"camera\",type=\"video\"}"] == 150)
    }

    @Test mutating func `a late end corrects nothing that a series of later has counted`() {
        let hour: Int64 = 3_600
        join(.person("PA_1", joined: 0), at: 0)
        fixture.pass(to: 20 * hour)
        fixture.poll(at: 20 * hour) {
            $0.corrections = [
                .endParticipant(sid: "PA_1", at: RecorderFixture.time(15 * hour)), .endRoom(sid: "RM_1", at: nil),
            ]
        }
        fixture.pass(to: 26 * hour)
        #expect(connected() == nil)
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), at: hour, received: Double(26 * hour))
        fixture.pass(to: 26 * hour + 1)
        let later = 26 * hour + 2
        fixture.receive(.participantJoined(.person("PA_2", joined: later)), in: .named("other", sid: "RM_2"), at: later)
        run(from: later, to: later + 100)
        #expect(connected() == 100)
        #expect(fixture["lkpush_usage_ahead_seconds{usage=\"connection\"}"] == nil)
    }

    @Test mutating func `the first attempt of a recording ends where the next one begins, and its late end is exact`() {
        let labels = "request_type=\"room_composite\""
        fixture.receive(.egressStarted(.job("EG_1", started: 0)), at: 0)
        run(from: 10, to: 90)
        // The retry began after 60 s, and is told half a minute later.
        fixture.receive(.egressStarted(.job("EG_1", started: 60, retry: 1)), at: 60, received: 90)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete, started: 60, ended: 100, retry: 1)), at: 100)
        fixture.apply(.stopping(at: RecorderFixture.time(110)))
        #expect(usageRows(fixture.takeRows()) == [:])
        fixture.report(.usageTable(isUsable: true), at: 111)
        fixture.apply(.stopping(at: RecorderFixture.time(112)))
        #expect(usageRows(fixture.takeRows()) == ["egress:room_composite": [100_000, 2]])
        fixture.receive(.egressEnded(.job("EG_1", status: .failed, started: 0, ended: 55)), at: 120)
        fixture.receive(.egressEnded(.job("EG_1", status: .failed, started: 0, ended: 55)), at: 121)
        fixture.apply(.stopping(at: RecorderFixture.time(122)))
        #expect(usageRows(fixture.takeRows()) == ["egress:room_composite": [-5_000, 0]])
        #expect(fixture["lk_egress_ended_total{\(labels),result=\"success\"}"] == 1)
    }

    /// The milliseconds and the number of ends in rows of usage.
    private func usageRows(_ rows: [StoreRow]) -> [String: [Int64]] {
        var sums: [String: [Int64]] = [:]
        for case .usage(let row) in rows {
            let old = sums[row.usage] ?? [0, 0]
            sums[row.usage] = [old[0] + row.duration_ms, old[1] + row.count]
        }
        return sums
    }

    @Test mutating func `a zero character in an agent's name is replaced, since no database takes it`() {
        var agent = Participant.person("PA_1", kind: .agent, joined: 0)
        agent.agentName = "a\0b"
        join(agent, at: 0)
        run(from: 10, to: 20)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"a\u{FFFD}b\"}"] == 20)
    }

    @Test mutating func `the attempts of a recording that ended unseen count once`() {
        let job = Egress.job("EG_1", status: .complete, retry: 1)
        fixture.receive(.egressUpdated(job), at: 10)
        fixture.receive(.egressEnded(job), at: 11)
        #expect(fixture["lk_egress_retries_total{request_type=\"room_composite\"}"] == 1)
    }
}
