import LiveKit
import Recording
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

    @Test mutating func `the attempts of a recording that ended unseen count once`() {
        let job = Egress.job("EG_1", status: .complete, retry: 1)
        fixture.receive(.egressUpdated(job), at: 10)
        fixture.receive(.egressEnded(job), at: 11)
        #expect(fixture["lk_egress_retries_total{request_type=\"room_composite\"}"] == 1)
    }
}
