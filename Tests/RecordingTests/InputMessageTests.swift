import LiveKit
import Recording
import Storage
import Testing
import Wire

@Suite struct InputMessageTests {
    static let time = Timestamp(milliseconds: 1_790_553_600_123)
    /// A result with something of everything.
    static let poll: PollResult = {
        var poll = PollResult(askedAt: time)
        (poll.absentRooms, poll.differingRooms, poll.settledRooms) = (["RM_1", "RM_2"], ["RM_3"], ["RM_4"])
        (poll.absentEgress, poll.absentIngress) = (["EG_1"], ["IS_1"])
        poll.corrections = [
            .endRoom(sid: "RM_1", at: time), .endRoom(sid: "RM_2", at: nil), .endParticipant(sid: "PA_1", at: time),
            .endParticipant(sid: "PA_2", at: nil), .endTrack(sid: "TR_1"), .dropEgress(id: "EG_1"),
            .dropIngress(key: "IS_1"), .endEgress(.job("EG_2", status: .complete, started: 1, ended: 2), .office),
            .endIngress(.stream("IS_2", started: 1, ended: 2), .office), .adoptRoom(.office),
            .adoptParticipant(.person("PA_3", joined: 4), room: "RM_1"),
            .adoptTrack(Track(sid: "TR_2", source: .camera, type: .video), participant: "PA_3"),
            .adoptEgress(.job("EG_3", started: 5), .officeByName),
            .adoptIngress(.stream("IS_3", started: 6), Room(name: "office")),
        ]
        return poll
    }()

    static let inputs: [Input] =
        [
            .event(Event(id: "EV", createdAt: 7, room: .office, body: .roomStarted), receivedAt: time),
            .answer(room: "", .success(Organization(id: "acme", name: "Acme", key: .integer(1))), at: time),
            .report(.recent(["a"]), at: time), .report(.presence([:]), at: time), .time(at: time),
            .time(at: Timestamp(milliseconds: 0)), .presence([], at: time),
            .presence(
                (0..<3).map {
                    OpenPresence(
                        participantSID: "PA_\($0)", roomSID: "RM", roomName: "office",
                        organization: Organization(id: "acme", name: "Acme"), userID: 1, identity: "i", joinedAt: time)
                }, at: time),
            .poll(PollResult(askedAt: time), at: time), .poll(poll, at: time), .stopping(at: time),
            .clock(ahead_ms: -3_600_000, at: time), .clock(ahead_ms: 0, at: time),
            .event(
                Event(
                    id: "EV", createdAt: 7, room: .office,
                    body: .agentJobEnded(AgentJob(id: "AJ", agentName: "notes", status: .failed, endedAt_ns: 5))),
                receivedAt: time), .report(.usageTable(isUsable: true), at: time),
        ] + LookupError.allCases.map { .answer(room: "office", .failure($0), at: time) }

    @Test func `every input is read as it was written`() throws {
        for input in Self.inputs {
            // A new kind of input has to be added to the samples: this stops the build.
            switch input {
            case .event, .answer, .report, .time, .presence, .poll, .stopping, .clock: break
            }
            var writer = MessageWriter()
            input.encode(into: &writer)
            var reader = MessageReader(writer.bytes)
            #expect(try Input(from: &reader) == input)
        }
    }
}
