import LiveKit
import Wire

// Lives (SPEC 3): a SID that has ended may begin again. An end closes what began before it; a start, join or
// publication that began later is a new life. Everything that decides it is here.

extension Recorder {
    /// The number of the rules that this program applies events under. A replay applies those that were noted with an
    /// older number under the older rules, so that it makes the same rows and counts as before.
    ///
    /// 1: an ended SID stays ended. 2: lives.
    package static let rules = 2

    var tellsLives: Bool { rules >= 2 }

    // MARK: What begins

    /// Whether a room that ended begins again with an event of this second. What came after the end is later.
    func isNewLife(ofRoom ending: Ending, at_s: Int64) -> Bool { mayLive(ending) && at_s >= ending.at_s }

    /// Whether a participant that ended begins again. LiveKit never uses its SID again at once, so the same second is
    /// the old life.
    func isNewLife(ofParticipant ending: Ending, began_s: Int64) -> Bool {
        mayLive(ending) && began_s > ending.at_s
    }

    /// Whether a track that ended begins again: by its version where both events carry one, else as a room. Where its end
    /// carried none, the version of its publication tells that from another one.
    func isNewLife(of track: Track, after ending: Ending, at_s: Int64) -> Bool {
        guard mayLive(ending) else { return false }
        if let version = track.version, let known = ending.version {
            if ending.facts.isEndCounted { return version > known }
            if version == known { return false }
        }
        return at_s >= ending.at_s
    }

    private func mayLive(_ ending: Ending) -> Bool {
        tellsLives && ending.facts.isClosed && !ending.facts.isGivenUp
    }

    /// Whether a participant whose room's end closed it is there still: it has an event of its own that is later, and
    /// nobody else has its identity.
    func returns(_ participant: Participant, after ending: Ending, _ context: EventContext) -> Bool {
        guard mayLive(ending), ending.facts.mayReturn, context.at_s > ending.at_s else { return false }
        if context.openRoom.isNone || participant.identity.isEmpty { return true }
        return identities[RoomIdentity(room: context.openRoom, identity: participant.identity)] == nil
    }

    // MARK: What ends

    /// Whether an end is not that of the open life: it was created before that began, and an earlier one is known.
    func isEarlier(_ end_s: Int64, than began_s: Int64, _ earlier: Ending) -> Bool {
        tellsLives && earlier.facts.isClosed && end_s < began_s
    }

    /// The same of a track, by its version where both events carry one.
    func isEarlier(_ end: Track, at_s: Int64, than track: TrackState, _ earlier: Ending) -> Bool {
        guard tellsLives, earlier.facts.isClosed else { return false }
        if let version = end.version, let published = track.version { return version < published }
        return at_s < track.began_s
    }

    // MARK: The end of a room that goes on

    /// Whether what began at a second is later than the end that an event tells. Nothing has begun after the receipt of
    /// its end: then the clock was put back.
    private func isLater(_ began_s: Int64, than end: EventContext) -> Bool {
        tellsLives && min(began_s, end.receivedAt.milliseconds / 1_000) > end.at_s
    }

    /// Whether the end of a room leaves the participant in it: it joined later.
    private func outlives(_ member: Slot<ParticipantState>, _ end: EventContext) -> Bool {
        participants[member].hasJoined && isLater(participants[member].began_s, than: end)
    }

    /// Ends in a room what began up to the second of its end, and observes the sessions of people among it.
    ///
    /// - Returns: when the first of what is left began; nil where nothing is.
    mutating func endMembers(
        of room: Slot<RoomState>, _ context: EventContext, _ actions: inout [Action]
    ) -> Int64? {
        let members = rooms[room].participants
        for member in members where participants[member].isActive && !outlives(member, context) {
            endSession(of: member, context, &actions)
        }
        var next_s: Int64?
        for member in members {
            let later = tellsLives ? endTracks(of: member, context) : nil
            if outlives(member, context) {
                next_s = min(next_s ?? .max, participants[member].began_s, later ?? .max)
            } else if let later {
                next_s = min(next_s ?? .max, later)
                if participants[member].hasJoined { stay(member, since_s: later, context) }
            } else {
                closeParticipant(member, Ending(facts: .byRoomsEnd(participants[member]), at_s: context.at_s), &actions)
            }
        }
        if isLater(rooms[room].lastStart_s, than: context) { next_s = min(next_s ?? .max, rooms[room].lastStart_s) }
        return next_s
    }

    /// Closes the tracks of a participant that the end of its room ends; returns when the first other one began.
    private mutating func endTracks(of member: Slot<ParticipantState>, _ context: EventContext) -> Int64? {
        var next_s: Int64?
        for track in participants[member].tracks {
            if isLater(tracks[track].began_s, than: context) {
                next_s = min(next_s ?? .max, tracks[track].began_s)
            } else {
                closeTrack(track, Ending(facts: Facts(isClosed: true), at_s: context.at_s))
            }
        }
        return next_s
    }

    /// A participant whose session ended with its room and who has published since: it is adopted again in its place.
    private mutating func stay(_ member: Slot<ParticipantState>, since_s: Int64, _ context: EventContext) {
        let participant = participants[member]
        let id = Fingerprint(participant.key)
        let ending = Ending(facts: .byRoomsEnd(participant), at_s: context.at_s).following(
            endedParticipants[ending: id])
        endedParticipants.set(id, ending, at: context.receivedAt)
        participants[member].isEndCounted = ending.facts.isEndCounted
        participants[member].began_s = since_s
    }

    /// Lets a room go on as its next life after an end of which something is left.
    mutating func goOn(_ slot: Slot<RoomState>, from began_s: Int64, after ending: Ending, _ context: EventContext) {
        let id = Fingerprint(rooms[slot].key)
        endedRooms.set(id, ending.following(endedRooms[ending: id]), at: context.receivedAt)
        rooms[slot].began_s = began_s
        rooms[slot].start_ms = began_s * 1_000
        rooms[slot].isLaterLife = true
        rooms[slot].isStartCounted = true
        count(catalog.roomsStarted, of: context)
    }

    // MARK: Participants that return

    /// Opens a participant again, uncounted, whose room's end had closed it.
    mutating func bringBack(
        _ participant: Participant, _ ending: Ending, in room: Slot<RoomState>, _ context: EventContext,
        _ actions: inout [Action]
    ) -> Slot<ParticipantState> {
        let slot = insertParticipant(participant, in: room, context)
        participants[slot].hasJoined = true
        participants[slot].kind = ending.facts.kind
        participants[slot].isStartCounted = ending.facts.isStartCounted
        participants[slot].isEndCounted = ending.facts.isEndCounted
        participants[slot].join_ms = participant.joinedAt?.milliseconds ?? context.created_ms
        participants[slot].began_s = context.at_s
        if participants[slot].isActive {
            organizations[rooms[room].organization].adjust(catalog.participantsActive, by: 1)
        }
        _ = claimIdentity(slot, at_s: context.at_s, &actions)
        storePresence(of: slot, owner: owner(of: context), &actions)
        if settings.isSingleSession { noteSession(slot) }
        return slot
    }
}

extension Facts {
    /// Of a participant whose room ended, or fell silent.
    static func byRoomsEnd(_ participant: ParticipantState) -> Facts {
        var facts = Facts(
            isStartCounted: participant.isStartCounted, isEndCounted: participant.isEndCounted, isClosed: true)
        facts.mayReturn = participant.hasJoined
        if participant.hasJoined { facts.kind = participant.kind }
        return facts
    }
}
