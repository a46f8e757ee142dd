import LiveKit
import Metrics
import Storage
import Wire

// The results of polls of LiveKit's server API: what they saw is the evidence of what ends unseen, and they correct
// what lost webhooks left wrong. Specification, *Reconciliation with LiveKit's API*.

extension Recorder {
    /// Takes the result of a poll. What had an event since a minute before the poll is left alone.
    mutating func take(_ poll: PollResult, _ actions: inout [Action]) {
        noteSightings(poll)
        wakeSeen()
        noteStrangers(poll)
        endReplaced(before: poll.askedAt - Limits.hot, &actions)
        let limit_ms = (poll.askedAt - Limits.hot).milliseconds
        for correction in poll.corrections { make(correction, limit_ms, &actions) }
        for sid in poll.settledRooms {
            let slot = rooms.find(sid)
            if slot.isNone { continue }
            (rooms[slot].agreed_ms, rooms[slot].strangerJoin_ms) = (0, 0)
        }
        lastPoll_ms = max(lastPoll_ms, poll.askedAt.milliseconds)
    }

    private mutating func make(_ correction: PollResult.Correction, _ limit_ms: Int64, _ actions: inout [Action]) {
        switch correction {
        case .adoptRoom(let room): adopt(room, &actions)
        case .endRoom(let sid, let end): endUnseenRoom(sid, end, limit_ms, &actions)
        case .adoptParticipant(let participant, let room): adopt(participant, inRoom: room, limit_ms, &actions)
        case .endParticipant(let sid, let end): endUnseenParticipant(sid, end, limit_ms, &actions)
        case .adoptTrack(let track, let participant): adopt(track, of: participant)
        case .endTrack(let sid): endUnseenTrack(sid, limit_ms)
        case .adoptEgress(let job, let room): adopt(job, room, &actions)
        case .endEgress(let job, let room): recover(job, room, &actions)
        case .dropEgress(let id): drop(.egress, id, limit_ms)
        case .adoptIngress(let job, let room): adopt(job, room, &actions)
        case .endIngress(let job, let room): recover(job, room, &actions)
        case .dropIngress(let key): drop(.ingress, key, limit_ms)
        }
    }

    private mutating func count(_ action: CorrectionAction, _ entity: EntityKind) {
        let offset = entity.ordinal * CorrectionAction.allCases.count + action.ordinal
        process.increment(catalog.reconcileCorrections, offset)
    }

    // MARK: Evidence

    /// Notes for each open entity whether the poll saw it. What was not named was seen.
    private mutating func noteSightings(_ poll: PollResult) {
        // Without an earlier poll, the last event is the evidence.
        let previous_ms = max(1, lastPoll_ms)
        let absent = Set(poll.absentRooms.lazy.map(ExactText.init))
        let differing = Set(poll.differingRooms.lazy.map(ExactText.init))
        for place in 0..<rooms.places_count {
            let slot = rooms.slot(at: place)
            if slot.isNone { continue }
            let key = ExactText(rooms[slot].key)
            let isAbsent = !absent.isEmpty && absent.contains(key)
            let isDiffering = isAbsent || !differing.isEmpty && differing.contains(key)
            Self.note(isAbsent, in: &rooms[slot].listed_ms, previous_ms)
            Self.note(isDiffering, in: &rooms[slot].agreed_ms, previous_ms)
            if !isDiffering { rooms[slot].strangerJoin_ms = 0 }
        }
        for (kind, keys) in [(JobKind.egress, poll.absentEgress), (.ingress, poll.absentIngress)] {
            let absent = Set(keys.lazy.map(ExactText.init))
            for place in 0..<self[jobs: kind].places_count {
                let slot = self[jobs: kind].slot(at: place)
                if slot.isNone { continue }
                let isAbsent = !absent.isEmpty && absent.contains(ExactText(self[jobs: kind][slot].key))
                Self.note(isAbsent, in: &self[jobs: kind][slot].listed_ms, previous_ms)
            }
        }
    }

    private static func note(_ isMissed: Bool, in seen_ms: inout Int64, _ previous_ms: Int64) {
        if !isMissed {
            seen_ms = 0
        } else if seen_ms == 0 {
            seen_ms = previous_ms
        }
    }

    /// Notes the joins of people whom this poll found, though earlier polls counted as many participants as the state.
    private mutating func noteStrangers(_ poll: PollResult) {
        for case .adoptParticipant(let participant, let sid) in poll.corrections where participant.kind.isCounted {
            let room = rooms.find(sid)
            if !room.isNone, let joinedAt = participant.joinedAt { noteStranger(joined: joinedAt, in: room) }
        }
    }

    /// Notes that somebody joined whose join was not seen. If the polls after it counted as many participants as the
    /// state, somebody else had left by then.
    mutating func noteStranger(joined joinedAt: Timestamp, in room: Slot<RoomState>) {
        let agreed_ms = agreedAt_ms(room)
        // LiveKit renews its number every 5 s, so a poll right after the join may not have counted it.
        guard joinedAt.milliseconds > 0, joinedAt.milliseconds < agreed_ms - Limits.countAge_ms else { return }
        let known_ms = rooms[room].strangerJoin_ms
        rooms[room].strangerJoin_ms = known_ms > 0 ? min(known_ms, joinedAt.milliseconds) : joinedAt.milliseconds
    }

    /// The time of the last poll that counted as many participants in the room as the state; 0 if there was none.
    private func agreedAt_ms(_ room: Slot<RoomState>) -> Int64 {
        rooms[room].agreed_ms > 0 ? rooms[room].agreed_ms : lastPoll_ms
    }

    /// The last time at which something showed that a participant was there.
    func lastEvidence_ms(of slot: Slot<ParticipantState>) -> Int64 {
        let room = participants[slot].room
        var seen_ms = agreedAt_ms(room)
        if rooms[room].strangerJoin_ms > 0 { seen_ms = min(seen_ms, rooms[room].strangerJoin_ms) }
        return min(max(participants[slot].lastEvent_ms, participants[slot].join_ms, seen_ms), latest.milliseconds)
    }

    /// The last time at which something showed that a room was there.
    private func lastEvidence_ms(of slot: Slot<RoomState>) -> Int64 {
        let seen_ms = rooms[slot].listed_ms > 0 ? rooms[slot].listed_ms : lastPoll_ms
        return min(max(rooms[slot].lastEvent_ms, rooms[slot].start_ms ?? 0, seen_ms), latest.milliseconds)
    }

    /// Polls go on, so what ends unseen has an evidence.
    var hasEvidence: Bool { lastPoll_ms > 0 && now.milliseconds - lastPoll_ms <= Limits.evidence_ms }

    // MARK: Ends that nobody told

    /// Observes the session of a participant that is about to be closed, up to its last evidence.
    ///
    /// - Parameter end_ms: the session ended by then.
    mutating func endUnseenSession(
        of slot: Slot<ParticipantState>, by end_ms: Int64 = .max, _ actions: inout [Action]
    ) {
        guard participants[slot].hasJoined else { return }
        let evidence_ms = min(lastEvidence_ms(of: slot), max(end_ms, participants[slot].join_ms))
        endConnection(slot, .estimated(evidence_ms))
        guard participants[slot].isActive else { return }
        countUnseenEnd(of: slot)
        endSession(of: slot, unseen(.participantLeft, in: participants[slot].room, at_ms: evidence_ms), &actions)
    }

    /// Remembers a session that another one replaces, until its own end comes. Without polls such an end is not counted.
    mutating func noteReplaced(_ slot: Slot<ParticipantState>, by other: Slot<ParticipantState>) {
        let participant = participants[slot]
        guard hasEvidence, participant.isActive, !participant.isEndCounted, participant.join_ms > 0 else { return }
        let name = rooms[participant.room].name
        let end = Event(
            createdAt: max(participants[other].join_ms, participant.join_ms) / 1_000,
            room: Room(sid: rooms[participant.room].key, name: name.isNone ? "" : names[name].key),
            body: .participantLeft(
                Participant(sid: participant.key, identity: participant.identity, joinedAt_ms: participant.join_ms)))
        replaced.append(ReplacedSession(replacedAt: now, end: end))
    }

    /// Applies the ends of sessions that were replaced before `limit`. It changes nothing where their own ends came.
    private mutating func endReplaced(before limit: Timestamp, _ actions: inout [Action]) {
        while let session = replaced.first, session.replacedAt <= limit {
            replaced.removeFirst()
            guard case .participantLeft(let participant) = session.end.body,
                endedParticipants[ending: Fingerprint(participant.sid)]?.facts.isEndCounted != true
            else { continue }
            count(.ended, .participant)
            find(session.end, receivedAt: now, isRecovered: true, &actions)
        }
    }

    private mutating func endUnseenParticipant(
        _ sid: String, _ end: Timestamp?, _ limit_ms: Int64, _ actions: inout [Action]
    ) {
        let slot = participants.find(sid)
        guard !slot.isNone, participants[slot].hasJoined, participants[slot].received_ms <= limit_ms else { return }
        let end_ms = end.map { max($0.milliseconds, participants[slot].join_ms) } ?? lastEvidence_ms(of: slot)
        let context = unseen(.participantLeft, in: participants[slot].room, at_ms: end_ms)
        let isExact = end != nil
        // Somebody else's join is evidence of the end. Its own leave tells it exactly.
        endConnection(slot, .estimated(end_ms))
        if participants[slot].isActive {
            countUnseenEnd(of: slot)
            endSession(of: slot, context, &actions)
        }
        count(isExact ? .ended : .estimated, .participant)
        closeParticipant(
            slot, Ending(facts: .byRoomsEnd(participants[slot]), at_s: context.at_s),
            endedAt_ms: isExact ? end_ms : nil,
            &actions)
    }

    /// Counts the end of a connection that nobody told, once.
    private mutating func countUnseenEnd(of slot: Slot<ParticipantState>) {
        guard !participants[slot].isEndCounted else { return }
        countEnd(participants[slot].kind, .unknown, agent: nil, of: rooms[participants[slot].room].organization)
    }

    private mutating func endUnseenRoom(
        _ sid: String, _ end: Timestamp?, _ limit_ms: Int64, _ actions: inout [Action]
    ) {
        let slot = rooms.find(sid)
        guard !slot.isNone, rooms[slot].received_ms <= limit_ms else { return }
        count(end == nil ? .estimated : .ended, .room)
        let end_ms = end.map { max($0.milliseconds, rooms[slot].start_ms ?? 0) } ?? lastEvidence_ms(of: slot)
        closeUnseen(slot, at_ms: end_ms, isGivenUp: false, &actions)
    }

    /// Ends a room with everybody in it. Their sessions end with their last evidence.
    mutating func closeUnseen(
        _ slot: Slot<RoomState>, at_ms end_ms: Int64, isGivenUp: Bool, _ actions: inout [Action]
    ) {
        for member in rooms[slot].participants where participants[member].hasJoined {
            endUnseenSession(of: member, by: end_ms, &actions)
            count(.estimated, .participant)
        }
        let context = unseen(.roomFinished, in: slot, at_ms: end_ms)
        let ending = endedRooms[ending: Fingerprint(rooms[slot].key)] ?? .none
        if rooms[slot].isLaterLife || !ending.facts.isEndCounted {
            count(catalog.roomsFinished, of: context)
            if let start_ms = rooms[slot].start_ms {
                observe(catalog.roomDuration, .between(start_ms, end_ms), of: context)
            }
        }
        var facts = Facts(isStartCounted: rooms[slot].isStartCounted, isEndCounted: true, isClosed: true)
        facts.isGivenUp = isGivenUp
        closeRoom(slot, Ending(facts: facts, at_s: context.at_s), &actions)
    }

    private mutating func endUnseenTrack(_ sid: String, _ limit_ms: Int64) {
        let slot = tracks.find(sid)
        if slot.isNone { return }
        let holder = tracks[slot].participant
        guard participants[holder].received_ms <= limit_ms else { return }
        count(.estimated, .track)
        closeTrack(slot, Ending(facts: .byRoomsEnd))
        dropIfEmpty(holder)
    }

    /// Closes a job that LiveKit does not know any more. Its end may still come.
    private mutating func drop(_ kind: JobKind, _ key: String, _ limit_ms: Int64) {
        let slot = self[jobs: kind].find(key)
        guard !slot.isNone, self[jobs: kind][slot].received_ms <= limit_ms else { return }
        count(.dropped, kind.entity)
        var facts = self[jobs: kind][slot].facts
        facts.isClosed = true
        closeJob(kind, slot, facts)
    }

    /// Returns the context of something in an open room that no event tells.
    private func unseen(_ type: EventType, in room: Slot<RoomState>, at_ms: Int64) -> EventContext {
        let name = rooms[room].name
        var context = EventContext(
            id: "", type: type, room: Room(sid: rooms[room].key, name: name.isNone ? "" : names[name].key), name: name,
            organization: rooms[room].organization, created_ms: at_ms, order_ms: at_ms, receivedAt: now,
            clockAhead_ms: clockAhead_ms)
        context.openRoom = room
        if !name.isNone, case .failed(let reason, _) = names[name].resolution { context.failure = reason }
        return context
    }

    // MARK: What was missed

    /// Finds the organization of something that a poll tells. What is opened moves there when the answer comes late.
    private mutating func context(of event: Event, _ actions: inout [Action]) -> EventContext {
        let name = name(of: event)
        if !name.isNone { resolve(name, for: event, &actions) }
        let context = context(of: event, name: name, receivedAt: now)
        noteActivity(of: context.organization, at: now)
        return context
    }

    private mutating func adopt(_ room: Room, _ actions: inout [Action]) {
        guard !room.sid.isEmpty, rooms.find(room.sid).isNone else { return }
        let ending = endedRooms[ending: Fingerprint(room.sid)] ?? .none
        if ending.facts.isClosed && (ending.facts.isGivenUp || !tellsLives) { return }
        let context = context(of: Event(room: room, body: .roomStarted), &actions)
        // Somebody joined after the remembered end.
        let later = ending.facts.isClosed ? Beginning(at_s: ending.at_s, start_ms: ending.at_s * 1_000) : nil
        let slot = openRoom(
            context, isStartCounted: ending.facts.isStartCounted && later == nil, isAdopted: true, laterLife: later,
            &actions)
        rooms[slot].lastEvent_ms = room.createdAt?.milliseconds ?? now.milliseconds
        count(.adopted, .room)
    }

    private mutating func adopt(
        _ participant: Participant, inRoom sid: String, _ limit_ms: Int64, _ actions: inout [Action]
    ) {
        let room = rooms.find(sid)
        var slot = participants.find(participant.sid)
        guard !room.isNone, !participant.sid.isEmpty, slot.isNone || !participants[slot].hasJoined else { return }
        let name = rooms[room].name
        let event = Event(
            room: Room(sid: sid, name: name.isNone ? "" : names[name].key), body: .participantJoined(participant))
        let context = context(of: event, &actions)
        let beginning = context.beginning(of: participant)
        let ending = endedParticipants[ending: Fingerprint(participant.sid)] ?? .none
        let isNew = isNewLife(ofParticipant: ending, began_s: beginning.at_s)
        if ending.facts.isClosed && !isNew { return }
        let identity = ParticipantIdentity(room: room, identity: participant.identity)
        if let other = identities[identity], participants[other].received_ms > limit_ms { return }
        if slot.isNone { slot = insertParticipant(participant, in: room, context) }
        participants[slot].hasJoined = true
        participants[slot].isStartCounted = !isNew && ending.facts.isStartCounted
        participants[slot].identity = participant.identity
        participants[slot].kind = participant.kind
        participants[slot].join_ms = participant.joinedAt?.milliseconds ?? now.milliseconds
        participants[slot].began_s = beginning.at_s
        participants[slot].isLaterLife = isNew
        note(beginning, in: room)
        if participants[slot].isActive {
            organizations[rooms[room].organization].adjust(catalog.participantsActive, by: 1)
        }
        openConnection(slot, of: participant, received_ms: now.milliseconds)
        count(.adopted, .participant)
        guard claimIdentity(slot, at_s: context.at_s, &actions) else { return }
        storePresence(of: slot, owner: owner(of: context), &actions)
        if settings.isSingleSession { noteSession(slot) }
    }

    private mutating func adopt(_ track: Track, of sid: String) {
        let owner = participants.find(sid)
        guard !owner.isNone, !track.sid.isEmpty, tracks.find(track.sid).isNone else { return }
        let ending = endedTracks[ending: Fingerprint(track.sid)]
        if hasEnded(track, after: ending) { return }
        var state = TrackState()
        state.key = track.sid
        state.participant = owner
        state.placeInParticipant = participants[owner].tracks.count
        state.label = track.ordinal
        state.lastEvent_ms = participants[owner].lastEvent_ms
        state.version = track.version
        state.isAdopted = ending?.facts.isClosed == true || ending?.facts.isStartCounted != true
        let slot = tracks.insert(state)
        participants[owner].tracks.append(slot)
        organizations[organization(of: slot)].adjust(catalog.tracksActive, track.ordinal, by: 1)
        openTrackUsage(slot, start_ms: publication_ms(of: track, by: owner), received_ms: now.milliseconds)
        count(.adopted, .track)
    }

    /// Returns the time from which a track counts whose publication was not seen: LiveKit tells no other time than that of
    /// its last change, and it was not published before its participant joined.
    private func publication_ms(of track: Track, by owner: Slot<ParticipantState>) -> Int64 {
        let join_ms = participants[owner].join_ms
        guard let change_ms = track.version.map({ $0.unixMicro / 1_000 }), change_ms <= latest.milliseconds else {
            return join_ms
        }
        return max(join_ms, change_ms)
    }

    private mutating func adopt(_ job: Egress, _ room: Room, _ actions: inout [Action]) {
        guard !job.id.isEmpty, egress.find(job.id).isNone, !job.status.isFinal else { return }
        let facts = endedEgress[Fingerprint(job.id)] ?? .none
        if facts.isClosed && job.attempt <= facts.endedAttempt { return }
        open(job, facts, context(of: Event(room: room, body: .egressUpdated(job)), &actions))
        count(.adopted, .egress)
    }

    private mutating func adopt(_ job: Ingress, _ room: Room, _ actions: inout [Action]) {
        let key = job.sessionKey
        guard !key.isEmpty, ingress.find(key).isNone else { return }
        let facts = endedIngress[Fingerprint(key)] ?? .none
        if facts.isClosed { return }
        open(job, facts, context(of: Event(room: room, body: .ingressStarted(job)), &actions))
        count(.adopted, .ingress)
    }

    /// Applies the end of a recording as its webhook would have, which then counts as a repetition.
    private mutating func recover(_ job: Egress, _ room: Room, _ actions: inout [Action]) {
        let slot = egress.find(job.id)
        let facts = slot.isNone ? endedEgress[Fingerprint(job.id)] ?? .none : egress[slot].facts
        guard !job.id.isEmpty, job.status.isFinal, job.attempt > facts.endedAttempt else { return }
        count(.ended, .egress)
        recover(.egressEnded(job), endedAt_ns: job.endedAt_ns, room, &actions)
    }

    private mutating func recover(_ job: Ingress, _ room: Room, _ actions: inout [Action]) {
        guard !ingress.find(job.sessionKey).isNone else { return }
        count(.ended, .ingress)
        recover(.ingressEnded(job), endedAt_ns: job.endedAt_ns, room, &actions)
    }

    private mutating func recover(
        _ body: Event.Body, endedAt_ns: Int64, _ room: Room, _ actions: inout [Action]
    ) {
        let event = Event(createdAt: max(0, endedAt_ns) / 1_000_000_000, room: room, body: body)
        find(event, receivedAt: now, isRecovered: true, &actions)
    }
}
