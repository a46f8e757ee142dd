import LiveKit
import Wire

/// The event table and the lives of rooms, participants of kind STANDARD and tracks, written down as plainly as
/// possible from the Specification, *Recorder* and "Lives": everything is remembered for ever, nothing expires, one
/// room per name.
///
/// Text in quotation marks is quoted from there. `LivesModel+Ends.swift` has the events that end something.
struct LivesModel {
    /// One fact about a SID: an event named it at that second.
    struct Fact {
        var sid: String
        var at: Moment
    }

    /// The time of an event.
    struct Moment {
        /// In whole seconds, as lives are told apart by it.
        var second: Int64
        /// `createdAt` as it is, as durations use it.
        var created_ms: Int64

        var beginning: Life.Beginning { Life.Beginning(second: second, start_ms: second * 1_000) }
    }

    /// All lives of each SID, in order; at most the last one is open.
    var rooms: [String: [Life]] = [:]
    var people: [String: [Life]] = [:]
    var tracks: [String: [Life]] = [:]
    var facts: [Fact] = []
    var counted = LivesFigures()
    private var ids: Set<String> = []
    private var received_ms: Int64 = 0

    var figures: LivesFigures {
        func open(_ lives: [String: [Life]]) -> [String] {
            lives.filter { $0.value.contains(where: \.isOpen) }.map(\.key)
        }
        var figures = counted
        figures.rooms = Int64(open(rooms).count)
        figures.people = Int64(open(people).count)
        figures.tracks = Int64(open(tracks).count)
        figures.rows.sort()
        figures.present = open(people).sorted()
        return figures
    }

    mutating func take(_ event: Event, receivedAt: Timestamp) {
        // "deduplicate by event id (...; an event without id is processed)".
        if !event.id.isEmpty && !ids.insert(event.id).inserted { return }
        received_ms = receivedAt.milliseconds
        let created_ms = event.createdAt > 0 ? event.createdAt * 1_000 : received_ms
        let now = Moment(second: second(created_ms), created_ms: created_ms)
        let room = event.room
        if case .roomFinished = event.body {
            roomFinished(room, now)
            return
        }
        meet(room, isStart: event.body == .roomStarted)
        switch event.body {
        case .roomStarted: roomStarted(room, now)
        case .participantJoined(let participant):
            note(participant.sid, now)
            joined(participant, room, now)
        case .participantLeft(let participant):
            note(participant.sid, now)
            left(participant, now)
        case .participantConnectionAborted(let participant):
            note(participant.sid, now)
            aborted(participant, now)
        case .trackPublished(let track, let participant):
            note(participant.sid, now)
            note(track.sid, now)
            returned(participant.sid, room, now)
            published(track, by: participant, room, now)
        case .trackUnpublished(let track, let participant):
            if isKnown(participant.sid) { note(participant.sid, now) }
            unpublished(track, now)
        default: break
        }
    }

    // MARK: Time

    /// "A time that is absent or later than receipt is the time of receipt"; "in whole seconds".
    private func second(_ time_ms: Int64) -> Int64 { min(time_ms, received_ms) / 1_000 }

    /// Whether a participant is there, or a track of it.
    func isKnown(_ person: String) -> Bool {
        people[person]?.last?.isOpen == true
            || tracks.values.contains { $0.last?.isOpen == true && $0.last?.participant == person }
    }

    private mutating func note(_ sid: String, _ now: Moment) {
        facts.append(Fact(sid: sid, at: now))
    }

    // MARK: Rooms

    /// "room_, participant_ or track_ event (not room_finished) with a room SID that is neither open nor remembered as
    /// ended: adopt the room: the gauge is right, `started` not counted". A start opens it by itself.
    private mutating func meet(_ room: Room, isStart: Bool) {
        if rooms[room.sid] == nil && !isStart { rooms[room.sid] = [Life()] }
        // "start comes from the payload": whatever event tells it first.
        guard let open = openLife(of: room.sid, in: rooms), let creation = room.createdAt?.milliseconds else { return }
        let life = rooms[room.sid]?[open]
        rooms[room.sid]?[open].creation_ms = life?.creation_ms ?? creation
        rooms[room.sid]?[open].start_ms = life?.start_ms ?? creation
    }

    private mutating func roomStarted(_ room: Room, _ now: Moment) {
        let lives = rooms[room.sid] ?? []
        // "a start that began before its own end but comes after it is counted, opens nothing and closes nothing";
        // "within the same second, order of arrival decides for rooms: what comes after the end is the new life".
        // Only the last life that ended is remembered.
        if let late = lives.lastIndex(where: { $0.end != nil }), let end = lives[late].end, now.second < end.second {
            if !lives[late].isStartCounted { counted.roomsStarted += 1 }
            rooms[room.sid]?[late].isStartCounted = true
            return
        }
        guard let open = openLife(of: room.sid, in: rooms) else {
            // "Then it counts and opens like the first; its duration begins at the later of the payload's start and
            // the opening event."
            counted.roomsStarted += 1
            openRoom(room, now.beginning)
            let last = (rooms[room.sid]?.count ?? 0) - 1
            rooms[room.sid]?[last].isStartCounted = true
            fillStart(of: room, last, now)
            return
        }
        // "once per room SID: `lk_rooms_started_total`+1"; "an adopted room gets its start filled in".
        if !lives[open].isStartCounted { counted.roomsStarted += 1 }
        rooms[room.sid]?[open].isStartCounted = true
        // "Another room_started of an open SID (a node crashed) counts nothing and drops, unobserved, participants and
        // tracks whose last event is older than its `createdAt`".
        if !lives[open].starts.isEmpty { dropSilent(in: room.sid, now) }
        fillStart(of: room, open, now)
    }

    private mutating func fillStart(of room: Room, _ life: Int, _ now: Moment) {
        rooms[room.sid]?[life].starts.append(now.second)
        rooms[room.sid]?[life].beginnings.append(now.beginning)
        guard rooms[room.sid]?[life].start_ms == nil else { return }
        rooms[room.sid]?[life].start_ms = room.createdAt?.milliseconds ?? now.created_ms
        if room.createdAt == nil { rooms[room.sid]?[life].startedAt = now.second }
    }

    /// Opens a room that is not open.
    private mutating func openRoom(_ room: Room, _ opening: Life.Beginning) {
        if openLife(of: room.sid, in: rooms) != nil { return }
        let creation = room.createdAt?.milliseconds
        let isFirst = rooms[room.sid] == nil
        rooms[room.sid, default: []].append(
            Life(isFirst: isFirst, began: opening, creation_ms: creation, start_ms: creation))
    }

    /// Something that began is known of the room's open life.
    private mutating func note(_ beginning: Life.Beginning, in room: Room) {
        guard let open = openLife(of: room.sid, in: rooms) else { return }
        // What began in an earlier life says nothing of this one.
        if let end = rooms[room.sid]?[..<open].last?.end, beginning.second < end.second { return }
        rooms[room.sid]?[open].beginnings.append(beginning)
    }

    /// When a room that is not open has ended.
    private func end(ofRoom sid: String) -> Int64? {
        openLife(of: sid, in: rooms) == nil ? rooms[sid]?.last?.end?.second : nil
    }

    // MARK: Participants

    private mutating func joined(_ participant: Participant, _ room: Room, _ now: Moment) {
        // "the beginning (`joinedAtMs`, else `joinedAt`, for a participant's own SID; else the event's `createdAt`)".
        let join_ms = participant.joinedAt?.milliseconds ?? now.created_ms
        let began = Life.Beginning(second: second(join_ms), start_ms: join_ms)
        let lives = people[participant.sid] ?? []
        // "within the same second a participant's own SID is the old one": a late start is counted, and opens nothing.
        if let late = lives.lastIndex(where: { $0.end != nil }), let end = lives[late].end, began.second <= end.second {
            if !lives[late].isStartCounted { counted.sessions += 1 }
            people[participant.sid]?[late].isStartCounted = true
            return
        }
        // "The same fact under a new event id counts once".
        if openLife(of: participant.sid, in: people) != nil { return }
        counted.sessions += 1
        var life = Life(isFirst: lives.isEmpty, isStartCounted: true, began: began)
        life.room = room.sid
        life.identity = participant.identity
        life.join_ms = join_ms
        // "or that began inside an ended room, is counted, opens nothing and closes nothing".
        if let end = end(ofRoom: room.sid), began.second < end {
            life.close(at: end, by: .room)
            people[participant.sid, default: []].append(life)
            return
        }
        // "A participant that joined after the end of its room's SID opens that room again (adopted)."
        openRoom(room, began)
        people[participant.sid, default: []].append(life)
        note(began, in: room)
        closeOthers(than: participant, joined: join_ms, room, now)
    }

    /// "participant_joined with the identity of another open participant of the same room SID: the older one is closed,
    /// unobserved; its own `left` still counts".
    private mutating func closeOthers(than one: Participant, joined join_ms: Int64, _ room: Room, _ now: Moment) {
        if one.identity.isEmpty { return }
        for (sid, lives) in people where sid != one.sid {
            guard let other = lives.last, other.isOpen, other.room == room.sid, other.identity == one.identity else {
                continue
            }
            // "What was closed by another rule (identity, restart, silence) ended at the `createdAt` of the event that
            // closed it."
            close(person: other.join_ms ?? .min > join_ms ? one.sid : sid, at: now.second, by: .other)
        }
    }

    /// "What only its room's end closed (others stay on another node) is adopted again, uncounted, by its own later
    /// event": for a participant, that of one of its tracks.
    private mutating func returned(_ sid: String, _ room: Room, _ now: Moment) {
        guard let last = people[sid]?.last, last.isClosedByRoomAlone, let end = last.end, end.second < now.second else {
            return
        }
        // Its room has not ended since.
        if let roomsEnd = self.end(ofRoom: room.sid), now.second < roomsEnd { return }
        // Nobody else has its identity: else it was replaced.
        let isTaken = people.contains {
            $0.key != sid
                && $0.value.last.map { other in
                    other.isOpen && other.room == room.sid && other.identity == last.identity && !last.identity.isEmpty
                } ?? false
        }
        if isTaken { return }
        let index = (people[sid]?.count ?? 0) - 1
        people[sid]?[index].end = nil
        people[sid]?[index].isClosedByRoomAlone = false
        // The state that held it is gone.
        people[sid]?[index].join_ms = nil
        openRoom(room, now.beginning)
    }

    // MARK: Tracks

    private mutating func published(_ track: Track, by participant: Participant, _ room: Room, _ now: Moment) {
        let lives = tracks[track.sid] ?? []
        // "a start that began before its own end but comes after it is counted, opens nothing and closes nothing".
        if let late = lives.lastIndex(where: { $0.end != nil }), Self.isLate(track.version, now.second, lives[late]) {
            if !lives[late].isStartCounted { counted.published += 1 }
            tracks[track.sid]?[late].isStartCounted = true
            // "What only its room's end closed is adopted again, uncounted, by its own later event".
            let owner = people[participant.sid]?.last?.end?.second ?? .min
            let isRoomThere = self.end(ofRoom: room.sid).map { now.second >= $0 } ?? true
            if lives[late].isClosedByRoomAlone, let end = lives[late].end, max(end.second, owner) < now.second,
                isRoomThere
            {
                openRoom(room, now.beginning)
                tracks[track.sid]?[late].end = nil
                tracks[track.sid]?[late].published.append(now.second)
                tracks[track.sid]?[late].isClosedByRoomAlone = false
            }
            return
        }
        // "a track SID is published and unpublished once in each" of its lives.
        if let open = openLife(of: track.sid, in: tracks) {
            tracks[track.sid]?[open].note(track.version)
            tracks[track.sid]?[open].published.append(now.second)
            return
        }
        counted.published += 1
        var life = Life(isFirst: lives.isEmpty, isStartCounted: true, began: now.beginning)
        life.room = room.sid
        life.participant = participant.sid
        life.version = track.version
        life.published = [now.second]
        // "or that began inside an ended room or participant, is counted, opens nothing and closes nothing".
        // "'Ended' means remembered as ended and not open again."
        if let owner = people[participant.sid]?.last, let end = owner.end, now.second <= end.second {
            life.close(at: end.second, by: owner.isClosedByRoomAlone ? .room : .other)
        } else if let end = end(ofRoom: room.sid), now.second < end {
            life.close(at: end, by: .room)
        } else {
            // "a track that was published after the end of its room's SID opens that room again (adopted)".
            openRoom(room, now.beginning)
            note(now.beginning, in: room)
        }
        tracks[track.sid, default: []].append(life)
    }

    /// Whether a publication belongs to a life that has ended.
    private static func isLate(_ version: TrackVersion?, _ second: Int64, _ life: Life) -> Bool {
        guard let end = life.end else { return false }
        // "A track's `version` decides where both events carry one".
        if let version, let last = life.version { return version <= last }
        // "otherwise, within the same second, order of arrival decides for rooms and tracks: what comes after the end
        // is the new life". Where something else ended it in that second, the same publication may come again.
        return end.closer == .itself ? second < end.second : second <= end.second
    }

    // MARK: Any

    func openLife(of sid: String, in lives: [String: [Life]]) -> Int? { lives[sid]?.lastIndex(where: \.isOpen) }
}
