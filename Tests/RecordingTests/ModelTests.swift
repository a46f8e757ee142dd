import LiveKit
import Platform
import Recording
import Testing
import Wire

/// The recorder under its first rules, which know one life of each SID, beside a second one that is written down from
/// the event table as plainly as possible: slow, and without expiry. A journal that was written under these rules is
/// replayed under them.
@Suite struct ModelTests {
    static let seeds: [UInt64] = Array(1...16)

    @Test(arguments: seeds)
    func `rooms, participants and tracks are what the event table says`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var fixture = RecorderFixture()
        fixture.isChecking = false
        fixture.rules = 1
        var model = Model()
        var clock_s: Int64 = 1_000
        for step in 0..<600 {
            clock_s += Int64(random.next() % 20)
            let late = random.next() % 8 == 0 ? Int64(random.next() % 150) : 0
            let event = Self.event(at: clock_s - late, &random)
            fixture.receive(
                event.body, in: event.room, at: clock_s - late, received: Double(clock_s), id: "\(step)")
            model.take(event, at: clock_s - late)
            // Reading a page takes longer than making it.
            guard step % 20 == 0 else { continue }
            let found = Model.Figures(fixture)
            #expect(found == model.figures, "seed \(seed), step \(step): \(event)")
            if found != model.figures { return }
        }
    }

    private static func event(at second: Int64, _ random: inout SplitMix) -> Event {
        func pick(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        let room = pick(4)
        let start = pick(3) == 0 ? nil : Int64(room * 300)
        let person = pick(10)
        let participant = Participant.person(
            "PA_\(person)", pick(9) == 0 ? "" : "\(person % 4)", kind: person == 3 ? .agent : .standard,
            joined: pick(4) == 0 ? nil : max(0, second - Int64(pick(60))))
        let track = Track(sid: "TR_\(pick(14))")
        let body: Event.Body =
            switch pick(20) {
            case 0, 1: .roomStarted
            case 2: .roomFinished
            case 3...8: .participantJoined(participant)
            case 9, 10: .participantLeft(participant)
            case 11: .participantConnectionAborted(participant)
            case 12...17: .trackPublished(track, by: participant)
            default: .trackUnpublished(track, by: participant)
            }
        // SIDs are used up quickly: every now and then there are new ones.
        let generation = second / 1_500
        var event = Event(room: .named("office \(room % 2)", sid: "RM_\(room)_\(generation)", start: start), body: body)
        event.createdAt = second
        return event
    }
}

/// The event table in the order of its rows: Specification, *Recorder*.
private struct Model {
    struct Figures: Equatable {
        var rooms = 0.0, people = 0.0, tracks = 0.0
        var roomsStarted = 0.0, roomsFinished = 0.0, sessions = 0.0, published = 0.0
        var roomDurations = 0.0, room_s = 0.0, lifetimes = 0.0, life_s = 0.0, implausible = 0.0
    }

    struct Facts { var isStarted = false, isEnded = false, isClosed = false }
    struct RoomModel { var name: String, start: Int64?, last: Int64, opened: Int }
    struct Person { var room: String, identity: String, isStandard = true, join: Int64?, last: Int64 }
    struct TrackModel { var person: String, last: Int64 }

    var rooms: [String: RoomModel] = [:]
    var people: [String: Person] = [:]
    var tracks: [String: TrackModel] = [:]
    var facts: [String: Facts] = [:]
    var opened = 0
    var counted = Figures()

    var figures: Figures {
        var figures = counted
        figures.rooms = Double(rooms.count)
        figures.people = Double(people.values.filter { $0.join != nil && $0.isStandard }.count)
        figures.tracks = Double(tracks.count)
        return figures
    }

    mutating func take(_ event: Event, at second: Int64) {
        let sid = event.room.sid
        let start = event.room.createdAt.map { $0.milliseconds / 1_000 - RecorderFixture.opening_s }
        if rooms[sid] != nil { touch(sid, start, second) }
        switch event.body {
        case .roomStarted:
            let wasStarted = facts[sid]?.isStarted == true
            if !wasStarted { counted.roomsStarted += 1 }
            facts[sid, default: Facts()].isStarted = true
            if rooms[sid] == nil {
                open(sid, event.room.name, start ?? second, second)
            } else if wasStarted {
                for (key, person) in people where person.room == sid && person.last < second { close(key) }
                for (key, track) in tracks where people[track.person]?.room == sid && track.last < second {
                    closeTrack(key)
                }
            } else if rooms[sid]?.start == nil {
                rooms[sid]?.start = second
            }
        case .roomFinished:
            if facts[sid]?.isEnded == true { return }
            counted.roomsFinished += 1
            if let start = start ?? rooms[sid]?.start { observe(from: start, to: second, isRoom: true) }
            for (key, person) in people where person.room == sid {
                if let join = person.join, person.isStandard {
                    observe(from: join, to: second, isRoom: false)
                    facts[key, default: Facts()].isEnded = true
                }
            }
            closeRoom(sid)
            facts[sid, default: Facts()].isEnded = true
        case .participantJoined(let participant): join(participant, event.room, start, second)
        case .participantLeft(let participant):
            open(sid, event.room.name, start, second)
            let state = people[participant.sid]
            let isStandard = state?.join != nil ? state?.isStandard == true : participant.kind == .standard
            if facts[participant.sid]?.isEnded != true, isStandard, let join = Self.joined(participant) ?? state?.join {
                observe(from: join, to: second, isRoom: false)
            }
            close(participant.sid)
            facts[participant.sid, default: Facts()].isEnded = true
        case .participantConnectionAborted(let participant):
            open(sid, event.room.name, start, second)
            close(participant.sid)
        case .trackPublished(let track, let participant):
            open(sid, event.room.name, start, second)
            noteEvent(of: participant.sid, second)
            if let last = tracks[track.sid]?.last { tracks[track.sid]?.last = max(last, second) }
            if facts[track.sid]?.isStarted != true { counted.published += 1 }
            facts[track.sid, default: Facts()].isStarted = true
            if tracks[track.sid] != nil || facts[track.sid]?.isClosed == true { return }
            let isHomeless = rooms[sid] == nil || facts[participant.sid]?.isClosed == true
            if isHomeless { return facts[track.sid, default: Facts()].isClosed = true }
            if people[participant.sid] == nil {
                people[participant.sid] = Person(
                    room: sid, identity: participant.identity, join: nil, last: second)
            }
            tracks[track.sid] = TrackModel(person: participant.sid, last: second)
        case .trackUnpublished(let track, let participant):
            open(sid, event.room.name, start, second)
            noteEvent(of: participant.sid, second)
            closeTrack(track.sid)
        default: break
        }
    }

    private mutating func join(_ participant: Participant, _ room: Room, _ start: Int64?, _ second: Int64) {
        open(room.sid, room.name, start, second)
        let key = participant.sid
        noteEvent(of: key, second)
        if people[key]?.join != nil { return }
        if participant.kind == .standard, facts[key]?.isStarted != true { counted.sessions += 1 }
        facts[key, default: Facts()].isStarted = true
        if rooms[room.sid] == nil || facts[key]?.isClosed == true {
            if people[key] == nil { facts[key, default: Facts()].isClosed = true }
            return
        }
        var person =
            people[key] ?? Person(room: room.sid, identity: "", join: nil, last: second)
        person.identity = participant.identity
        person.isStandard = participant.kind == .standard
        let joined = Self.joined(participant) ?? second
        person.join = joined
        people[key] = person
        if person.identity.isEmpty { return }
        for (other, rival) in people where other != key && rival.room == person.room && rival.join != nil {
            guard rival.identity == person.identity else { continue }
            close(rival.join ?? 0 > joined ? key : other)
        }
    }

    private static func joined(_ participant: Participant) -> Int64? {
        participant.joinedAt.map { $0.milliseconds / 1_000 - RecorderFixture.opening_s }
    }

    /// Opens or adopts a room, unless it is open or must not be.
    private mutating func open(_ sid: String, _ name: String, _ start: Int64?, _ second: Int64) {
        if rooms[sid] != nil || facts[sid]?.isClosed == true { return }
        opened += 1
        rooms[sid] = RoomModel(name: name, start: start, last: second, opened: opened)
        closeOlder(than: sid)
    }

    private mutating func touch(_ sid: String, _ start: Int64?, _ second: Int64) {
        if let last = rooms[sid]?.last { rooms[sid]?.last = max(last, second) }
        if rooms[sid]?.start == nil { rooms[sid]?.start = start }
        closeOlder(than: sid)
    }

    private mutating func noteEvent(of person: String, _ second: Int64) {
        if let last = people[person]?.last { people[person]?.last = max(last, second) }
    }

    private mutating func closeOlder(than sid: String) {
        guard let room = rooms[sid] else { return }
        for (key, other) in rooms where key != sid && other.name == room.name && other.last + 60 <= room.last {
            let isOlder =
                if let start = other.start, let mine = room.start, start != mine { start < mine } else {
                    other.opened < room.opened
                }
            if isOlder { closeRoom(key) }
        }
    }

    private mutating func closeRoom(_ sid: String) {
        for (key, person) in people where person.room == sid { close(key) }
        rooms[sid] = nil
        facts[sid, default: Facts()].isClosed = true
    }

    private mutating func close(_ key: String) {
        for (track, state) in tracks where state.person == key { closeTrack(track) }
        people[key] = nil
        facts[key, default: Facts()].isClosed = true
    }

    private mutating func closeTrack(_ key: String) {
        let holder = tracks[key]?.person
        tracks[key] = nil
        facts[key, default: Facts()].isClosed = true
        guard let holder, people[holder]?.join == nil, !tracks.values.contains(where: { $0.person == holder }) else {
            return
        }
        people[holder] = nil
    }

    private mutating func observe(from start: Int64, to end: Int64, isRoom: Bool) {
        let duration = end - start
        if duration < -2 || duration > 7 * 86_400 { return counted.implausible += 1 }
        if isRoom {
            counted.roomDurations += 1
            counted.room_s += Double(max(0, duration))
        } else {
            counted.lifetimes += 1
            counted.life_s += Double(max(0, duration))
        }
    }
}

extension Model.Figures {
    init(_ fixture: RecorderFixture) {
        let page = fixture.series
        func sum(_ name: String) -> Double {
            page.filter { $0.key.hasPrefix(name) }.values.reduce(0, +)
        }
        self.init(
            rooms: sum("lk_room_active"), people: sum("lk_participants_active"), tracks: sum("lk_tracks_active"),
            roomsStarted: sum("lk_rooms_started_total"), roomsFinished: sum("lk_rooms_finished_total"),
            sessions: sum("lk_participant_sessions_total"), published: sum("lk_tracks_published_total"),
            roomDurations: sum("lk_room_duration_seconds_count"), room_s: sum("lk_room_duration_seconds_sum"),
            lifetimes: sum("lk_participant_lifetime_seconds_count"),
            life_s: sum("lk_participant_lifetime_seconds_sum"), implausible: sum("lkpush_implausible_durations_total"))
    }
}
