import LiveKit
import Wire

extension LivesModel {
    // MARK: Rooms

    mutating func roomFinished(_ room: Room, _ now: Moment) {
        // "STANDARD participants still in it end now (observed and persisted), the others and all its tracks are
        // dropped"; "`room_finished` closes only what began up to its `createdAt`".
        let staying = endContents(of: room.sid, now)
        guard let open = openLife(of: room.sid, in: rooms), let life = rooms[room.sid]?[open] else {
            return moveRoomsEnd(room, now)
        }
        // "An end belongs to the open life, unless it was created before that life began and an earlier life is
        // remembered."
        if open > 0, let began = life.roomBegan, now.second < began.second {
            if let end = rooms[room.sid]?[open - 1].end, end.second < now.second {
                rooms[room.sid]?[open - 1].end?.second = now.second
            }
            return
        }
        counted.roomsFinished += 1
        observeRoom(life, room, now)
        rooms[room.sid]?[open].isEndCounted = true
        rooms[room.sid]?[open].end = Life.End(second: now.second, closer: .itself)
        rooms[room.sid]?[open].beginnings.removeAll { $0.second > now.second }
        // "Where a later participant, track or `room_started` of that SID is known, the room stays open as its next
        // life, whose start counts now."
        var next = Life(isFirst: false, creation_ms: life.creation_ms)
        next.beginnings = known(of: room.sid, life).filter { $0.second > now.second }
        if !next.beginnings.isEmpty {
            counted.roomsStarted += 1
            next.isStartCounted = true
            next.starts = life.starts.filter { $0 > now.second }
            rooms[room.sid]?.append(next)
        } else if !staying.isEmpty {
            // Somebody's later event has opened it again: adopted, as if that event had come now.
            next.began = Life.Beginning.first(staying)
            rooms[room.sid]?.append(next)
        }
    }

    /// What is known of the beginnings in a room: those of what is in it, its first and last start, and the latest one,
    /// also of what has left.
    private func known(of room: String, _ life: Life) -> [Life.Beginning] {
        var known: [Life.Beginning] = []
        for lives in Array(people.values) + Array(tracks.values) {
            guard let one = lives.last, one.isOpen, one.room == room, let began = one.began else { continue }
            known.append(began)
        }
        let starts = [life.starts.first, life.starts.max()].compactMap { $0 }
        known += starts.map { Life.Beginning(second: $0, start_ms: $0 * 1_000) }
        let latest = life.beginnings.map(\.second).max()
        known += [Life.Beginning.first(life.beginnings.filter { $0.second == latest })].compactMap { $0 }
        return known
    }

    /// "An end that finds nothing open moves the remembered end forward, and never begins a life."
    private mutating func moveRoomsEnd(_ room: Room, _ now: Moment) {
        if let last = rooms[room.sid]?.indices.last {
            rooms[room.sid]?[last].moveEnd(to: now.second)
            return
        }
        counted.roomsFinished += 1
        var life = Life(isEndCounted: true)
        life.close(at: now.second, by: .itself)
        observeRoom(life, room, now)
        rooms[room.sid] = [life]
    }

    /// "observe `lk_room_duration_seconds` = `createdAt` - start, where start comes from the payload, else from state,
    /// else no observation".
    private mutating func observeRoom(_ life: Life, _ room: Room, _ now: Moment) {
        var start_ms = room.createdAt?.milliseconds ?? life.start_ms
        if life.isFirst {
            // A start that is told by nothing but a later `room_started` is the next life's.
            if room.createdAt == nil, let started = life.startedAt, started > now.second { start_ms = nil }
        } else if let began = life.roomBegan {
            // "its duration and usage begin at the later of the payload's start and the opening event".
            start_ms = max(room.createdAt?.milliseconds ?? life.creation_ms ?? .min, began.start_ms)
        }
        guard let start_ms, let took_ms = duration(from: start_ms, to: now) else { return }
        counted.roomDurations += 1
        counted.room_ms += took_ms
    }

    /// Ends what began up to now in a room whose end this is. Returns when those who have a later event of their own,
    /// and so are adopted again, told of it.
    private mutating func endContents(of room: String, _ now: Moment) -> [Life.Beginning] {
        var staying: [Life.Beginning] = []
        for (sid, lives) in people {
            guard let index = openLife(of: sid, in: people), lives[index].room == room,
                let began = lives[index].began, began.second <= now.second
            else { continue }
            // "its `left` then observes nothing": neither does another end of its room.
            if let join_ms = lives[index].join_ms, !lives[index].isEndCounted {
                observePerson(lives[index].identity, from: join_ms, now)
                people[sid]?[index].isEndCounted = true
            }
            if !hasLaterTrack(sid, now) { close(person: sid, at: now.second, by: .room) }
        }
        for (sid, lives) in tracks {
            guard let index = openLife(of: sid, in: tracks), lives[index].room == room,
                let began = lives[index].began, began.second <= now.second
            else { continue }
            let later = lives[index].published.filter { $0 > now.second }
            staying += later.map { Life.Beginning(second: $0, start_ms: $0 * 1_000) }
            if later.isEmpty { tracks[sid]?[index].close(at: now.second, by: .room) }
        }
        return staying
    }

    /// Whether a track of a participant is open that was told to be published later.
    private func hasLaterTrack(_ person: String, _ now: Moment) -> Bool {
        tracks.values.contains { lives in
            guard let life = lives.last, life.isOpen, life.participant == person else { return false }
            return life.published.contains { $0 > now.second }
        }
    }

    /// Drops, unobserved, participants and tracks whose last event is older than now.
    mutating func dropSilent(in room: String, _ now: Moment) {
        func isSilent(_ sid: String) -> Bool { !facts.contains { $0.sid == sid && $0.at.created_ms >= now.created_ms } }
        for (sid, lives) in people where lives.last?.room == room && lives.last?.isOpen == true && isSilent(sid) {
            close(person: sid, at: now.second, by: .other)
        }
        for (sid, lives) in tracks where lives.last?.room == room && lives.last?.isOpen == true && isSilent(sid) {
            tracks[sid]?[lives.count - 1].close(at: now.second, by: .other)
            // Whoever is known by a track only is not known any more.
            let person = lives.last?.participant ?? ""
            if !isKnown(person) { facts.removeAll { $0.sid == person } }
        }
    }

    // MARK: Participants

    mutating func left(_ participant: Participant, _ now: Moment) {
        let sid = participant.sid
        let payload_ms = participant.joinedAt?.milliseconds
        let lives = people[sid] ?? []
        guard let index = lifeThatEnds(lives, now), index < lives.count else {
            // Its end overtakes its start, or its start was lost.
            if let payload_ms { observePerson(participant.identity, from: payload_ms, now) }
            return appendEnded(sid, isEndCounted: true, now)
        }
        let life = lives[index]
        // "A second `left` for a SID that has left changes nothing".
        if !life.isEndCounted {
            // "`createdAt` - join (`joinedAtMs`, else `joinedAt` of the payload, else state)".
            var join_ms = payload_ms ?? (life.isOpen ? life.join_ms : nil)
            // "its duration and usage begin at the later of the payload's start and the opening event".
            if !life.isFirst, life.isOpen, let start_ms = join_ms, let began = life.began {
                join_ms = max(start_ms, began.start_ms)
            }
            if let join_ms { observePerson(participant.identity, from: join_ms, now) }
        }
        people[sid]?[index].isEndCounted = true
        endPerson(sid, index, now)
    }

    /// "drop the participant if it is open (usually it never joined); nothing observed".
    mutating func aborted(_ participant: Participant, _ now: Moment) {
        let lives = people[participant.sid] ?? []
        guard let index = lifeThatEnds(lives, now), index < lives.count else {
            return appendEnded(participant.sid, isEndCounted: false, now)
        }
        endPerson(participant.sid, index, now)
    }

    /// "An end belongs to the open life, unless it was created before that life began and an earlier life is
    /// remembered."
    private func lifeThatEnds(_ lives: [Life], _ now: Moment) -> Int? {
        guard let last = lives.indices.last else { return nil }
        guard lives[last].isOpen, last > 0, let began = lives[last].began, now.second < began.second else {
            return last
        }
        return last - 1
    }

    private mutating func appendEnded(_ sid: String, isEndCounted: Bool, _ now: Moment) {
        var life = Life(isEndCounted: isEndCounted)
        life.close(at: now.second, by: .itself)
        people[sid] = [life]
        dropTracks(of: sid, beganUpTo: .max, at: now.second, by: .other)
    }

    private mutating func endPerson(_ sid: String, _ index: Int, _ now: Moment) {
        if people[sid]?[index].isOpen == true {
            // "closing a participant always drops its tracks".
            return close(person: sid, at: now.second, by: .itself)
        }
        people[sid]?[index].moveEnd(to: now.second)
        // "drop the participant and its tracks", and "An end closes what began before it."
        dropTracks(of: sid, beganUpTo: now.second, at: now.second, by: .other)
    }

    mutating func close(person sid: String, at second: Int64, by closer: Life.Closer) {
        guard let open = openLife(of: sid, in: people) else { return }
        people[sid]?[open].close(at: second, by: closer)
        dropTracks(of: sid, beganUpTo: .max, at: second, by: closer == .room ? .room : .other)
    }

    private mutating func dropTracks(of person: String, beganUpTo last: Int64, at second: Int64, by closer: Life.Closer)
    {
        for (sid, lives) in tracks {
            guard let index = openLife(of: sid, in: tracks), lives[index].participant == person,
                let began = lives[index].began, began.second <= last
            else { continue }
            tracks[sid]?[index].close(at: second, by: closer)
        }
    }

    /// "observe `lk_participant_lifetime_seconds`, persist the session".
    private mutating func observePerson(_ identity: String, from start_ms: Int64, _ now: Moment) {
        guard let took_ms = duration(from: start_ms, to: now) else { return }
        counted.lifetimes += 1
        counted.life_ms += took_ms
        counted.rows.append(LivesFigures.Session(user: Int64(identity) ?? -1, took_ms: took_ms))
    }

    // MARK: Tracks

    mutating func unpublished(_ track: Track, _ now: Moment) {
        let lives = tracks[track.sid] ?? []
        guard let last = lives.indices.last else {
            var life = Life()
            life.version = track.version
            life.close(at: now.second, by: .itself)
            tracks[track.sid] = [life]
            return
        }
        var index = last
        if lives[last].isOpen, last > 0, Self.isBefore(track.version, now.second, lives[last]) { index = last - 1 }
        tracks[track.sid]?[index].note(track.version)
        if lives[index].isOpen {
            tracks[track.sid]?[index].close(at: now.second, by: .itself)
        } else {
            tracks[track.sid]?[index].moveEnd(to: now.second)
        }
    }

    /// Whether a track's end was created before that life began.
    private static func isBefore(_ version: TrackVersion?, _ second: Int64, _ life: Life) -> Bool {
        if let version, let own = life.version { return version < own }
        return second < life.began?.second ?? second
    }

    // MARK: Durations

    /// "a duration from -2 s to 0 is 0. One below that, or over 7 days, is neither observed nor persisted, and counted".
    private mutating func duration(from start_ms: Int64, to now: Moment) -> Int64? {
        let took_ms = now.created_ms - start_ms
        if took_ms < -2_000 || took_ms > 7 * 86_400_000 {
            counted.implausible += 1
            return nil
        }
        return max(0, took_ms)
    }
}
