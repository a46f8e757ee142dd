import LiveKit
import Recording
import Storage
import Testing
import Wire

@Suite struct EgressTests {
    private let active = #"lk_egress_active{request_type="room_composite"}"#
    private let started = #"lk_egress_started_total{request_type="room_composite"}"#
    private let succeeded = #"lk_egress_ended_total{request_type="room_composite",result="success"}"#
    private let failed = #"lk_egress_ended_total{request_type="room_composite",result="failed"}"#
    private let duration = #"lk_egress_duration_seconds_sum{request_type="room_composite",result="success"}"#

    @Test func `a recording starts, ends and is stored`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 5)
        fixture.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 6)
        #expect(fixture[active] == 1)
        #expect(fixture[started] == 1)
        for second in [Int64(70), 71] {
            let job = Egress.job("EG_1", status: .complete, started: 5, ended: 70, media_s: 60)
            fixture.receive(.egressEnded(job), in: .officeByName, at: second)
        }
        #expect(fixture[active] == 0)
        #expect(fixture[succeeded] == 1)
        #expect(fixture[duration] == 60)
        #expect(
            fixture.takeRows() == [
                .recording(
                    RecordingRow(
                        owner: .organization(id: "acme", name: "Acme"), egressID: "EG_1", roomName: "office",
                        requestType: "room_composite", status: "completed", startedAt: RecorderFixture.time(5),
                        endedAt: RecorderFixture.time(70), duration_seconds: 60, size_bytes: 1_234,
                        location: "s3://bucket/1.mp4",
                        error: "", expiresAt: RecorderFixture.time(70 + 30 * 86_400)))
            ])
        fixture.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 5, received: 72)
        fixture.receive(.egressUpdated(.job("EG_1", started: 5)), in: .officeByName, at: 6, received: 73)
        #expect(fixture[active] == 0)
        #expect(fixture[started] == 1)
    }

    @Test(arguments: Egress.Status.allCases)
    func `complete and limit reached succeed, everything else fails`(status: Egress.Status) {
        var fixture = RecorderFixture()
        fixture.receive(.egressEnded(.job("EG_1", status: status)), in: .officeByName, at: 9)
        let isSuccess = status == .complete || status == .limitReached
        #expect(fixture[succeeded] == (isSuccess ? 1 : nil))
        #expect(fixture[failed] == (isSuccess ? nil : 1))
        guard case .recording(let row)? = fixture.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.status == (isSuccess ? "completed" : "failed"))
        // No times in the payload: none observed, the end is that of the event.
        #expect(row.duration_seconds == nil && row.startedAt == nil && row.endedAt == RecorderFixture.time(9))
        #expect(fixture.names("lk_egress_duration").isEmpty)
    }

    @Test func `without media the duration is from start to end`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressEnded(.job("EG_1", status: .complete, started: 5, ended: 25)), in: .officeByName, at: 30)
        #expect(fixture[duration] == 20)
        fixture.receive(
            .egressEnded(.job("EG_2", status: .complete, started: 5, ended: 8 * 86_400)), in: .officeByName, at: 31)
        #expect(fixture[duration] == 20)
        #expect(fixture[#"lkpush_implausible_durations_total{event="egress_ended"}"#] == 1)
        guard case .recording(let row)? = fixture.takeRows().last else { return #expect(Bool(false)) }
        #expect(row.egressID == "EG_2" && row.duration_seconds == nil)
    }

    @Test func `an update adopts a job that is unknown and not over, uncounted`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressUpdated(.job("EG_1", status: .complete)), in: .officeByName, at: 1)
        #expect(fixture[active] == nil)
        fixture.receive(.egressUpdated(.job("EG_1")), in: .officeByName, at: 2)
        #expect(fixture[active] == 1)
        #expect(fixture[started] == nil)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 0, received: 3)
        #expect(fixture[started] == 1)
        fixture.receive(.egressUpdated(.job("EG_1", status: .complete)), in: .officeByName, at: 4)
        #expect(fixture[active] == 1)
    }

    @Test func `an end that overtakes its start is counted, and the start opens nothing`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 9)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1, received: 10)
        #expect(fixture[started] == 1)
        #expect(fixture[succeeded] == 1)
        #expect((fixture[active] ?? 0) == 0)
    }

    @Test func `a job that starts in a room that ended is counted and not opened`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomFinished, at: 5)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 4, received: 6)
        #expect(fixture[started] == 1)
        #expect((fixture[active] ?? 0) == 0)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 7)
        #expect(fixture[succeeded] == 1)
    }

    @Test func `a job outlives its room`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomStarted, at: 0)
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        fixture.receive(.roomFinished, at: 5)
        #expect(fixture[active] == 1)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 7)
        #expect(fixture[active] == 0)
    }

    @Test func `a retry counts again and replaces the row`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        fixture.receive(.egressEnded(.job("EG_1", status: .failed)), in: .officeByName, at: 2)
        #expect(fixture[active] == 0)
        fixture.receive(.egressUpdated(.job("EG_1", retry: 1)), in: .officeByName, at: 3)
        #expect(fixture[active] == 1)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete, retry: 1)), in: .officeByName, at: 4)
        fixture.receive(.egressEnded(.job("EG_1", status: .complete, retry: 1)), in: .officeByName, at: 5)
        #expect(fixture[active] == 0)
        #expect(fixture[started] == 1)
        #expect(fixture[failed] == 1)
        #expect(fixture[succeeded] == 1)
        let ids = fixture.takeRows().map { if case .recording(let row) = $0 { row.egressID } else { "" } }
        #expect(ids == ["EG_1", "EG_1"])
        fixture.receive(.egressStarted(.job("EG_1", retry: 2)), in: .officeByName, at: 6)
        #expect(fixture[active] == 1)
        #expect(fixture[started] == 2)
        // The end of an older attempt ends nothing.
        fixture.receive(.egressEnded(.job("EG_1", status: .failed, retry: 1)), in: .officeByName, at: 7)
        #expect(fixture[active] == 1)
        #expect(fixture[failed] == 1)
    }

    @Test func `without an egress id the event id names the job`() {
        var fixture = RecorderFixture()
        fixture.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 1, id: "EV_a")
        fixture.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 2, id: "EV_b")
        fixture.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 2, id: "EV_b")
        #expect(fixture[failed] == 2)
        let ids = fixture.takeRows().map { if case .recording(let row) = $0 { row.egressID } else { "" } }
        #expect(ids == ["EV_a", "EV_b"])
        fixture.receive(.egressStarted(.job("")), in: .officeByName, at: 3)
        #expect(fixture[started] == 1)
        #expect((fixture[active] ?? 0) == 0)
    }
}

@Suite struct IngressTests {
    private let active = #"lk_ingress_active{input_type="whip"}"#
    private let started = #"lk_ingress_started_total{input_type="whip"}"#
    private let succeeded = #"lk_ingress_ended_total{input_type="whip",result="success"}"#
    private let room = Room(name: "office")

    @Test func `a stream starts and ends once`() {
        var fixture = RecorderFixture()
        for _ in 0..<2 { fixture.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5) }
        #expect(fixture[active] == 1)
        #expect(fixture[started] == 1)
        for _ in 0..<2 { fixture.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 65)), in: room, at: 66) }
        #expect(fixture[active] == 0)
        #expect(fixture[succeeded] == 1)
        #expect(fixture[#"lk_ingress_duration_seconds_sum{input_type="whip",result="success"}"#] == 60)
        #expect(fixture.takeRows().isEmpty)
    }

    @Test func `its duration comes from state where the payload has none, and it may fail`() {
        var fixture = RecorderFixture()
        fixture.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        fixture.receive(.ingressEnded(.stream("IS_1", hasFailed: true)), in: room, at: 25)
        #expect(fixture[#"lk_ingress_duration_seconds_sum{input_type="whip",result="failed"}"#] == 20)
        fixture.receive(.ingressEnded(.stream("IS_2")), in: room, at: 30)
        #expect(fixture[succeeded] == 1)
        #expect(fixture[#"lk_ingress_duration_seconds_count{input_type="whip",result="success"}"#] == nil)
    }

    @Test func `one ingress has many sessions, told apart by resource, else by start`() {
        var fixture = RecorderFixture()
        fixture.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        fixture.receive(.ingressStarted(.stream("IS_2", started: 6)), in: room, at: 6)
        fixture.receive(.ingressStarted(.stream("", started: 7)), in: room, at: 7)
        fixture.receive(.ingressStarted(.stream("", started: 8)), in: room, at: 8)
        #expect(fixture[started] == 4)
        // Only the newest is there: LiveKit keeps one state for each ingress.
        #expect(fixture[active] == 1)
        #expect(fixture[#"lkpush_entities_corrected_total{rule="ingress_restarted"}"#] == 3)
        #expect(fixture[succeeded] == nil)
        fixture.receive(.ingressEnded(.stream("", started: 7, ended: 9)), in: room, at: 9)
        fixture.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 9)), in: room, at: 9)
        #expect(fixture[active] == 1)
        #expect(fixture[succeeded] == 2)
        fixture.receive(.ingressEnded(.stream("", started: 8, ended: 9)), in: room, at: 9)
        #expect(fixture[active] == 0)
    }

    @Test func `an older session of an ingress that is told late counts and opens nothing`() {
        var fixture = RecorderFixture()
        fixture.receive(.ingressStarted(.stream("IS_2", started: 60)), in: room, at: 60)
        fixture.receive(.ingressStarted(.stream("IS_1", started: 50)), in: room, at: 50, received: 61)
        #expect(fixture[active] == 1)
        fixture.receive(.ingressEnded(.stream("IS_2", started: 60, ended: 70)), in: room, at: 70)
        #expect(fixture[active] == 0)
        fixture.receive(.ingressStarted(.stream("IS_0", started: 40)), in: room, at: 40, received: 71)
        #expect(fixture[active] == 0)
        #expect(fixture[started] == 3)
        fixture.receive(.ingressStarted(.stream("IS_3", started: 80)), in: room, at: 80)
        #expect(fixture[active] == 1)
    }

    @Test func `two ingresses of one room do not end each other`() {
        var fixture = RecorderFixture()
        var other = Ingress.stream("IS_9", started: 6)
        other.id = "IN_2"
        fixture.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        fixture.receive(.ingressStarted(other), in: room, at: 6)
        #expect(fixture[active] == 2)
    }

    @Test func `a stream that starts in a room that ended is counted and not opened`() {
        var fixture = RecorderFixture()
        fixture.receive(.roomFinished, at: 5)
        fixture.receive(.ingressStarted(.stream("IS_1", started: 4)), in: .officeByName, at: 4, received: 6)
        fixture.receive(.ingressStarted(.stream("IS_1", started: 4)), in: .officeByName, at: 4, received: 6)
        #expect(fixture[started] == 1)
        #expect((fixture[active] ?? 0) == 0)
        fixture.receive(.ingressEnded(.stream("IS_1", started: 4, ended: 9)), in: .officeByName, at: 9)
        #expect(fixture[succeeded] == 1)
    }

    @Test func `an end that overtakes its start leaves nothing open`() {
        var fixture = RecorderFixture()
        fixture.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 9)), in: room, at: 9)
        for _ in 0..<2 { fixture.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5, received: 10) }
        #expect(fixture[started] == 1)
        #expect((fixture[active] ?? 0) == 0)
    }
}
