import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Events

    mutating func joined(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        let id = Fingerprint(participant.sid)
        var arrival = arrival(of: participant, context)
        let beginning = context.beginning(of: participant)
        let venue = venue(context, beginning: arrival.opens ? beginning : nil, &actions)
        if case .nowhere = venue { return }
        // The new room may have closed another one.
        if context.openRoom.isNone { arrival = self.arrival(of: participant, context) }
        var slot = arrival.slot
        if !slot.isNone { noteEvent(of: slot, context) }
        if !slot.isNone && participants[slot].hasJoined {
            noteLateJoin(of: participant, began_s: beginning.at_s, arrival.ending, context)
            return noteJoin(of: participant, adopted: slot, began_s: beginning.at_s, arrival.ending, context)
        }
        let ending = arrival.isNew ? .none : arrival.ending
        let isCounted = ending.facts.isStartCounted || !slot.isNone && participants[slot].isStartCounted
        if !isCounted { countJoin(participant, context) }
        guard case .open(let room) = venue, arrival.opens else {
            if slot.isNone || ending.facts.isClosed {
                let ending = endingOfLateJoin(of: participant, ending, venue)
                endedParticipants.set(id, ending, at: context.receivedAt)
            } else {
                participants[slot].isStartCounted = true
            }
            return
        }
        if slot.isNone { slot = insertParticipant(participant, in: room, context) }
        let told_ms = participant.joinedAt?.milliseconds
        participants[slot].hasJoined = true
        participants[slot].isStartCounted = true
        participants[slot].identity = participant.identity
        participants[slot].kind = participant.kind
        participants[slot].join_ms = told_ms ?? context.created_ms
        participants[slot].began_s = beginning.at_s
        participants[slot].isLaterLife = arrival.isNew
        note(beginning, in: participants[slot].room)
        openConnection(slot, of: participant, received_ms: context.receivedAt.milliseconds)
        let home = rooms[participants[slot].room].organization
        if participant.kind == .standard { organizations[home].adjust(catalog.participantsActive, by: 1) }
        guard claimIdentity(slot, at_s: context.at_s, &actions) else { return }
        storePresence(of: slot, owner: owner(of: context), &actions)
        if settings.isSingleSession { limitSessions(slot, context, &actions) }
    }

    /// The meaning of a join for the state.
    private struct Arrival {
        let slot: Slot<ParticipantState>
        /// The remembered end of its SID.
        let ending: Ending
        /// It begins a new life after that end.
        let isNew: Bool
        /// From now on it is in its room.
        let opens: Bool
    }

    private func arrival(of participant: Participant, _ context: EventContext) -> Arrival {
        let slot = participants.find(participant.sid)
        let ending = endedParticipants[ending: Fingerprint(participant.sid)] ?? .none
        let hasJoined = !slot.isNone && participants[slot].hasJoined
        let isNew =
            !hasJoined && isNewLife(ofParticipant: ending, began_s: context.beginning(of: participant).at_s)
        let opens = !hasJoined && (!ending.facts.isClosed || isNew)
        return Arrival(slot: slot, ending: ending, isNew: isNew, opens: opens)
    }

    /// Counts a late join of the life before the open one.
    private mutating func noteLateJoin(
        of participant: Participant, began_s: Int64, _ earlier: Ending, _ context: EventContext
    ) {
        guard tellsLives, earlier.facts.isClosed, began_s <= earlier.at_s, !earlier.facts.isStartCounted else { return }
        countJoin(participant, context)
        var earlier = earlier
        earlier.facts.isStartCounted = true
        endedParticipants.set(Fingerprint(participant.sid), earlier, at: context.receivedAt)
    }

    /// Counts the join of a participant that was found before its event came.
    private mutating func noteJoin(
        of participant: Participant, adopted slot: Slot<ParticipantState>, began_s: Int64, _ earlier: Ending,
        _ context: EventContext
    ) {
        guard countsAdopted, !participants[slot].isStartCounted, !earlier.facts.isClosed || began_s > earlier.at_s
        else { return }
        countJoin(participant, context)
        participants[slot].isStartCounted = true
    }

    private mutating func countJoin(_ participant: Participant, _ context: EventContext) {
        if participant.kind == .standard { count(catalog.participantSessions, of: context) }
        countConnection(participant, isAgentJob: isAgentJob(participant), context)
    }

    /// Returns the ending of a participant whose join counted and opened nothing, because its room had ended before it
    /// came.
    private func endingOfLateJoin(of participant: Participant, _ ending: Ending, _ venue: Venue) -> Ending {
        var ending = ending
        if !ending.facts.isClosed, case .ended(let room) = venue {
            ending.at_s = room.at_s
            ending.facts.mayReturn = tellsLives
            ending.facts.isGivenUp = room.facts.isGivenUp
            ending.facts.kind = participant.kind
        }
        ending.facts.isStartCounted = true
        ending.facts.isClosed = true
        return ending
    }

    mutating func left(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let id = Fingerprint(participant.sid)
        let slot = participants.find(participant.sid)
        var ending = endedParticipants[ending: id] ?? .none
        let isOpen = !slot.isNone && !isEarlier(context.at_s, than: participants[slot].began_s, ending)
        let end = Ending(facts: Facts(isEndCounted: true, isClosed: true), at_s: context.at_s)
        if isOpen && participants[slot].hasJoined {
            let joined_ms = participant.joinedAt?.milliseconds
            endConnection(slot, told_ms: joined_ms, participant.reason, context)
            participants[slot].isEndDoubtful = false
            if participants[slot].kind == .standard { endSession(of: slot, joined_ms: joined_ms, context, &actions) }
            return closeParticipant(slot, end, endedAt_ms: context.created_ms, &actions)
        }
        let wasClosed = ending.facts.isClosed
        if !slot.isNone {
            endTracks(of: slot, ending, context, &actions)
            ending = endedParticipants[ending: id] ?? .none
        }
        let isCounted = ending.facts.isEndCounted
        if slot.isNone && !wasClosed, !context.openRoom.isNone, participant.kind.isCounted,
            let joinedAt = participant.joinedAt
        {
            noteStranger(joined: joinedAt, in: context.openRoom)
        }
        ending.facts.isEndCounted = true
        endedParticipants.set(id, ending.moved(to: context.at_s), at: context.receivedAt)
        if isCounted { replaceEstimate(of: participant, context) } else { addConnection(participant, context) }
        guard participant.kind == .standard, !isCounted else { return }
        if let join_ms = participant.joinedAt?.milliseconds {
            let userID = userID(of: participant.identity)
            endSession(from: join_ms, identity: participant.identity, userID: userID, context, &actions)
        }
        // It may have been present before this process started.
        if !wasClosed && owner(of: context) != nil {
            actions.append(.store(.absent(participantSID: participant.sid)))
        }
    }

    mutating func aborted(_ participant: Participant, _ context: EventContext, _ actions: inout [Action]) {
        guard !participant.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let id = Fingerprint(participant.sid)
        let slot = participants.find(participant.sid)
        var ending = endedParticipants[ending: id] ?? .none
        let isOpen = !slot.isNone && !isEarlier(context.at_s, than: participants[slot].began_s, ending)
        if isOpen || !ending.facts.isClosed { countAborted(participant, context) }
        if isOpen && participants[slot].hasJoined {
            // Its own leave may come still, and tells the exact end.
            endConnection(slot, .estimated(context.endedAt.milliseconds))
            return closeParticipant(
                slot, Ending(facts: Facts(isClosed: true), at_s: context.at_s), endedAt_ms: context.created_ms, &actions
            )
        }
        if !slot.isNone {
            endTracks(of: slot, ending, context, &actions)
            ending = endedParticipants[ending: id] ?? .none
        }
        endedParticipants.set(id, ending.moved(to: context.at_s), at: context.receivedAt)
    }

    /// Ends tracks after the end of a participant that is known only by its tracks, or after the end of an earlier
    /// life: all tracks, but if the participant had ended before, only those that were published up to this end.
    private mutating func endTracks(
        of slot: Slot<ParticipantState>, _ ending: Ending, _ context: EventContext,
        _ actions: inout [Action]
    ) {
        guard tellsLives, ending.facts.isClosed else {
            return closeParticipant(
                slot, Ending(facts: Facts(isClosed: true), at_s: context.at_s), endedAt_ms: context.created_ms, &actions
            )
        }
        endTracks(of: slot, context)
        dropIfEmpty(slot)
    }

    // MARK: Opening and closing

    /// Adds a participant whose join is not known yet.
    mutating func insertParticipant(
        _ participant: Participant, in room: Slot<RoomState>, _ context: EventContext
    ) -> Slot<ParticipantState> {
        var state = ParticipantState()
        state.key = participant.sid
        state.identity = participant.identity
        state.room = room
        state.placeInRoom = rooms[room].participants.count
        state.lastEvent_ms = context.order_ms
        state.received_ms = context.receivedAt.milliseconds
        state.began_s = context.beginning(of: participant).at_s
        let slot = participants.insert(state)
        rooms[room].participants.append(slot)
        return slot
    }

    /// Closes a participant with its tracks, and remembers its end.
    ///
    /// - Parameters:
    ///   - end: if it has no time, each entity ended with its own last event.
    ///   - endedAt_ms: the end of its tracks for their usage; nil if they ended unseen, with their last evidence.
    mutating func closeParticipant(
        _ slot: Slot<ParticipantState>, _ end: Ending, endedAt_ms: Int64? = nil, _ actions: inout [Action]
    ) {
        var endOfTracks = Ending(facts: Facts(isClosed: end.facts.isClosed), at_s: end.at_s)
        endOfTracks.facts.mayReturn = end.facts.mayReturn
        endOfTracks.facts.isGivenUp = end.facts.isGivenUp
        for track in participants[slot].tracks { closeTrack(track, endOfTracks, endedAt_ms: endedAt_ms) }
        endConnection(slot, nil)
        if settings.isSingleSession { forgetSession(slot, &actions) }
        let participant = participants[slot]
        if participant.isPresenceStored { actions.append(.store(.absent(participantSID: participant.key))) }
        if participant.isActive {
            organizations[rooms[participant.room].organization].adjust(catalog.participantsActive, by: -1)
        }
        var ending = end
        ending.facts.isStartCounted = participant.isStartCounted
        if participant.isEndCounted { ending.facts.isEndCounted = true }
        if ending.at_s == 0 { ending.at_s = EventContext.second(of: participant.lastEvent_ms, latest) }
        ending.at_s = max(ending.at_s, participant.hasJoined ? participant.began_s : 0)
        // A participant that never joined has no life that could end; its own end event remembers its end.
        if participant.hasJoined || !tellsLives || ending.facts.isGivenUp {
            let id = Fingerprint(participant.key)
            endedParticipants.set(id, ending.following(endedParticipants[ending: id]), at: now)
        }
        remove(slot)
    }

    /// Removes a participant that is known only by its tracks after the last of them is gone.
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
        let identity = ParticipantIdentity(room: room, identity: participants[slot].identity)
        if identities[identity] == slot { identities[identity] = nil }
        participants.remove(slot)
    }

    /// Makes a participant the only one of its identity in its room: of two, the one that joined earlier is closed.
    /// Returns false if that is this one.
    mutating func claimIdentity(
        _ slot: Slot<ParticipantState>, at_s: Int64, _ actions: inout [Action]
    ) -> Bool {
        if participants[slot].identity.isEmpty { return true }
        let identity = ParticipantIdentity(room: participants[slot].room, identity: participants[slot].identity)
        guard let other = identities[identity] else {
            identities[identity] = slot
            return true
        }
        process.increment(catalog.entitiesCorrected, Correction.identity_replaced.ordinal)
        let end = Ending(facts: Facts(isClosed: true), at_s: at_s)
        if participants[other].join_ms > participants[slot].join_ms {
            noteReplaced(slot, by: other)
            closeParticipant(slot, end, &actions)
            return false
        }
        noteReplaced(other, by: slot)
        closeParticipant(other, end, &actions)
        identities[identity] = slot
        return true
    }

    mutating func noteEvent(of slot: Slot<ParticipantState>, _ context: EventContext) {
        participants[slot].lastEvent_ms = max(participants[slot].lastEvent_ms, context.order_ms)
        participants[slot].received_ms = max(participants[slot].received_ms, context.receivedAt.milliseconds)
        wake(slot, context)
    }

    // MARK: Sessions

    /// Observes and persists the session of an open participant that ends with this event, once.
    mutating func endSession(
        of slot: Slot<ParticipantState>, joined_ms: Int64? = nil, _ context: EventContext, _ actions: inout [Action]
    ) {
        let participant = participants[slot]
        if participant.isEndCounted { return }
        participants[slot].isEndCounted = true
        if participant.isEndDoubtful { return }
        if tellsLives && participant.join_ms == 0 && joined_ms == nil { return }
        let join_ms = beginning_ms(told: joined_ms, known: participant.join_ms, isLater: participant.isLaterLife)
        endSession(
            from: join_ms ?? participant.join_ms, identity: participant.identity, userID: participant.userID,
            context, &actions)
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

    /// Writes the presence row of a participant, if rows can be written.
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
            identity: participant.identity,
            joinedAt: Timestamp(
                milliseconds: participant.join_ms > 0 ? participant.join_ms : participant.began_s * 1_000))
        actions.append(.store(.present(row)))
    }
}
