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
        var desk = Desk()
        desk.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 5)
        desk.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 6)
        #expect(desk[active] == 1)
        #expect(desk[started] == 1)
        for second in [Int64(70), 71] {
            let job = Egress.job("EG_1", status: .complete, started: 5, ended: 70, media_s: 60)
            desk.receive(.egressEnded(job), in: .officeByName, at: second)
        }
        #expect(desk[active] == 0)
        #expect(desk[succeeded] == 1)
        #expect(desk[duration] == 60)
        #expect(
            desk.takeRows() == [
                .recording(
                    RecordingRow(
                        owner: .organization(id: "acme", name: "Acme"), egressID: "EG_1", roomName: "office",
                        requestType: "room_composite", status: "completed", startedAt: Desk.time(5),
                        endedAt: Desk.time(70), duration_seconds: 60, size_bytes: 1_234, location: "s3://bucket/1.mp4",
                        error: "", expiresAt: Desk.time(70 + 30 * 86_400)))
            ])
        desk.receive(.egressStarted(.job("EG_1", started: 5)), in: .officeByName, at: 5, received: 72)
        desk.receive(.egressUpdated(.job("EG_1", started: 5)), in: .officeByName, at: 6, received: 73)
        #expect(desk[active] == 0)
        #expect(desk[started] == 1)
    }

    @Test(arguments: Egress.Status.allCases)
    func `complete and limit reached succeed, everything else fails`(status: Egress.Status) {
        var desk = Desk()
        desk.receive(.egressEnded(.job("EG_1", status: status)), in: .officeByName, at: 9)
        let isSuccess = status == .complete || status == .limitReached
        #expect(desk[succeeded] == (isSuccess ? 1 : nil))
        #expect(desk[failed] == (isSuccess ? nil : 1))
        guard case .recording(let row)? = desk.takeRows().first else { return #expect(Bool(false)) }
        #expect(row.status == (isSuccess ? "completed" : "failed"))
        // No times in the payload: none observed, the end is that of the event.
        #expect(row.duration_seconds == nil && row.startedAt == nil && row.endedAt == Desk.time(9))
        #expect(desk.names("lk_egress_duration").isEmpty)
    }

    @Test func `without media the duration is from start to end`() {
        var desk = Desk()
        desk.receive(.egressEnded(.job("EG_1", status: .complete, started: 5, ended: 25)), in: .officeByName, at: 30)
        #expect(desk[duration] == 20)
        desk.receive(
            .egressEnded(.job("EG_2", status: .complete, started: 5, ended: 8 * 86_400)), in: .officeByName, at: 31)
        #expect(desk[duration] == 20)
        #expect(desk[#"lkpush_implausible_durations_total{event="egress_ended"}"#] == 1)
        guard case .recording(let row)? = desk.takeRows().last else { return #expect(Bool(false)) }
        #expect(row.egressID == "EG_2" && row.duration_seconds == nil)
    }

    @Test func `an update adopts a job that is unknown and not over, uncounted`() {
        var desk = Desk()
        desk.receive(.egressUpdated(.job("EG_1", status: .complete)), in: .officeByName, at: 1)
        #expect(desk[active] == nil)
        desk.receive(.egressUpdated(.job("EG_1")), in: .officeByName, at: 2)
        #expect(desk[active] == 1)
        #expect(desk[started] == nil)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 0, received: 3)
        #expect(desk[started] == 1)
        desk.receive(.egressUpdated(.job("EG_1", status: .complete)), in: .officeByName, at: 4)
        #expect(desk[active] == 1)
    }

    @Test func `an end that overtakes its start is counted, and the start opens nothing`() {
        var desk = Desk()
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 9)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1, received: 10)
        #expect(desk[started] == 1)
        #expect(desk[succeeded] == 1)
        #expect((desk[active] ?? 0) == 0)
    }

    @Test func `a job that starts in a room that ended is counted and not opened`() {
        var desk = Desk()
        desk.receive(.roomFinished, at: 5)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 4, received: 6)
        #expect(desk[started] == 1)
        #expect((desk[active] ?? 0) == 0)
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 7)
        #expect(desk[succeeded] == 1)
    }

    @Test func `a job outlives its room`() {
        var desk = Desk()
        desk.receive(.roomStarted, at: 0)
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        desk.receive(.roomFinished, at: 5)
        #expect(desk[active] == 1)
        desk.receive(.egressEnded(.job("EG_1", status: .complete)), in: .officeByName, at: 7)
        #expect(desk[active] == 0)
    }

    @Test func `a retry counts again and replaces the row`() {
        var desk = Desk()
        desk.receive(.egressStarted(.job("EG_1")), in: .officeByName, at: 1)
        desk.receive(.egressEnded(.job("EG_1", status: .failed)), in: .officeByName, at: 2)
        #expect(desk[active] == 0)
        desk.receive(.egressUpdated(.job("EG_1", retry: 1)), in: .officeByName, at: 3)
        #expect(desk[active] == 1)
        desk.receive(.egressEnded(.job("EG_1", status: .complete, retry: 1)), in: .officeByName, at: 4)
        desk.receive(.egressEnded(.job("EG_1", status: .complete, retry: 1)), in: .officeByName, at: 5)
        #expect(desk[active] == 0)
        #expect(desk[started] == 1)
        #expect(desk[failed] == 1)
        #expect(desk[succeeded] == 1)
        let ids = desk.takeRows().map { if case .recording(let row) = $0 { row.egressID } else { "" } }
        #expect(ids == ["EG_1", "EG_1"])
        desk.receive(.egressStarted(.job("EG_1", retry: 2)), in: .officeByName, at: 6)
        #expect(desk[active] == 1)
        #expect(desk[started] == 2)
        // The end of an older attempt ends nothing.
        desk.receive(.egressEnded(.job("EG_1", status: .failed, retry: 1)), in: .officeByName, at: 7)
        #expect(desk[active] == 1)
        #expect(desk[failed] == 1)
    }

    @Test func `without an egress id the event id names the job`() {
        var desk = Desk()
        desk.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 1, id: "EV_a")
        desk.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 2, id: "EV_b")
        desk.receive(.egressEnded(.job("", status: .failed)), in: .officeByName, at: 2, id: "EV_b")
        #expect(desk[failed] == 2)
        let ids = desk.takeRows().map { if case .recording(let row) = $0 { row.egressID } else { "" } }
        #expect(ids == ["EV_a", "EV_b"])
        desk.receive(.egressStarted(.job("")), in: .officeByName, at: 3)
        #expect(desk[started] == 1)
        #expect((desk[active] ?? 0) == 0)
    }
}

@Suite struct IngressTests {
    private let active = #"lk_ingress_active{input_type="whip"}"#
    private let started = #"lk_ingress_started_total{input_type="whip"}"#
    private let succeeded = #"lk_ingress_ended_total{input_type="whip",result="success"}"#
    private let room = Room(name: "office")

    @Test func `a stream starts and ends once`() {
        var desk = Desk()
        for _ in 0..<2 { desk.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5) }
        #expect(desk[active] == 1)
        #expect(desk[started] == 1)
        for _ in 0..<2 { desk.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 65)), in: room, at: 66) }
        #expect(desk[active] == 0)
        #expect(desk[succeeded] == 1)
        #expect(desk[#"lk_ingress_duration_seconds_sum{input_type="whip",result="success"}"#] == 60)
        #expect(desk.takeRows().isEmpty)
    }

    @Test func `its duration comes from state where the payload has none, and it may fail`() {
        var desk = Desk()
        desk.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        desk.receive(.ingressEnded(.stream("IS_1", hasFailed: true)), in: room, at: 25)
        #expect(desk[#"lk_ingress_duration_seconds_sum{input_type="whip",result="failed"}"#] == 20)
        desk.receive(.ingressEnded(.stream("IS_2")), in: room, at: 30)
        #expect(desk[succeeded] == 1)
        #expect(desk[#"lk_ingress_duration_seconds_count{input_type="whip",result="success"}"#] == nil)
    }

    @Test func `one ingress has many sessions, told apart by resource, else by start`() {
        var desk = Desk()
        desk.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        desk.receive(.ingressStarted(.stream("IS_2", started: 6)), in: room, at: 6)
        desk.receive(.ingressStarted(.stream("", started: 7)), in: room, at: 7)
        desk.receive(.ingressStarted(.stream("", started: 8)), in: room, at: 8)
        #expect(desk[started] == 4)
        // Only the newest is there: LiveKit keeps one state for each ingress.
        #expect(desk[active] == 1)
        #expect(desk[#"lkpush_entities_corrected_total{rule="ingress_restarted"}"#] == 3)
        #expect(desk[succeeded] == nil)
        desk.receive(.ingressEnded(.stream("", started: 7, ended: 9)), in: room, at: 9)
        desk.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 9)), in: room, at: 9)
        #expect(desk[active] == 1)
        #expect(desk[succeeded] == 2)
        desk.receive(.ingressEnded(.stream("", started: 8, ended: 9)), in: room, at: 9)
        #expect(desk[active] == 0)
    }

    @Test func `an older session of an ingress that is told late counts and opens nothing`() {
        var desk = Desk()
        desk.receive(.ingressStarted(.stream("IS_2", started: 60)), in: room, at: 60)
        desk.receive(.ingressStarted(.stream("IS_1", started: 50)), in: room, at: 50, received: 61)
        #expect(desk[active] == 1)
        desk.receive(.ingressEnded(.stream("IS_2", started: 60, ended: 70)), in: room, at: 70)
        #expect(desk[active] == 0)
        desk.receive(.ingressStarted(.stream("IS_0", started: 40)), in: room, at: 40, received: 71)
        #expect(desk[active] == 0)
        #expect(desk[started] == 3)
        desk.receive(.ingressStarted(.stream("IS_3", started: 80)), in: room, at: 80)
        #expect(desk[active] == 1)
    }

    @Test func `two ingresses of one room do not end each other`() {
        var desk = Desk()
        var other = Ingress.stream("IS_9", started: 6)
        other.id = "IN_2"
        desk.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5)
        desk.receive(.ingressStarted(other), in: room, at: 6)
        #expect(desk[active] == 2)
    }

    @Test func `a stream that starts in a room that ended is counted and not opened`() {
        var desk = Desk()
        desk.receive(.roomFinished, at: 5)
        desk.receive(.ingressStarted(.stream("IS_1", started: 4)), in: .officeByName, at: 4, received: 6)
        desk.receive(.ingressStarted(.stream("IS_1", started: 4)), in: .officeByName, at: 4, received: 6)
        #expect(desk[started] == 1)
        #expect((desk[active] ?? 0) == 0)
        desk.receive(.ingressEnded(.stream("IS_1", started: 4, ended: 9)), in: .officeByName, at: 9)
        #expect(desk[succeeded] == 1)
    }

    @Test func `an end that overtakes its start leaves nothing open`() {
        var desk = Desk()
        desk.receive(.ingressEnded(.stream("IS_1", started: 5, ended: 9)), in: room, at: 9)
        for _ in 0..<2 { desk.receive(.ingressStarted(.stream("IS_1", started: 5)), in: room, at: 5, received: 10) }
        #expect(desk[started] == 1)
        #expect((desk[active] ?? 0) == 0)
    }
}
