import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Events

    mutating func joined(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        let venue = venue(context, &actions)
        if case .nowhere = venue { return }
        var slot = participants.find(participant.sid)
        if !slot.isNone { noteEvent(of: slot, context) }
        if !slot.isNone && participants[slot].hasJoined { return }

        let facts = endedParticipants[Fingerprint(participant.sid)] ?? .none
        let isCounted = facts.isStartCounted || !slot.isNone && participants[slot].isStartCounted
        if participant.kind == .standard && !isCounted {
            count(catalog.participantSessions, of: context)
        }
        guard case .open(let room) = venue, !facts.isClosed else {
            if slot.isNone {
                let counted = Facts(isStartCounted: true, isClosed: true)
                endedParticipants.remember(Fingerprint(participant.sid), counted, at: context.receivedAt)
            } else {
                participants[slot].isStartCounted = true
            }
            return
        }
        if slot.isNone { slot = insertParticipant(participant, in: room, context) }
        participants[slot].hasJoined = true
        participants[slot].isStartCounted = true
        participants[slot].identity = participant.identity
        participants[slot].kind = participant.kind
        participants[slot].join_ms = participant.joinedAt?.milliseconds ?? context.created_ms
        let home = rooms[participants[slot].room].organization
        if participant.kind == .standard { organizations[home].adjust(catalog.participantsActive, by: 1) }
        guard claimIdentity(slot, &actions) else { return }
        storePresence(of: slot, owner: owner(of: context), &actions)
        if settings.isSingleSession { limitSessions(slot, context, &actions) }
    }

    mutating func left(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let slot = participants.find(participant.sid)
        if !slot.isNone && participants[slot].hasJoined {
            if participants[slot].kind == .standard {
                let payload = participant.joinedAt?.milliseconds
                endSession(of: slot, joined_ms: payload, context, &actions)
            }
            closeParticipant(slot, Facts(isEndCounted: true, isClosed: true), &actions)
            return
        }
        let facts = endedParticipants[Fingerprint(participant.sid)] ?? .none
        if !slot.isNone { closeParticipant(slot, Facts(isClosed: true), &actions) }
        if facts.isEndCounted { return }
        let ended = Facts(isEndCounted: true, isClosed: true)
        endedParticipants.remember(Fingerprint(participant.sid), ended, at: context.receivedAt)
        guard participant.kind == .standard else { return }
        if let join_ms = participant.joinedAt?.milliseconds {
            let userID = userID(of: participant.identity)
            endSession(from: join_ms, identity: participant.identity, userID: userID, context, &actions)
        }
        // It may have been present before this process knew anything.
        if !facts.isClosed && owner(of: context) != nil {
            actions.append(.store(.absent(participantSID: participant.sid)))
        }
    }

    mutating func aborted(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let slot = participants.find(participant.sid)
        if slot.isNone {
            endedParticipants.remember(
                Fingerprint(participant.sid), Facts(isClosed: true), at: context.receivedAt)
        } else {
            closeParticipant(slot, Facts(isClosed: true), &actions)
        }
    }

    // MARK: Opening and closing

    /// Adds a participant that has not joined yet, as far as we know.
    mutating func insertParticipant(
        _ participant: Participant, in room: Slot<RoomState>, _ context: EventContext
    ) -> Slot<ParticipantState> {
        var state = ParticipantState()
        state.key = participant.sid
        state.identity = participant.identity
        state.room = room
        state.placeInRoom = rooms[room].participants.count
        state.lastEvent_ms = context.order_ms
        let slot = participants.insert(state)
        rooms[room].participants.append(slot)
        return slot
    }

    /// Closes a participant with its tracks, and remembers the facts of it.
    mutating func closeParticipant(_ slot: Slot<ParticipantState>, _ facts: Facts, _ actions: inout [Action]) {
        for track in participants[slot].tracks { closeTrack(track, Facts(isClosed: facts.isClosed)) }
        if settings.isSingleSession { forgetSession(slot, &actions) }
        let participant = participants[slot]
        if participant.isPresenceStored { actions.append(.store(.absent(participantSID: participant.key))) }
        if participant.isActive {
            organizations[rooms[participant.room].organization].adjust(catalog.participantsActive, by: -1)
        }
        var facts = facts
        facts.isStartCounted = participant.isStartCounted
        endedParticipants.remember(Fingerprint(participant.key), facts, at: now)
        remove(slot)
    }

    /// Forgets one that is known only by tracks when the last of them is gone.
    mutating func dropIfEmpty(_ slot: Slot<ParticipantState>) {
        if !participants[slot].hasJoined && participants[slot].tracks.isEmpty { remove(slot) }
    }

    private mutating func remove(_ slot: Slot<ParticipantState>) {
        let room = participants[slot].room
        let place = participants[slot].placeInRoom
        rooms[room].participants.swapRemove(at: place)
        if place < rooms[room].participants.count {
            participants[rooms[room].participants[place]].placeInRoom = place
        }
        let identity = RoomIdentity(room: room, identity: participants[slot].identity)
        if identities[identity] == slot { identities[identity] = nil }
        participants.remove(slot)
    }

    /// Makes it the one participant of its identity in its room: of two, the one that joined earlier is closed.
    /// Returns false where that is this one.
    mutating func claimIdentity(_ slot: Slot<ParticipantState>, _ actions: inout [Action]) -> Bool {
        if participants[slot].identity.isEmpty { return true }
        let identity = RoomIdentity(room: participants[slot].room, identity: participants[slot].identity)
        guard let other = identities[identity] else {
            identities[identity] = slot
            return true
        }
        process.increment(catalog.entitiesCorrected, Correction.identity_replaced.ordinal)
        if participants[other].join_ms > participants[slot].join_ms {
            closeParticipant(slot, Facts(isClosed: true), &actions)
            return false
        }
        closeParticipant(other, Facts(isClosed: true), &actions)
        identities[identity] = slot
        return true
    }

    mutating func noteEvent(of slot: Slot<ParticipantState>, _ context: EventContext) {
        participants[slot].lastEvent_ms = max(participants[slot].lastEvent_ms, context.order_ms)
    }

    // MARK: Sessions

    /// Observes and persists the session of an open participant that ends with this event.
    mutating func endSession(
        of slot: Slot<ParticipantState>, joined_ms: Int64? = nil, _ context: EventContext, _ actions: inout [Action]
    ) {
        let participant = participants[slot]
        endSession(
            from: joined_ms ?? participant.join_ms, identity: participant.identity, userID: participant.userID,
            context, &actions)
        endedParticipants.remember(
            Fingerprint(participant.key), Facts(isEndCounted: true, isClosed: true), at: context.receivedAt)
    }

    private mutating func endSession(
        from join_ms: Int64, identity: String, userID: Int64, _ context: EventContext, _ actions: inout [Action]
    ) {
        let rule = DurationRule.between(join_ms, context.created_ms)
        observe(catalog.participantLifetime, rule, of: context)
        guard case .plausible(let seconds) = rule, !identity.isEmpty, let owner = owner(of: context) else { return }
        let day = CivilDate(Timestamp(milliseconds: context.created_ms))
        let row = SessionRow(owner: owner, userID: userID, day: day, duration_seconds: seconds)
        actions.append(.store(.session(row)))
    }

    func userID(of identity: String) -> Int64 { UserID.of(identity, digest: settings.digest) }

    /// Writes that a participant is present, where rows can be written.
    mutating func storePresence(of slot: Slot<ParticipantState>, owner: RowOwner?, _ actions: inout [Action]) {
        guard participants[slot].isActive else { return }
        participants[slot].userID = userID(of: participants[slot].identity)
        guard let owner else { return }
        participants[slot].isPresenceStored = true
        let participant = participants[slot]
        let room = rooms[participant.room]
        let row = PresenceRow(
            owner: owner, participantSID: participant.key, roomSID: room.key,
            roomName: room.name.isNone ? "" : names[room.name].key, userID: participant.userID,
            identity: participant.identity, joinedAt: Timestamp(milliseconds: participant.join_ms))
        actions.append(.store(.present(row)))
    }
}
