import LiveKit
import Recording
import Storage
import Testing
import Wire

@Suite struct InputMessageTests {
    static let time = Timestamp(milliseconds: 1_790_553_600_123)
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
        ] + LookupError.allCases.map { .answer(room: "office", .failure($0), at: time) }

    @Test func `every input is read as it was written`() throws {
        for input in Self.inputs {
            // A new kind of input has to be added to the samples: this stops the build.
            switch input {
            case .event, .answer, .report, .time, .presence: break
            }
            var writer = MessageWriter()
            input.encode(into: &writer)
            var reader = MessageReader(writer.bytes)
            #expect(try Input(from: &reader) == input)
        }
    }
}
