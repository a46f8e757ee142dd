import LiveKit
import Wire

// Lives: a life of a SID lasts from its beginning to its end. An end closes what began before it; a start, a join or a
// publication that began later is a new life of the same SID. This file decides which life an event belongs to.
// Specification, *Lives*.

extension Recorder {
    /// The number of the rules under which this program applies events. A replay applies an event that was noted with
    /// an older number under the older rules, so that it makes the same rows and counts as before.
    ///
    /// 1: an ended SID stays ended. 2: lives. 3: the late start of what a poll adopted counts. 4: rows of usage.
    package static let rules = 4

    var tellsLives: Bool { rules >= 2 }
    var countsAdopted: Bool { rules >= 3 }
    var tellsUsage: Bool { rules >= 4 }

    // MARK: What begins

    /// Returns true if an event of this second begins a new life of an ended room. Within the same second the event
    /// counts as later than the end.
    func isNewLife(ofRoom ending: Ending, at_s: Int64) -> Bool { mayLive(ending) && at_s >= ending.at_s }

    /// Returns true if an ended participant begins a new life. LiveKit never uses its SID again at once, so the same
    /// second belongs to the old life.
    func isNewLife(ofParticipant ending: Ending, began_s: Int64) -> Bool {
        mayLive(ending) && began_s > ending.at_s
    }

    /// Returns true if an ended track begins a new life. Its version decides if both lives have one. Otherwise a track
    /// that had its own end is treated like a room; a track that something else ended may have the same publication
    /// again in the same second.
    func isNewLife(of track: Track, after ending: Ending, at_s: Int64) -> Bool {
        guard mayLive(ending) else { return false }
        if let version = track.version, let known = ending.version { return version > known }
        return ending.facts.isEndCounted ? at_s >= ending.at_s : at_s > ending.at_s
    }

    /// Returns true if a publication belongs to the life that ended.
    func isLate(_ track: Track, after ending: Ending, at_s: Int64) -> Bool {
        tellsLives && ending.facts.isClosed && !isNewLife(of: track, after: ending, at_s: at_s)
    }

    private func mayLive(_ ending: Ending) -> Bool {
        tellsLives && ending.facts.isClosed && !ending.facts.isGivenUp
    }

    /// Returns true if an entity is still there that only the end of its room has closed: it has a later event of its
    /// own.
    func returns(after ending: Ending, _ context: EventContext) -> Bool {
        mayLive(ending) && ending.facts.mayReturn && context.at_s > ending.at_s
    }

    /// Returns the same for a participant, of whose identity no other participant may be there.
    func returns(_ participant: Participant, after ending: Ending, _ context: EventContext) -> Bool {
        guard returns(after: ending, context) else { return false }
        if context.openRoom.isNone || participant.identity.isEmpty { return true }
        return identities[ParticipantIdentity(room: context.openRoom, identity: participant.identity)] == nil
    }

    // MARK: What ends

    /// Returns true if an end belongs to an earlier life: it was created before the open one began, and an earlier life
    /// is known.
    func isEarlier(_ end_s: Int64, than began_s: Int64, _ earlier: Ending) -> Bool {
        tellsLives && earlier.facts.isClosed && end_s < began_s
    }

    /// Returns the same for a track. Its version decides if both events carry one.
    func isEarlier(_ end: Track, at_s: Int64, than track: TrackState, _ earlier: Ending) -> Bool {
        guard tellsLives, earlier.facts.isClosed, !track.hasReturned else { return false }
        if let version = end.version, let published = track.version { return version < published }
        return at_s < track.began_s
    }

    // MARK: The end of a room that goes on

    /// Returns true if a beginning is later than the end that an event tells. A beginning after the receipt of that end
    /// does not count as such: then the clock was put back.
    func isLater(_ began_s: Int64, than end: EventContext) -> Bool {
        tellsLives && min(began_s, end.receivedAt.milliseconds / 1_000) > end.at_s
    }

    /// Returns true if the participant joined after the end of its room, so that it stays.
    private func outlives(_ member: Slot<ParticipantState>, _ end: EventContext) -> Bool {
        participants[member].hasJoined && isLater(participants[member].began_s, than: end)
    }

    /// The contents of a room that remain after its end.
    struct Rest {
        /// The first beginning after the end.
        var next: Beginning?
        /// The first later event of an entity that began before the end: it is adopted again.
        var staying: Beginning?

        mutating func begins(_ beginning: Beginning) { next = beginning.earlier(next) }
        mutating func stays(_ beginning: Beginning) { staying = beginning.earlier(staying) }
    }

    /// Ends everything in a room that began up to the second of its end, and observes the sessions of people who end
    /// with it.
    mutating func endMembers(of room: Slot<RoomState>, _ context: EventContext, _ actions: inout [Action]) -> Rest {
        let members = rooms[room].participants
        for member in members where participants[member].hasJoined && !outlives(member, context) {
            endConnection(member, .room_closed, context)
            if participants[member].isActive { endSession(of: member, context, &actions) }
            participants[member].isEndCounted = true
        }
        var rest = Rest()
        for member in members {
            let hasTracks = tellsLives && endTracks(of: member, context, withRoom: &rest)
            if outlives(member, context) {
                rest.begins(Beginning(at_s: participants[member].began_s, start_ms: participants[member].join_ms))
            } else if hasTracks {
                if participants[member].hasJoined { stay(member, context) }
            } else {
                closeParticipant(
                    member, Ending(facts: .byRoomsEnd(participants[member]), at_s: context.at_s),
                    endedAt_ms: context.created_ms, &actions)
            }
        }
        let starts = [rooms[room].firstStart_s, rooms[room].lastStart_s].map {
            Beginning(at_s: $0, start_ms: $0 * 1_000)
        }
        for known in starts + [rooms[room].lastBeginning] where isLater(known.at_s, than: context) {
            rest.begins(known)
        }
        return rest
    }

    /// Closes the tracks of a participant that end with the room. Returns true if others are left.
    private mutating func endTracks(
        of member: Slot<ParticipantState>, _ context: EventContext, withRoom rest: inout Rest
    ) -> Bool {
        for track in participants[member].tracks {
            let (began_s, last_s) = (tracks[track].began_s, tracks[track].lastPublished_s)
            if isLater(began_s, than: context) {
                rest.begins(Beginning(at_s: began_s, start_ms: began_s * 1_000))
            } else if isLater(last_s, than: context) {
                rest.stays(Beginning(at_s: last_s, start_ms: last_s * 1_000))
            } else {
                closeTrack(track, Ending(facts: .byRoomsEnd, at_s: context.at_s), endedAt_ms: context.created_ms)
            }
        }
        return !participants[member].tracks.isEmpty
    }

    /// Closes the tracks of a participant that end with its own end: those that were published up to it.
    mutating func endTracks(of member: Slot<ParticipantState>, _ context: EventContext) {
        for track in participants[member].tracks where !isLater(tracks[track].began_s, than: context) {
            closeTrack(track, Ending(facts: Facts(isClosed: true), at_s: context.at_s), endedAt_ms: context.created_ms)
        }
    }

    /// Keeps a participant in its place whose session ended with its room and who has published since: it is adopted
    /// again.
    private mutating func stay(_ member: Slot<ParticipantState>, _ context: EventContext) {
        let participant = participants[member]
        let id = Fingerprint(participant.key)
        let ending = Ending(facts: .byRoomsEnd(participant), at_s: context.at_s).following(
            endedParticipants[ending: id])
        endedParticipants.set(id, ending, at: context.receivedAt)
        participants[member].isEndCounted = ending.facts.isEndCounted
        openConnection(
            member, received_ms: context.receivedAt.milliseconds, continuedAt: context.endedAt.milliseconds)
    }

    /// Keeps a room open after an end with remaining contents. It is the room's next life if something began later,
    /// else the room is adopted again.
    mutating func goOn(_ slot: Slot<RoomState>, with rest: Rest, after ending: Ending, _ context: EventContext) {
        guard let beginning = rest.next ?? rest.staying else { return }
        let id = Fingerprint(rooms[slot].key)
        endedRooms.set(id, ending.following(endedRooms[ending: id]), at: context.receivedAt)
        rooms[slot].began_s = beginning.at_s
        rooms[slot].start_ms = beginning.start_ms
        rooms[slot].isLaterLife = true
        if rooms[slot].lastStart_s <= context.at_s { rooms[slot].lastStart_s = 0 }
        if rooms[slot].firstStart_s <= context.at_s { rooms[slot].firstStart_s = rooms[slot].lastStart_s }
        rooms[slot].isStartCounted = rest.next != nil
        if rest.next != nil { count(catalog.roomsStarted, of: context) }
    }

    /// Records a beginning in an open room, because it shows that the room existed at that time.
    mutating func note(_ beginning: Beginning, in slot: Slot<RoomState>) {
        let last = rooms[slot].lastBeginning
        // The earliest beginning of the second counts.
        if beginning.at_s > last.at_s || beginning.at_s == last.at_s && beginning.isEarlier(than: last) {
            rooms[slot].lastBeginning = beginning
        }
        let known = Beginning(at_s: rooms[slot].began_s, start_ms: rooms[slot].start_ms ?? .max)
        guard rooms[slot].isLaterLife, beginning.isEarlier(than: known) else { return }
        // A beginning in an earlier life tells nothing about this one.
        if let ending = endedRooms[ending: Fingerprint(rooms[slot].key)], beginning.at_s < ending.at_s { return }
        rooms[slot].began_s = beginning.at_s
        rooms[slot].start_ms = min(rooms[slot].start_ms ?? .max, beginning.start_ms)
    }

    // MARK: Participants that return

    /// Opens a participant again that the end of its room had closed, without counting it.
    mutating func bringBack(
        _ participant: Participant, _ ending: Ending, in room: Slot<RoomState>, _ context: EventContext,
        _ actions: inout [Action]
    ) -> Slot<ParticipantState> {
        var slot = participants.find(participant.sid)
        if slot.isNone { slot = insertParticipant(participant, in: room, context) }
        participants[slot].hasJoined = true
        participants[slot].identity = participant.identity
        participants[slot].kind = ending.facts.kind
        participants[slot].isStartCounted = ending.facts.isStartCounted
        participants[slot].isEndCounted = ending.facts.isEndCounted
        // Unknown, unless the event tells it.
        participants[slot].join_ms = participant.joinedAt?.milliseconds ?? 0
        participants[slot].began_s = participant.joinedAt == nil ? 0 : context.beginning(of: participant).at_s
        if participants[slot].isActive {
            organizations[rooms[room].organization].adjust(catalog.participantsActive, by: 1)
        }
        // After an exact end only the rest counts. An estimated one is taken back.
        let isRest = ending.facts.isEndCounted && usage.estimates[Fingerprint(participant.sid)] == nil
        openConnection(
            slot, received_ms: context.receivedAt.milliseconds,
            continuedAt: isRest ? context.endedAt.milliseconds : nil, isBack: !isRest)
        _ = claimIdentity(slot, at_s: context.at_s, &actions)
        storePresence(of: slot, owner: owner(of: context), &actions)
        if settings.isSingleSession { noteSession(slot) }
        return slot
    }
}

extension Facts {
    /// The facts of a track whose room ended or became silent.
    static var byRoomsEnd: Facts {
        var facts = Facts(isClosed: true)
        facts.mayReturn = true
        return facts
    }

    /// Returns the facts of a participant whose room ended or became silent.
    static func byRoomsEnd(_ participant: ParticipantState) -> Facts {
        var facts = Facts(
            isStartCounted: participant.isStartCounted, isEndCounted: participant.isEndCounted, isClosed: true)
        facts.mayReturn = participant.hasJoined
        if participant.hasJoined { facts.kind = participant.kind }
        return facts
    }
}
