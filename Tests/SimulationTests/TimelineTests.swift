import LiveKit
import Simulation
import Testing
import Wire

@Suite struct TimelineTests {
    private static let start = Timestamp(milliseconds: 1_800_000_000_321)

    @Test(arguments: [0.5, 1, 60, 1_000])
    func `a webhook is created in the second in which it is due`(speed: Double) {
        let timeline = Timeline(startedAt: Self.start, speed: speed)
        for webhook in OfficeTests.afternoon().prefix(3_000) {
            let shown = timeline.shift(at: webhook.at)(webhook.at).milliseconds / 1_000
            #expect(shown == timeline.moment(webhook.at).milliseconds / 1_000)
        }
    }

    @Test(arguments: [1, 60, 1_000])
    func `payloads keep the office's durations at any speed`(speed: Double) throws {
        let timeline = Timeline(startedAt: Self.start, speed: speed)
        for webhook in OfficeTests.afternoon() {
            let event = try EventDecoder().decode(webhook.message.body(shift: timeline.shift(at: webhook.at)).span)
            guard case .left(_, _, let stayed, _)? = webhook.facts.first,
                case .participantLeft(let participant) = event.body, let joinedAt = participant.joinedAt
            else { continue }
            #expect(abs(max(0, Double(event.createdAt) - joinedAt.seconds) - stayed) < 0.0005)
        }
    }

    @Test(arguments: [1, 60, 5_000])
    func `arrivals of one identity are told in their order at any speed`(speed: Double) throws {
        let timeline = Timeline(startedAt: Self.start, speed: speed)
        var last: [String: Timestamp] = [:]
        var count = 0
        for webhook in OfficeTests.afternoon() {
            let event = try EventDecoder().decode(webhook.message.body(shift: timeline.shift(at: webhook.at)).span)
            guard case .participantJoined(let participant) = event.body, let joinedAt = participant.joinedAt else {
                continue
            }
            if let earlier = last[participant.identity] {
                #expect(earlier <= joinedAt)
                count += 1
            }
            last[participant.identity] = joinedAt
        }
        #expect(count > 50)
    }
}
