import LiveKit
import Metrics
import Recording
import Storage
import Testing
import Wire

/// Usage, rule by rule. Specification, *Usage*.
@Suite struct UsageTests {
    private var fixture = RecorderFixture()

    private var connected: Double? { fixture["lk_connection_seconds_total{kind=\"standard\"}"] }
    private var billed: Double? { fixture["lk_connection_billed_minutes_total{kind=\"standard\"}"] }
    private var ahead: Double? { fixture["lkpush_usage_ahead_seconds{usage=\"connection\"}"] }
    private var uncertain: Double? { fixture["lkpush_uncertain_seconds_total{usage=\"connection\"}"] }

    private mutating func join(_ sid: String = "PA_1", at second: Int64, received: Double? = nil) {
        fixture.receive(.participantJoined(.person(sid, joined: second)), at: second, received: received)
    }

    private mutating func leave(_ sid: String = "PA_1", joined: Int64, at second: Int64, received: Double? = nil) {
        fixture.receive(.participantLeft(.person(sid, joined: joined)), at: second, received: received)
    }

    /// Lets time pass as a running program does, with an input every 10 s.
    private mutating func run(from first: Int64, to last: Int64) {
        for second in stride(from: first, through: last, by: 10) { fixture.pass(to: second) }
        fixture.pass(to: last)
    }

    /// Takes the rows of usage, added up by day and usage.
    private mutating func rows() -> [String: [Int64]] {
        var sums: [String: [Int64]] = [:]
        for case .usage(let row) in fixture.takeRows() {
            let key = "\(row.day) \(row.usage)"
            let sum = sums[key] ?? [0, 0, 0]
            sums[key] = [sum[0] + row.duration_ms, sum[1] + row.count, sum[2] + row.billed_minutes]
        }
        return sums
    }

    // MARK: While it passes

    @Test mutating func `time counts while it passes, from the receipt of the opening`() {
        join(at: 0, received: 5)
        run(from: 10, to: 65)
        #expect(connected == 60)
        run(from: 70, to: 125)
        #expect(connected == 120)
        #expect(fixture["lk_connections_active{kind=\"standard\"}"] == 1)
        #expect(billed == 0)
        leave(joined: 0, at: 130)
        fixture.pass(to: 131)
        // The payload's five seconds before the receipt come with the end.
        #expect(connected == 130)
        #expect(billed == 3)
        #expect(fixture["lk_connections_active{kind=\"standard\"}"] == 0)
        run(from: 140, to: 300)
        #expect(connected == 130)
    }

    @Test mutating func `an end that is told late is paid by later growth, and shown as ahead`() {
        join("PA_1", at: 0)
        join("PA_2", at: 0)
        run(from: 10, to: 100)
        #expect(connected == 200)
        leave("PA_1", joined: 0, at: 40, received: 100)
        fixture.pass(to: 101)
        #expect(connected == 200)
        // 200 were shown, and 40 + 101 have passed.
        #expect(ahead == 59)
        run(from: 110, to: 160)
        #expect(connected == 200)
        #expect(ahead == 0)
        run(from: 170, to: 200)
        #expect(connected == 240)
        leave("PA_2", joined: 0, at: 200)
        fixture.pass(to: 200)
        #expect(connected == 240)
    }

    @Test mutating func `events out of order count each use once, by the payload`() {
        leave(joined: 10, at: 70)
        join(at: 10, received: 71)
        leave(joined: 10, at: 70, received: 72)
        fixture.receive(.trackUnpublished(.camera, by: .person("PA_9")), at: 80)
        fixture.receive(.trackPublished(.camera, by: .person("PA_9")), at: 30, received: 81)
        run(from: 90, to: 130)
        #expect(connected == 60)
        #expect(billed == 1)
        #expect(fixture["lk_track_seconds_total{source=\"camera\",type=\"video\"}"] == 50)
        #expect(fixture["lk_connections_total{kind=\"standard\"}"] == 1)
        #expect(fixture["lk_connections_ended_total{kind=\"standard\",reason=\"unknown\"}"] == 1)
    }

    @Test mutating func `what ends with its participant or its room ends exactly`() {
        join(at: 0)
        fixture.receive(.trackPublished(.camera, by: .person("PA_1")), at: 10)
        leave(joined: 0, at: 40, received: 50)
        join("PA_2", at: 60)
        fixture.receive(.participantJoined(Participant(sid: "PA_A", kind: .agent, joinedAt_s: 0)), at: 60)
        fixture.receive(.trackPublished(.camera2, by: .person("PA_2")), at: 70)
        fixture.receive(.roomFinished, at: 100, received: 110)
        fixture.pass(to: 110)
        #expect(connected == 80)
        #expect(fixture["lk_track_seconds_total{source=\"camera\",type=\"video\"}"] == 60)
        #expect(fixture["lk_connections_ended_total{kind=\"standard\",reason=\"room_closed\"}"] == 1)
        // Its own end, later, changes nothing.
        leave("PA_2", joined: 60, at: 101, received: 112)
        fixture.pass(to: 120)
        #expect(connected == 80)
    }

    @Test mutating func `an implausible duration counts the time it was open here`() {
        fixture.receive(.participantJoined(.person("PA_1", joined: -9 * 86_400)), at: 0)
        run(from: 10, to: 60)
        fixture.receive(.participantLeft(.person("PA_1", joined: -9 * 86_400)), at: 60)
        fixture.pass(to: 61)
        #expect(connected == 60)
        #expect(fixture["lkpush_implausible_durations_total{event=\"participant_left\"}"] == 1)
    }

    // MARK: Gaps

    @Test mutating func `a gap stands still until an own event proves the time`() {
        join(at: 0)
        run(from: 10, to: 100)
        // The program was down from 100 to 10,000.
        run(from: 10_000, to: 10_050)
        #expect(connected == 130)
        fixture.receive(.trackPublished(.camera, by: .person("PA_1")), at: 10_060)
        fixture.pass(to: 10_060)
        #expect(connected == 10_060)
        run(from: 10_070, to: 10_100)
        #expect(connected == 10_100)
        leave(joined: 0, at: 10_100)
        fixture.pass(to: 10_101)
        #expect(connected == 10_100)
    }

    @Test mutating func `a gap stands still until the end, whose duration is exact`() {
        join(at: 0)
        run(from: 10, to: 100)
        run(from: 10_000, to: 10_020)
        leave(joined: 0, at: 5_000, received: 10_025)
        fixture.pass(to: 10_030)
        #expect(connected == 5_000)
        #expect(ahead == nil)
    }

    @Test mutating func `a poll lets time go on, and LiveKit's clock tells how much of the gap is proved`() {
        join(at: 0)
        run(from: 10, to: 100)
        fixture.pass(to: 1_000)
        fixture.poll(at: 1_010)
        run(from: 1_010, to: 1_040)
        // No event since the gap told LiveKit's clock.
        #expect(connected == 160)
        run(from: 2_000, to: 2_000)
        fixture.receive(.roomStarted, in: Room(sid: "RM_2", name: "other"), at: 2_003, received: 2_005)
        fixture.poll(at: 2_010)
        fixture.pass(to: 2_010)
        #expect(connected == 2_008)
    }

    @Test mutating func `a clock that was a day and a half ahead counts no time twice`() {
        fixture.report(.usageTable(isUsable: true), at: 0)
        join(at: 0)
        run(from: 10, to: 100)
        let days = 1.5 * 86_400
        fixture.receive(
            .trackPublished(.camera, by: .person("PA_1")), at: 200, received: days + 200)
        fixture.pass(to: Int64(days) + 210)
        #expect(connected == 210)
        // The clock is set right.
        fixture.receive(.trackUnpublished(.camera, by: .person("PA_1")), at: 300, received: 300)
        fixture.pass(to: 310)
        #expect(connected == 310)
        leave(joined: 0, at: 400)
        fixture.apply(.stopping(at: RecorderFixture.time(401)))
        #expect(connected == 400)
        let rows = rows()
        #expect(rows["2026-09-28 connection:standard"] == [400_000, 1, 7])
        #expect(rows.filter { $0.key.hasSuffix("connection:standard") && $0.value[0] != 0 }.count == 1)
    }

    // MARK: Estimates

    @Test mutating func `an exact end replaces an estimated one, and is billed once`() {
        fixture.report(.usageTable(isUsable: true), at: 0)
        join("PA_1", at: 0)
        run(from: 10, to: 100)
        // The same person joins again: the first session ended unseen, with its last event.
        fixture.receive(.participantJoined(.person("PA_2", "PA_1", joined: 100)), at: 100)
        fixture.pass(to: 101)
        #expect(uncertain == 100)
        #expect(connected == 100)
        leave("PA_1", joined: 0, at: 95, received: 105)
        fixture.apply(.stopping(at: RecorderFixture.time(106)))
        #expect(connected == 101)
        #expect(billed == 2)
        #expect(rows()["2026-09-28 connection:standard"] == [101_000, 1, 2])
    }

    // MARK: Rows

    @Test mutating func `rows have the seconds of each day, and the end on its day`() {
        fixture.report(.usageTable(isUsable: true), at: 0)
        let midnight: Int64 = 86_400
        fixture.pass(to: midnight - 100)
        join(at: midnight - 70, received: Double(midnight) - 60)
        run(from: midnight - 60, to: midnight + 61)
        leave(joined: midnight - 70, at: midnight + 30, received: Double(midnight) + 62)
        fixture.apply(.stopping(at: RecorderFixture.time(midnight + 63)))
        #expect(
            rows() == [
                "2026-09-28 connection:standard": [70_000, 0, 0], "2026-09-29 connection:standard": [30_000, 1, 2],
            ])
    }

    @Test mutating func `rows wait in the state until the table is there`() {
        join(at: 0)
        run(from: 10, to: 700)
        #expect(rows().isEmpty)
        #expect(fixture["lkpush_usage_rows_waiting"] == 1)
        fixture.report(.usageTable(isUsable: true), at: 701)
        fixture.apply(.stopping(at: RecorderFixture.time(710)))
        #expect(rows()["2026-09-28 connection:standard"] == [710_000, 0, 0])
        #expect(fixture["lkpush_usage_rows_waiting"] == 0)
    }

    // MARK: Organizations

    @Test mutating func `a share under another organization stays there, one under unknown gets its rows`() {
        fixture = RecorderFixture(.test(.metadata))
        fixture.report(.usageTable(isUsable: true), at: 0)
        var room = Room.office
        fixture.receive(.participantJoined(.person("PA_1", joined: 0)), in: room, at: 0)
        run(from: 10, to: 100)
        room.metadataOrganization = "acme"
        fixture.receive(.roomStarted, in: room, at: 100)
        run(from: 110, to: 150)
        room.metadataOrganization = "globex"
        fixture.receive(.participantJoined(.person("PA_2", joined: 150)), in: room, at: 150)
        run(from: 160, to: 200)
        fixture.receive(.participantLeft(.person("PA_1", joined: 0)), in: room, at: 190, received: 200)
        fixture.receive(.participantLeft(.person("PA_2", joined: 150)), in: room, at: 200)
        fixture.apply(.stopping(at: RecorderFixture.time(201)))
        let labels = "kind=\"standard\""
        #expect(fixture["lk_connection_seconds_total{org_id=\"unknown\",\(labels)}"] == 100)
        #expect(connected == 50)
        #expect(fixture["lk_connection_seconds_total{org_id=\"globex\",\(labels)}"] == 100)
        var sums: [String: Int64] = [:]
        for case .usage(let row) in fixture.takeRows() {
            guard case .organization(let id, _) = row.owner, row.usage == "connection:standard" else { continue }
            sums[id, default: 0] += row.duration_ms
        }
        #expect(sums == ["acme": 150_000, "globex": 90_000])
    }

    // MARK: Jobs

    @Test mutating func `a recording counts from ACTIVE, and by the length of its media`() {
        let start = RecorderFixture.opening_s * 1_000_000_000
        var job = Egress(id: "EG_1", requestType: .room_composite, startedAt_ns: start)
        fixture.receive(.egressStarted(job), at: 0)
        run(from: 10, to: 20)
        job.status = .active
        fixture.receive(.egressUpdated(job), at: 20)
        run(from: 30, to: 80)
        let labels = "request_type=\"room_composite\""
        #expect(fixture["lk_egress_seconds_total{\(labels)}"] == 60)
        (job.status, job.endedAt_ns, job.media_ns) = (.complete, start + 90_000_000_000, 62_500_000_000)
        (job.size_bytes, job.retryCount) = (1_000, 2)
        fixture.receive(.egressEnded(job), at: 91)
        fixture.pass(to: 92)
        #expect(fixture["lk_egress_seconds_total{\(labels)}"] == 62.5)
        #expect(fixture["lk_egress_bytes_total{\(labels)}"] == 1_000)
        #expect(fixture["lk_egress_retries_total{\(labels)}"] == 2)
        #expect(fixture["lk_egress_results_total{\(labels),status=\"complete\"}"] == 1)
        #expect(fixture.names("lk_egress_errors_total").isEmpty)
        job = Egress(id: "EG_2", requestType: .web, status: .failed, errorCode: 503)
        fixture.receive(.egressEnded(job), at: 93)
        #expect(fixture["lk_egress_errors_total{request_type=\"web\",code=\"5xx\"}"] == 1)
    }

    @Test mutating func `an agent job waits, runs and ends`() {
        let start = RecorderFixture.opening_s * 1_000_000_000
        var job = AgentJob(id: "AJ_1", agentName: "notes", updatedAt_ns: start)
        fixture.receive(.agentJobPending(job), at: 0)
        #expect(fixture["lk_agent_jobs_pending{agent_name=\"notes\"}"] == 1)
        (job.status, job.startedAt_ns) = (.running, start + 1_500_000_000)
        fixture.receive(.agentJobStarted(job), at: 1)
        run(from: 2, to: 61)
        #expect(fixture["lk_agent_jobs_pending{agent_name=\"notes\"}"] == 0)
        #expect(fixture["lk_agent_jobs_active{agent_name=\"notes\"}"] == 1)
        #expect(fixture["lk_agent_job_wait_seconds_sum{agent_name=\"notes\"}"] == 1.5)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"notes\"}"] == 60)
        (job.status, job.endedAt_ns, job.reason) = (.failed, start + 70_000_000_000, "no_capacity")
        fixture.receive(.agentJobEnded(job), at: 70)
        fixture.receive(.agentJobEnded(job), at: 71)
        fixture.pass(to: 71)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"notes\"}"] == 68.5)
        let ended = "lk_agent_jobs_ended_total{agent_name=\"notes\",result=\"failed\",reason=\"no_capacity\"}"
        #expect(fixture[ended] == 1)
        #expect(fixture["lk_agent_jobs_started_total{agent_name=\"notes\"}"] == 1)
        // Agents among the participants count no jobs any more.
        let agent = Participant(sid: "PA_A", kind: .agent, joinedAt_s: 72, agentName: "notes")
        fixture.receive(.participantJoined(agent), at: 72)
        #expect(fixture["lk_agent_jobs_started_total{agent_name=\"notes\"}"] == 1)
        #expect(fixture["lk_connections_active{kind=\"agent\"}"] == 1)
    }

    @Test mutating func `without events of agent jobs, participants make their metrics, and calls theirs`() {
        let start_s = RecorderFixture.opening_s
        let agent = Participant(sid: "PA_A", kind: .agent, joinedAt_s: start_s)
        var call = Participant(sid: "PA_S", kind: .sip, joinedAt_s: start_s, direction: .inbound)
        fixture.receive(.participantJoined(agent), at: 0)
        fixture.receive(.participantJoined(call), at: 0)
        run(from: 10, to: 30)
        #expect(fixture["lk_agent_jobs_active{agent_name=\"default\"}"] == 1)
        #expect(fixture["lk_sip_calls_active{direction=\"inbound\"}"] == 1)
        fixture.receive(.participantLeft(agent), at: 30)
        call.reason = .user_rejected
        fixture.receive(.participantLeft(call), at: 30)
        fixture.pass(to: 31)
        #expect(fixture["lk_agent_job_seconds_total{agent_name=\"default\"}"] == 30)
        #expect(fixture["lk_sip_call_seconds_total{direction=\"inbound\"}"] == 30)
        #expect(fixture["lk_sip_calls_total{direction=\"inbound\"}"] == 1)
        #expect(fixture["lk_connections_ended_total{kind=\"sip\",reason=\"user_rejected\"}"] == 1)
        let ended = "lk_agent_jobs_ended_total{agent_name=\"default\",result=\"success\",reason=\"unknown\"}"
        #expect(fixture[ended] == 1)
    }

    @Test mutating func `an organization has 20 names of agents, then other`() {
        for number in 1...30 {
            let job = AgentJob(id: "AJ_\(number)", agentName: "agent \(number)")
            fixture.receive(.agentJobStarted(job), at: Int64(number))
        }
        let names = fixture.names("lk_agent_jobs_active")
        #expect(names.count == 21)
        #expect(fixture["lk_agent_jobs_active{agent_name=\"other\"}"] == 10)
    }

    // MARK: The end of series

    @Test mutating func `series of an idle organization end, and what they showed too much is uncertain`() {
        join(at: 0)
        run(from: 10, to: 100)
        leave(joined: 0, at: 40, received: 100)
        fixture.pass(to: 100)
        #expect(ahead == 60)
        fixture.receive(.roomFinished, at: 100)
        fixture.pass(to: 100 + 25 * 3_600)
        #expect(connected == nil)
        #expect(fixture.names("lk_connections_").isEmpty)
        #expect(uncertain == 60)
    }
}

extension Track {
    fileprivate static let camera = Track(sid: "TR_1", source: .camera, type: .video)
    fileprivate static let camera2 = Track(sid: "TR_2", source: .camera, type: .video)
}
