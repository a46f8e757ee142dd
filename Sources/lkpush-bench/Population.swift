import LiveKit
import Wire

/// A LiveKit of an exact size with people who come and go: its events, as the recorder gets them.
///
/// Half of the people publish two tracks, or all of them do. Each turn picks anybody and takes the next step of a
/// visit: the tracks end, the person leaves, joins again under a new SID, and publishes. So the size stays the same,
/// and memory is visited at random.
struct Population {
    struct Size {
        var participants: Int
        var rooms: Int
        var organizations: Int

        var text: String { "\(participants)/\(rooms)/\(organizations)" }
    }

    private struct Person {
        var sid: String
        let identity: String
        let room: Int
        var tracks: [String] = []
        var joinedAt_ms: Int64
        /// The number of steps until the person is complete again.
        var step = 0
    }

    let size: Size
    /// In milliseconds since the epoch. Each event takes one.
    private(set) var now_ms: Int64 = 1_790_000_000_000
    private var people: [Person] = []
    private var rooms: [Room] = []
    private var numbers: UInt64 = 0
    private var random: UInt64 = 1

    private let doAllPublish: Bool

    init(_ size: Size, doAllPublish: Bool = false) {
        self.size = size
        self.doAllPublish = doAllPublish
        rooms = (0..<size.rooms).map { number in
            let organization = Self.organization(number % size.organizations)
            return Room(
                sid: Self.id("RM_", UInt64(number)), name: "\(organization)~standup-\(number)",
                creationTime_ms: now_ms, metadataOrganization: organization)
        }
    }

    static func organization(_ number: Int) -> String { "org_01H\(id("", UInt64(number)))" }

    var now: Timestamp { Timestamp(milliseconds: now_ms) }

    // MARK: The beginning

    /// Everybody joins.
    mutating func furnish(_ body: (Event) -> Void) {
        for room in rooms { body(event(room, .roomStarted)) }
        for number in 0..<size.participants {
            people.append(
                Person(
                    sid: newID("PA_"), identity: String(1_000_000 + number), room: number % size.rooms,
                    joinedAt_ms: now_ms))
            body(event(rooms[people[number].room], .participantJoined(participant(number))))
            for source in publishes(number) ? [Track.Source.microphone, .camera] : [] { body(publish(number, source)) }
        }
    }

    /// Makes every series once for each organization.
    mutating func cover(_ body: (Event) -> Void) {
        for number in 0..<size.organizations {
            let room = Room(
                sid: newID("RM_"), name: rooms[number % size.rooms].name, creationTime_ms: now_ms,
                metadataOrganization: Self.organization(number))
            let guest = Participant(sid: newID("PA_"), identity: "guest", joinedAt_ms: now_ms)
            let track = Track(sid: newID("TR_"), source: .screen_share, type: .video)
            body(event(room, .roomStarted))
            body(event(room, .participantJoined(guest)))
            body(event(room, .trackPublished(track, by: guest)))
            for status in [Egress.Status.complete, .failed] {
                var job = Egress(
                    id: newID("EG_"), requestType: .room_composite, status: .active, startedAt_ns: now_ms * 1_000_000)
                body(event(room, .egressStarted(job)))
                job.status = status
                job.endedAt_ns = (now_ms + 90_000) * 1_000_000
                body(event(room, .egressEnded(job)))
            }
            var stream = Ingress(
                id: newID("IN_"), resourceID: newID("RS_"), inputType: .whip, startedAt_ns: now_ms * 1_000_000)
            body(event(room, .ingressStarted(stream)))
            stream.endedAt_ns = (now_ms + 90_000) * 1_000_000
            body(event(room, .ingressEnded(stream)))
            body(event(room, .trackUnpublished(track, by: guest)))
            body(event(room, .participantLeft(guest)))
            body(event(room, .roomFinished))
        }
    }

    // MARK: Life

    private func publishes(_ number: Int) -> Bool { doAllPublish || number % 2 == 0 }

    /// Returns the next event of somebody.
    mutating func next() -> Event {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let number = Int((random >> 33) % UInt64(people.count))
        let room = rooms[people[number].room]
        defer { people[number].step = (people[number].step + 1) % (publishes(number) ? 6 : 2) }
        switch (publishes(number) ? people[number].step : people[number].step + 2) {
        case 0, 1:
            let source = people[number].tracks.count == 2 ? Track.Source.camera : .microphone
            let sid = people[number].tracks.removeLast()
            return event(room, .trackUnpublished(track(sid, source), by: participant(number)))
        case 2: return event(room, .participantLeft(participant(number)))
        case 3:
            people[number].sid = newID("PA_")
            people[number].joinedAt_ms = now_ms
            return event(room, .participantJoined(participant(number)))
        case 4: return publish(number, .microphone)
        default: return publish(number, .camera)
        }
    }

    // MARK: Making events

    private mutating func event(_ room: Room, _ body: Event.Body) -> Event {
        now_ms += 1
        var room = room
        // As in real events, only those of rooms and participants carry the whole room.
        switch body {
        case .roomStarted, .roomFinished, .participantJoined, .participantLeft: break
        default: room = Room(sid: room.sid, name: room.name)
        }
        return Event(id: newID("EV_"), createdAt: now_ms / 1_000, room: room, body: body)
    }

    private mutating func publish(_ number: Int, _ source: Track.Source) -> Event {
        let sid = newID("TR_")
        people[number].tracks.append(sid)
        return event(
            rooms[people[number].room], .trackPublished(track(sid, source), by: participant(number)))
    }

    private func track(_ sid: String, _ source: Track.Source) -> Track {
        Track(sid: sid, source: source, type: source == .camera ? .video : .audio)
    }

    private func participant(_ number: Int) -> Participant {
        let person = people[number]
        return Participant(sid: person.sid, identity: person.identity, joinedAt_ms: person.joinedAt_ms)
    }

    private mutating func newID(_ prefix: String) -> String {
        numbers += 1
        return Self.id(prefix, numbers)
    }

    /// Returns an id as long as LiveKit's: a prefix and twelve characters that are not in ascending order.
    private static func id(_ prefix: String, _ number: UInt64) -> String {
        var rest = (number &+ 1) &* 0x9E37_79B9_7F4A_7C15
        let letters: StaticString = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
        return String(unsafeUninitializedCapacity: prefix.utf8.count + 12) { target in
            var count = 0
            for byte in prefix.utf8 {
                target[count] = byte
                count += 1
            }
            for _ in 0..<12 {
                target[count] = letters.utf8Start[Int(rest & 31)]
                rest >>= 5
                count += 1
            }
            return count
        }
    }
}
