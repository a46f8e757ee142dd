import LiveKit
import Wire

/// People arrive, stay, join twice, and leave.
extension Office {
    /// The share of participants who never get their media connected.
    private static let abort = 0.02
    /// The share of people who open a second window with the same identity.
    private static let again = 0.2
    /// The time that LiveKit waits for media before it gives a participant up.
    private static let patience_ms: Int64 = 15_000

    /// One of the staff arrives. With `again` it is a second window, beside the one that is open already.
    mutating func arrive(_ index: Int, again: Bool) {
        let person = people[index]
        let choice = rooms(of: person.organization)
        guard !choice.isEmpty else { return plan(after: 60_000, .arrive(person: index, again: again)) }
        let present = choice.first { here(person.identity, in: $0) != nil }
        let room = again && random.happens(0.6) ? present ?? choice[0] : choice[random.favourite(of: choice.count)]
        let stay = min(max(30_000, random.logNormal(median: Double(length) * 0.1, sigma: 1)), Double(length) * 0.6)
        open(room)
        if !again && random.happens(Self.abort) {
            rooms[room].mark += 1
            plan(
                after: Self.patience_ms,
                .giveUp(room: room, sid: random.id("PA_"), identity: person.identity, joinedAt: time(now - 300)))
            return plan(after: Self.patience_ms + 5_000, .arrive(person: index, again: false))
        }
        // One window of each person decides when that person comes next. A window that replaces it takes that over.
        let heir = again ? here(person.identity, in: room)?.person : index
        let sid = enter(room, person.identity, person.name, .standard, until: now + Int64(stay), person: heir)
        if random.happens(Self.again) { plan(after: Int64(stay * 0.5), .arrive(person: index, again: true)) }
        planTracks(of: sid, stay: stay)
    }

    private func here(_ identity: String, in room: Int) -> Attendee? {
        for sid in rooms[room].attendees {
            if let attendee = attendees[sid], attendee.identity == identity { return attendee }
        }
        return nil
    }

    /// A participant arrives who is not on the staff: a phone call, an agent, a connector or a bridge.
    mutating func visit(_ organization: Int, _ kind: Participant.Kind) {
        let choice = rooms(of: organization)
        guard !choice.isEmpty else { return }
        let room = choice[random.favourite(of: choice.count)]
        let identity =
            switch kind {
            case .sip: "sip_+49\(random.whole(100_000_000...999_999_999))"
            case .agent: random.id("agent-AJ_")
            case .connector: "wa-49\(random.whole(100_000_000...999_999_999))"
            default: random.id("rtsp-cam-")
            }
        open(room)
        let until = now + Int64(random.uniform(0.02...0.3) * Double(length))
        let sid = enter(room, identity, "", kind, until: until, person: nil)
        plan(after: 400, .publish(attendee: sid, kind == .bridge ? .camera : .microphone))
        if kind == .bridge { plan(after: 500, .publish(attendee: sid, .unknown)) }
    }

    /// A participant becomes active in an open room. Another one with the same identity is disconnected.
    mutating func enter(
        _ room: Int, _ identity: String, _ name: String, _ kind: Participant.Kind, until: Int64, person: Int?,
        call: CallDirection = .unknown, agentName: String = "", job: String = ""
    ) -> String {
        rooms[room].mark += 1
        let older = rooms[room].attendees.filter { attendees[$0]?.identity == identity }
        // Which of the two events comes first depends on the node.
        let isInverted = random.happens(0.3)
        if !isInverted { for sid in older { leave(sid, because: .duplicate_identity) } }
        let sid = random.id("PA_")
        let attendee = Attendee(
            sid: sid, room: room, identity: identity, name: name, kind: kind,
            joinedAt: time(now - random.whole(180...900)), until: until, person: person, call: call,
            agentName: agentName, job: job)
        attendees[sid] = attendee
        rooms[room].attendees.append(sid)
        say(
            .participantJoined, in: room, detail: fullRoom(room), .participant(message(attendee, reason: nil)),
            facts: [.joined(attendee.visitor)], restated: Self.restatement)
        if isInverted { for sid in older { leave(sid, because: .duplicate_identity) } }
        plan(after: until - now, .leave(attendee: sid))
        return sid
    }

    mutating func leave(_ sid: String, because reason: DisconnectReason) {
        guard let attendee = attendees[sid] else { return }
        let room = attendee.room
        for track in attendee.tracks { unpublish(track, of: attendee) }
        attendees[sid] = nil
        rooms[room].attendees.removeAll { $0 == sid }
        say(
            .participantLeft, in: room, detail: fullRoom(room), .participant(message(attendee, reason: reason)),
            facts: [
                .left(
                    attendee.visitor, at: time(now), stayed_seconds: whole(since: attendee.joinedAt), reason: reason)
            ], restated: Self.restatement)
        if !attendee.job.isEmpty { finishJob(attendee.job, because: reason) }
        watchIdle(room)
        if let person = attendee.person, reason != .duplicate_identity, reason != .room_deleted {
            let pause = random.logNormal(median: Double(length) * 0.03, sigma: 1)
            plan(after: Int64(pause), .arrive(person: person, again: false))
        }
    }

    /// LiveKit gives up a participant that never became active.
    mutating func giveUp(_ room: Int, sid: String, identity: String, joinedAt: Timestamp) {
        guard rooms[room].isOpen, !rooms[room].isDown else { return }
        abort(room, sid: sid, identity: identity, .standard, joinedAt: joinedAt, because: abortReason())
        watchIdle(room)
    }

    mutating func abort(
        _ room: Int, sid: String, identity: String, _ kind: Participant.Kind, joinedAt: Timestamp,
        because reason: DisconnectReason
    ) {
        let person = ParticipantMessage.FullParticipant(
            joinedAt: joinedAt, kind: kind, name: "", isPublisher: false, disconnectReason: reason, isActive: false)
        say(
            .participantConnectionAborted, in: room, detail: fullRoom(room),
            .participant(ParticipantMessage(sid: sid, identity: identity, detail: .full(person))),
            facts: [.aborted(kind: kind, reason: reason)])
    }

    private func message(_ attendee: Attendee, reason: DisconnectReason?) -> ParticipantMessage {
        ParticipantMessage(
            sid: attendee.sid, identity: attendee.identity,
            detail: .full(
                ParticipantMessage.FullParticipant(
                    joinedAt: attendee.joinedAt, kind: attendee.kind, name: attendee.name,
                    isPublisher: !attendee.tracks.isEmpty, disconnectReason: reason, isActive: reason == nil,
                    attributes: attendee.attributes)))
    }
}
