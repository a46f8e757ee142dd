import LiveKit
import Platform
import Recording
import Storage
import Wire

/// Makes inputs that are valid by type only.
enum Stranger {
    static func step_ms(_ random: inout SplitMix) -> Int64 {
        switch random.next() % 200 {
        case 0: -Int64(random.next() % 200_000_000)
        case 1: Int64(random.next() % 200_000_000)
        case 2...20: -Int64(random.next() % 3_000)
        default: Int64(random.next() % 30_000)
        }
    }

    static func input(at time: Timestamp, _ random: inout SplitMix) -> Input {
        switch random.next() % 20 {
        case 0: return .time(at: time)
        case 1, 2:
            let id = pick(["", "acme", "globex", "unknown"], &random)
            let organization = Organization(id: id, name: pick(["", "A", "B", id], &random), key: .integer(1))
            return .answer(room: name(&random), .success(organization), at: time)
        case 3:
            let failure = LookupError.allCases.randomElement(using: &random) ?? .lookup_error
            return .answer(room: name(&random), .failure(failure), at: time)
        case 4: return .report(report(&random), at: time)
        case 5 where random.next() % 3 == 0:
            return .presence((0..<3).map { _ in presence(at: time, &random) }, at: time)
        default: return .event(event(at: time, &random), receivedAt: time)
        }
    }

    private static func presence(at time: Timestamp, _ random: inout SplitMix) -> OpenPresence {
        OpenPresence(
            participantSID: sid("PA", &random), roomSID: sid("RM", &random), roomName: name(&random),
            organization: Organization(id: pick(["", "acme", "unknown"], &random), name: "P", key: .integer(2)),
            userID: number(7, &random), identity: pick(["", "7", "anna"], &random),
            joinedAt: Timestamp(milliseconds: number(time.milliseconds, &random)))
    }

    private static func report(_ random: inout SplitMix) -> Report {
        let ids = ["", "acme", "globex", "unknown", "other"].filter { _ in random.next() % 2 == 0 }
        switch random.next() % 4 {
        case 0: return .recent(Set(ids))
        case 1: return .presence(Dictionary(uniqueKeysWithValues: ids.map { ($0, 2) }))
        case 2:
            return .licenses((ids + ids).map { Organization(id: $0, name: "L", recordingLimit_minutes: 1) })
        default:
            let window = Report.Window.allCases.randomElement(using: &random) ?? .day
            return .recordings(
                window,
                Dictionary(uniqueKeysWithValues: ids.map { ($0, .init(completed: 1, duration_seconds: 2)) }))
        }
    }

    private static func pick<T>(_ values: [T], _ random: inout SplitMix) -> T {
        values[Int(random.next() % UInt64(values.count))]
    }

    private static func name(_ random: inout SplitMix) -> String {
        pick(["", "a", "b-X", "b-Y", "\u{E9}", "e\u{301}", "7"], &random)
    }

    private static func sid(_ prefix: String, _ random: inout SplitMix) -> String {
        let number = random.next() % 12
        return number == 0 ? "" : "\(prefix)_\(number)"
    }

    private static func number(_ near: Int64, _ random: inout SplitMix) -> Int64 {
        let jitter = Int64(random.next() % 200) - 100
        return pick([0, 1, -1, .min, .max, near, near &+ jitter, near &- jitter], &random)
    }

    private static func event(at time: Timestamp, _ random: inout SplitMix) -> Event {
        let now_s = time.milliseconds / 1_000
        let room = Room(
            sid: sid("RM", &random), name: name(&random), creationTime_ms: number(now_s &* 1_000, &random),
            creationTime_s: number(now_s, &random),
            metadataOrganization: pick([nil, nil, "", "acme", "globex", "unknown"], &random))
        let person = Participant(
            sid: sid("PA", &random), identity: pick(["", "7", "anna", "\u{E9}", "e\u{301}"], &random),
            kind: Participant.Kind.allCases.randomElement(using: &random) ?? .standard,
            joinedAt_ms: number(now_s &* 1_000, &random), joinedAt_s: number(now_s, &random))
        let track = Track(
            sid: sid("TR", &random), source: Track.Source.allCases.randomElement(using: &random) ?? .camera)
        let egress = Egress(
            id: sid("EG", &random), requestType: Egress.RequestType.allCases.randomElement(using: &random) ?? .web,
            status: Egress.Status.allCases.randomElement(using: &random) ?? .active,
            startedAt_ns: number(now_s &* 1_000_000_000, &random), endedAt_ns: number(now_s &* 1_000_000_000, &random),
            retryCount: number(2, &random), media_ns: number(0, &random), size_bytes: number(0, &random))
        let ingress = Ingress(
            id: sid("IN", &random), resourceID: sid("IS", &random),
            inputType: Ingress.InputType.allCases.randomElement(using: &random) ?? .rtmp,
            startedAt_ns: number(now_s &* 1_000_000_000, &random), endedAt_ns: number(now_s &* 1_000_000_000, &random))
        let bodies: [Event.Body] = [
            .roomStarted, .roomFinished, .participantJoined(person), .participantJoined(person),
            .participantLeft(person), .participantConnectionAborted(person), .trackPublished(track, by: person),
            .trackPublished(track, by: person), .trackUnpublished(track, by: person), .egressStarted(egress),
            .egressUpdated(egress), .egressEnded(egress), .ingressStarted(ingress), .ingressEnded(ingress), .other,
        ]
        return Event(
            id: pick(["", "EV_\(random.next() % 5_000)"], &random), createdAt: number(now_s, &random), room: room,
            body: pick(bodies, &random))
    }
}
