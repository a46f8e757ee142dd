import LiveKit
import Metrics
import Platform
import Recording
import Storage
import Testing
import Wire

@Suite struct PropertyTests {
    static let seeds: [UInt64] = Array(1...12)

    @Test(arguments: seeds)
    func `a complete day in order is counted exactly, repeated or not`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let day = Day(rooms: 12, &random)
        var fixture = RecorderFixture()
        for event in day.events {
            fixture.deliver(event)
            if random.next() % 5 == 0 { fixture.deliver(event) }
            if random.next() % 5 == 0 { fixture.deliver(event.underNewID(&random)) }
        }
        day.check(fixture, seed: seed)
        #expect(fixture["lk_room_duration_seconds_count"] == Double(day.rooms))
    }

    @Test(arguments: seeds)
    func `a complete day in any order leaves every gauge at zero and counts every fact once`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let day = Day(rooms: 12, &random)
        var fixture = RecorderFixture()
        var events = day.events + day.events.filter { _ in random.next() % 4 == 0 }.map { $0.underNewID(&random) }
        events.shuffle(using: &random)
        let last = day.events.map(\.createdAt).max() ?? 0
        for event in events { fixture.apply(.event(event, receivedAt: Timestamp(seconds: last + 1))) }
        day.check(fixture, seed: seed)
    }

    @Test(arguments: seeds)
    func `whatever is lost, late, repeated or unanswered, the state is sound`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let day = Day(rooms: 10, &random)
        var settings = RecorderSettings.test(.database, waitingEvents: 8)
        settings.isSingleSession = true
        var fixture = RecorderFixture(settings)
        for input in day.troubled(&random) { fixture.apply(input) }
        for (name, value) in fixture.series where value < 0 { Issue.record("\(name) is \(value), seed \(seed)") }
        // Everything falls silent in the end.
        let end = (day.events.map(\.createdAt).max() ?? 0) + 4 * 86_400
        fixture.apply(.time(at: Timestamp(seconds: end)))
        for (name, value) in fixture.series where name.contains("_active") && value != 0 {
            Issue.record("\(name) is \(value), seed \(seed)")
        }
    }

    @Test(arguments: seeds)
    func `the same inputs make the same actions and the same page`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let inputs = Day(rooms: 8, &random).troubled(&random)
        var settings = RecorderSettings.test(.database, waitingEvents: 8)
        settings.isSingleSession = true
        var first = RecorderFixture(settings)
        var second = RecorderFixture(settings)
        for input in inputs {
            first.apply(input)
            second.apply(input)
        }
        #expect(first.actions == second.actions, "seed \(seed)")
        #expect(first.series == second.series, "seed \(seed)")
    }
}

extension RecorderFixture {
    mutating func deliver(_ event: Event) {
        apply(.event(event, receivedAt: Timestamp(seconds: event.createdAt)))
    }
}

extension Event {
    /// The same fact, told again by somebody else.
    func underNewID(_ random: inout SplitMix) -> Event {
        var event = self
        event.id = "EV_again_\(random.next())"
        return event
    }
}

/// A made-up day in which everything that starts ends.
struct Day {
    private(set) var events: [Event] = []
    private(set) var rooms = 0
    private(set) var sessions = 0
    private(set) var tracks = 0
    private(set) var jobs = 0
    private(set) var streams = 0

    init(rooms count: Int, _ random: inout SplitMix) {
        for number in 0..<count {
            let start = RecorderFixture.opening_s + Int64(random.next() % 30_000)
            addRoom(number, start: start, &random)
        }
        // In order of time; ends of the same second after starts, a room's last.
        events = events.enumerated().sorted { ($0.element.createdAt, $0.offset) < ($1.element.createdAt, $1.offset) }
            .map(\.element)
    }

    /// The day with losses, repetitions, delays, and a database that answers some of the questions.
    func troubled(_ random: inout SplitMix) -> [Input] {
        var inputs: [(at: Int64, input: Input)] = []
        for event in events where random.next() % 12 != 0 {
            let delay = random.next() % 6 == 0 ? Int64(random.next() % 90) : 0
            let received = event.createdAt + delay
            inputs.append((received, .event(event, receivedAt: Timestamp(seconds: received))))
            if random.next() % 10 == 0 {
                let again = random.next() % 2 == 0 ? event : event.underNewID(&random)
                inputs.append((received + 3, .event(again, receivedAt: Timestamp(seconds: received + 3))))
            }
            switch random.next() % 16 {
            case 0: inputs.append((received, .time(at: Timestamp(seconds: received))))
            case 1, 2, 3:
                let organization = Organization(
                    id: "org\(random.next() % 3)", name: "n\(random.next() % 2)", key: .integer(1))
                let time = received + Int64(random.next() % 20)
                inputs.append(
                    (time, .answer(room: event.room.name, .success(organization), at: Timestamp(seconds: time))))
            case 4:
                let reason = LookupError.allCases.randomElement(using: &random) ?? .lookup_error
                inputs.append(
                    (received, .answer(room: event.room.name, .failure(reason), at: Timestamp(seconds: received))))
            case 5:
                inputs.append((received, .report(.recent(["org1"]), at: Timestamp(seconds: received))))
            case 6:
                inputs.append((received, .report(.presence(["org2": 4]), at: Timestamp(seconds: received))))
            default: break
            }
        }
        return inputs.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element.input)
    }

    /// The page says what happened: once each, and nothing open.
    func check(_ fixture: RecorderFixture, seed: UInt64) {
        let page = fixture.series
        func sum(_ prefix: String) -> Double {
            page.filter { $0.key.hasPrefix(prefix) }.values.reduce(0, +)
        }
        for (name, value) in page where name.contains("_active") && value != 0 {
            Issue.record("\(name) is \(value), seed \(seed)")
        }
        #expect(sum("lk_rooms_started_total") == Double(rooms), "seed \(seed)")
        #expect(sum("lk_rooms_finished_total") == Double(rooms), "seed \(seed)")
        #expect(sum("lk_participant_sessions_total") == Double(sessions), "seed \(seed)")
        #expect(sum("lk_participant_lifetime_seconds_count") == Double(sessions), "seed \(seed)")
        #expect(sum("lk_tracks_published_total") == Double(tracks), "seed \(seed)")
        #expect(sum("lk_egress_started_total") == Double(jobs), "seed \(seed)")
        #expect(sum("lk_egress_ended_total") == Double(jobs), "seed \(seed)")
        #expect(sum("lk_ingress_started_total") == Double(streams), "seed \(seed)")
        #expect(sum("lk_ingress_ended_total") == Double(streams), "seed \(seed)")
    }

    // MARK: Making it

    private mutating func add(_ body: Event.Body, in room: Room, at second: Int64) {
        events.append(Event(id: "EV_\(events.count)", createdAt: second, room: room, body: body))
    }

    private mutating func addRoom(_ number: Int, start: Int64, _ random: inout SplitMix) {
        rooms += 1
        // Some rooms share a name.
        let room = Room(sid: "RM_\(number)", name: "room \(number / 2)", creationTime_ms: start * 1_000 + 321)
        let brief = Room(sid: room.sid, name: room.name)
        let end = start + 60 + Int64(random.next() % 6_000)
        func moment(_ from: Int64, _ random: inout SplitMix) -> Int64 {
            from + Int64(random.next() % UInt64(max(1, end - from)))
        }
        add(.roomStarted, in: room, at: start)
        for member in 0..<Int(random.next() % 8) {
            let kind: Participant.Kind = random.next() % 5 == 0 ? .agent : .standard
            if kind == .standard { sessions += 1 }
            let joined = moment(start, &random)
            let left = moment(joined, &random)
            let person = Participant(
                sid: "PA_\(number)_\(member)", identity: "\(random.next() % 4)", kind: kind,
                joinedAt_ms: joined * 1_000 - 250)
            add(.participantJoined(person), in: room, at: joined)
            for place in 0..<Int(random.next() % 4) {
                tracks += 1
                let published = min(left, moment(joined, &random))
                let track = Track(
                    sid: "TR_\(number)_\(member)_\(place)",
                    source: Track.Source.allCases.randomElement(using: &random) ?? .camera, type: .video,
                    version: TrackVersion(unixMicro: published * 1_000_000))
                var ended = track
                // Changed since, so that what is on and off in one second has an order.
                ended.version = TrackVersion(unixMicro: left * 1_000_000, ticks: 1)
                let brief = Room(sid: room.sid, name: room.name)
                let publisher = Participant(sid: person.sid, identity: person.identity)
                add(.trackPublished(track, by: publisher), in: brief, at: published)
                add(.trackUnpublished(ended, by: publisher), in: brief, at: left)
            }
            add(.participantLeft(person), in: room, at: left)
        }
        for job in 0..<Int(random.next() % 3) {
            jobs += 1
            let began = moment(start, &random)
            let egress = Egress(
                id: "EG_\(number)_\(job)", requestType: .web, status: .active, startedAt_ns: began * 1_000_000_000)
            var ended = egress
            ended.status = .complete
            ended.endedAt_ns = (end + 5) * 1_000_000_000
            add(.egressStarted(egress), in: brief, at: began)
            add(.egressUpdated(egress), in: brief, at: began + 1)
            add(.egressEnded(ended), in: brief, at: end + 5)
        }
        if random.next() % 2 == 0 {
            streams += 1
            let began = moment(start, &random)
            let stream = Ingress(id: "IN", resourceID: "IS_\(number)", startedAt_ns: began * 1_000_000_000)
            add(.ingressStarted(stream), in: Room(name: room.name), at: began)
            add(.ingressEnded(stream), in: Room(name: room.name), at: end)
        }
        add(.roomFinished, in: room, at: end)
    }
}
