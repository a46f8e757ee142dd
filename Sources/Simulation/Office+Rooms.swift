import LiveKit
import Wire

/// Rooms open, become idle, close, and lose their server.
extension Office {
    /// LiveKit's `departureTimeout`: an empty room closes after this time.
    private static let idle_ms: Int64 = 20_000
    /// The time from the death of a server to the first room on another one.
    private static let down_ms: Int64 = 30_000

    func fullRoom(_ room: Int) -> RoomMessage.Detail {
        let place = rooms[room]
        let present = place.attendees.compactMap { attendees[$0] }
        return .full(
            RoomMessage.FullRoom(
                createdAt: place.openedAt, organization: organizations[place.organization],
                participants: present.count(where: \.kind.isCounted),
                publishers: present.count { !$0.tracks.isEmpty },
                isRecorded: present.contains { $0.kind == .egress }))
    }

    mutating func open(_ room: Int) {
        guard !rooms[room].isOpen else { return }
        rooms[room].sid = random.id("RM_")
        rooms[room].openedAt = time(now)
        rooms[room].isOpen = true
        let sid = rooms[room].sid
        say(.roomStarted, in: room, detail: fullRoom(room), .room(ended: false), facts: [.roomOpened(sid: sid)])
    }

    /// Plans a check whether the room is still empty of people.
    mutating func watchIdle(_ room: Int) {
        guard rooms[room].isOpen, !isInhabited(room) else { return }
        plan(after: Self.idle_ms, .checkIdle(room: room, mark: rooms[room].mark))
    }

    mutating func checkIdle(_ room: Int, _ mark: Int) {
        let place = rooms[room]
        guard place.isOpen, !place.isDown, place.mark == mark, !isInhabited(room) else { return }
        closeRoom(room, because: .room_closed)
    }

    /// Returns true if people are in the room. Agents and recorders do not keep a room open.
    private func isInhabited(_ room: Int) -> Bool {
        rooms[room].attendees.contains { sid in
            switch attendees[sid]?.kind {
            case .standard, .sip, .ingress, .connector, .bridge: true
            case .agent, .egress, .other, nil: false
            }
        }
    }

    mutating func closeRoom(_ room: Int, because reason: DisconnectReason) {
        for sid in rooms[room].attendees { leave(sid, because: reason) }
        let place = rooms[room]
        let end = endReason(reason)
        say(
            .roomFinished, in: room, detail: fullRoom(room), .room(ended: true, reason: end),
            facts: [.roomClosed(sid: place.sid, lasted_seconds: whole(since: place.openedAt), reason: end)])
        rooms[room].isOpen = false
        // The recordings of the room end a moment later.
        for job in place.jobs { plan(after: 900, .stop(job: job, .complete)) }
        rooms[room].jobs = []
    }

    /// The time since `start` as a payload gives it: to the whole second of `createdAt`, with 0 for a value just below
    /// zero.
    func whole(since start: Timestamp) -> Double {
        max(0, Timestamp(seconds: TimeShift.second(time(now))).since(start).inSeconds)
    }

    // MARK: A server dies

    /// Everybody vanishes from one room, and no webhook tells it.
    mutating func crash(_ organization: Int) {
        let open = rooms(of: organization).filter { rooms[$0].isOpen && isInhabited($0) }
        guard !open.isEmpty else { return }
        let room = random.pick(open)
        rooms[room].isDown = true
        rooms[room].returning = rooms[room].attendees.compactMap { attendees.removeValue(forKey: $0) }
        rooms[room].attendees = []
        note(
            Occurrence.Crash(
                at: time(now), organization: organizations[organization], room: rooms[room].name,
                participants: rooms[room].returning.map(\.sid),
                tracks: rooms[room].returning.flatMap { $0.tracks.map(\.sid) }))
        plan(after: Self.down_ms, .reopen(room: room))
    }

    /// Another server takes over: the room starts again under the same SID, and everybody comes back under a new SID.
    mutating func reopen(_ room: Int) {
        rooms[room].isDown = false
        rooms[room].mark += 1
        let returning = rooms[room].returning
        rooms[room].returning = []
        let vanished = Fact.vanished(
            participants: returning.map(\.sid), tracks: returning.flatMap { $0.tracks.map(\.sid) })
        say(.roomStarted, in: room, detail: fullRoom(room), .room(ended: false), facts: [vanished])
        for old in returning {
            // A recorder comes back only while its job runs. Its identity is the job's id.
            if old.kind == .egress && jobs[old.identity] == nil { continue }
            let until = max(old.until, now + 60_000)
            let sid = enter(
                room, old.identity, old.name, old.kind, until: until, person: old.person, call: old.call,
                agentName: old.agentName, job: old.job)
            for id in jobs.keys.sorted() where jobs[id]?.attendee == old.sid { jobs[id]?.attendee = sid }
            for id in streams.keys.sorted() where streams[id]?.attendee == old.sid {
                streams[id] = streams[id]?.with(attendee: sid)
            }
        }
    }
}
