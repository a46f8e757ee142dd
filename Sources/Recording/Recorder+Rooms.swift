import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Events

    mutating func roomStarted(_ context: EventContext, _ actions: inout [Action]) {
        let sid = context.room.sid
        if sid.isEmpty { return }
        var ending = endedRooms[ending: Fingerprint(sid)] ?? .none
        let isLate = ending.facts.isClosed && !isNewLife(ofRoom: ending, at_s: context.at_s)
        if !context.openRoom.isNone && !(tellsLives && isLate) {
            return startAgain(context.openRoom, context, &actions)
        }
        if ending.facts.isClosed && !isLate {
            openRoom(context, isStartCounted: true, laterLife: context.beginning, &actions)
            return count(catalog.roomsStarted, of: context)
        }
        if !ending.facts.isStartCounted { count(catalog.roomsStarted, of: context) }
        ending.facts.isStartCounted = true
        if isLate {
            endedRooms.set(Fingerprint(sid), ending, at: context.receivedAt)
        } else {
            openRoom(context, isStartCounted: true, &actions)
        }
    }

    /// Handles the start of an open room. It is the start of its life if the room was adopted; otherwise a node
    /// crashed.
    private mutating func startAgain(
        _ slot: Slot<RoomState>, _ context: EventContext, _ actions: inout [Action]
    ) {
        let isFirst =
            !rooms[slot].isStartCounted || tellsLives && rooms[slot].isLaterLife && rooms[slot].lastStart_s == 0
        let created_ms = context.created_ms > 0 ? context.created_ms : nil
        if rooms[slot].firstStart_s == 0 { rooms[slot].firstStart_s = context.at_s }
        rooms[slot].lastStart_s = max(rooms[slot].lastStart_s, context.at_s)
        if !isFirst { closeSilent(in: slot, before_ms: context.order_ms, context, &actions) }
        if !rooms[slot].isStartCounted { count(catalog.roomsStarted, of: context) }
        rooms[slot].isStartCounted = true
        rooms[slot].start_ms = rooms[slot].start_ms ?? created_ms
        note(context.beginning, in: slot)
    }

    mutating func roomFinished(
        _ context: EventContext, _ reason: RoomEndReason?, _ actions: inout [Action]
    ) {
        let sid = context.room.sid
        if sid.isEmpty { return }
        let slot = context.openRoom
        let start_ms = context.room.createdAt?.milliseconds
        var ending = endedRooms[ending: Fingerprint(sid)] ?? .none
        guard !slot.isNone, !isEarlier(context.at_s, than: rooms[slot].began_s, ending) else {
            if !slot.isNone { _ = endMembers(of: slot, context, &actions) }
            if !ending.facts.isEndCounted {
                count(catalog.roomsFinished, of: context)
                if let reason { increment(catalog.roomsEnded, reason.ordinal, of: context.organization) }
                if let start_ms { observe(catalog.roomDuration, .between(start_ms, context.created_ms), of: context) }
            }
            ending.facts.isEndCounted = true
            endedRooms.set(Fingerprint(sid), ending.moved(to: context.at_s), at: context.receivedAt)
            return
        }
        count(catalog.roomsFinished, of: context)
        if let reason { increment(catalog.roomsEnded, reason.ordinal, of: context.organization) }
        // A start that is known only from a later `room_started` belongs to the next life.
        let isNext =
            !rooms[slot].isLaterLife && isLater(rooms[slot].firstStart_s, than: context)
            && (rooms[slot].start_ms ?? 0) >= rooms[slot].firstStart_s * 1_000
        let known_ms = isNext ? nil : rooms[slot].start_ms
        if let start_ms = beginning_ms(told: start_ms, known: known_ms, isLater: rooms[slot].isLaterLife) {
            observe(catalog.roomDuration, .between(start_ms, context.created_ms), of: context)
        }
        let isStartCounted = rooms[slot].isStartCounted
        let facts = Facts(isStartCounted: isStartCounted, isEndCounted: true, isClosed: true)
        let end = Ending(facts: facts, at_s: context.at_s)
        let rest = endMembers(of: slot, context, &actions)
        if rest.next == nil && rest.staying == nil {
            closeRoom(slot, end, &actions)
        } else {
            goOn(slot, with: rest, after: end, context)
        }
    }

    /// Returns the beginning of a duration: the payload's time, else the known one. In a later life of a SID the
    /// payload may tell the beginning of the first life, so the later one of both counts.
    func beginning_ms(told: Int64?, known: Int64?, isLater: Bool) -> Int64? {
        guard isLater, let told, let known else { return told ?? known }
        return max(told, known)
    }

    /// Returns the room of a participant's or track's event. The room is adopted if it is neither open nor remembered
    /// as ended, or if it has ended and the event begins a life in it.
    ///
    /// - Parameter beginning: the beginning that the event tells; nil if it tells none.
    mutating func venue(
        _ context: EventContext, beginning: Beginning? = nil, _ actions: inout [Action]
    ) -> Venue {
        if !context.openRoom.isNone { return .open(context.openRoom) }
        let sid = context.room.sid
        if sid.isEmpty { return .nowhere }
        let ending = endedRooms[ending: Fingerprint(sid)] ?? .none
        if !ending.facts.isClosed {
            return .open(openRoom(context, isStartCounted: ending.facts.isStartCounted, isAdopted: true, &actions))
        }
        guard let beginning, isNewLife(ofRoom: ending, at_s: beginning.at_s) else { return .ended(ending) }
        return .open(openRoom(context, isStartCounted: false, isAdopted: true, laterLife: beginning, &actions))
    }

    /// Records that the event's open room had an event, and the properties of the room in it. Closes older rooms of the
    /// same name.
    mutating func touch(_ context: EventContext, _ actions: inout [Action]) {
        if !context.name.isNone {
            names[context.name].lastEvent_ms = max(
                names[context.name].lastEvent_ms, context.receivedAt.milliseconds)
            names[context.name].lastUse_ms = now.milliseconds
        }
        let slot = context.openRoom
        if slot.isNone { return }
        rooms[slot].lastEvent_ms = max(rooms[slot].lastEvent_ms, context.order_ms)
        rooms[slot].received_ms = max(rooms[slot].received_ms, context.receivedAt.milliseconds)
        if rooms[slot].start_ms == nil { rooms[slot].start_ms = context.room.createdAt?.milliseconds }
        if rooms[slot].name.isNone && !context.name.isNone {
            rooms[slot].name = context.name
            names[context.name].rooms.append(slot)
            move(slot, to: context.organization, &actions)
        }
        closeOlderRooms(than: slot, &actions)
    }

    // MARK: Opening and closing

    /// Opens the room of an event. It begins at the payload's time, else with the event, unless it is adopted. A later
    /// life begins at the earliest with the event.
    @discardableResult
    mutating func openRoom(
        _ context: EventContext, isStartCounted: Bool, isAdopted: Bool = false, laterLife: Beginning? = nil,
        _ actions: inout [Action]
    ) -> Slot<RoomState> {
        let created_ms = context.created_ms > 0 ? context.created_ms : nil
        let told_ms = context.room.createdAt?.milliseconds
        lastNumber += 1
        var room = RoomState()
        room.key = context.room.sid
        room.name = context.name
        room.organization = context.organization
        room.start_ms = told_ms ?? (isAdopted ? nil : created_ms)
        room.began_s = context.at_s
        if let laterLife {
            room.isLaterLife = true
            room.start_ms = max(told_ms ?? 0, laterLife.start_ms)
            room.began_s = laterLife.at_s
        }
        room.lastEvent_ms = context.order_ms
        room.received_ms = context.receivedAt.milliseconds
        room.number = lastNumber
        room.isStartCounted = isStartCounted
        if !isAdopted { (room.firstStart_s, room.lastStart_s) = (context.at_s, context.at_s) }
        let slot = rooms.insert(room)
        if !context.name.isNone { names[context.name].rooms.append(slot) }
        organizations[context.organization].entities += 1
        organizations[context.organization].adjust(catalog.roomsActive, by: 1)
        closeOlderRooms(than: slot, &actions)
        return slot
    }

    /// Closes a room with its contents, and remembers its end. Its participants are not observed.
    ///
    /// - Parameter end: if it has no time, each entity ended with its own last event.
    mutating func closeRoom(_ slot: Slot<RoomState>, _ end: Ending, _ actions: inout [Action]) {
        for member in rooms[slot].participants {
            closeParticipant(member, byRoomsEnd(member, end), &actions)
        }
        let room = rooms[slot]
        if !room.name.isNone {
            names[room.name].rooms.removeAll { $0 == slot }
            names[room.name].lastUse_ms = now.milliseconds
            forgetIfUnused(room.name)
        }
        var ending = end
        ending.facts.isStartCounted = room.isStartCounted
        if ending.at_s == 0 { ending.at_s = EventContext.second(of: room.lastEvent_ms, latest) }
        let id = Fingerprint(room.key)
        endedRooms.set(id, ending.following(endedRooms[ending: id]), at: now)
        organizations[room.organization].entities -= 1
        organizations[room.organization].adjust(catalog.roomsActive, by: -1)
        rooms.remove(slot)
    }

    /// Returns the ending of a participant whose room ends.
    private func byRoomsEnd(_ member: Slot<ParticipantState>, _ end: Ending) -> Ending {
        var facts = Facts(isClosed: end.facts.isClosed)
        if tellsLives && end.facts.isClosed { facts = .byRoomsEnd(participants[member]) }
        facts.isGivenUp = end.facts.isGivenUp
        return Ending(facts: facts, at_s: end.at_s)
    }

    /// Closes everything in a room without an event since its node crashed and the room started again.
    private mutating func closeSilent(
        in room: Slot<RoomState>, before_ms: Int64, _ context: EventContext, _ actions: inout [Action]
    ) {
        let end = Ending(facts: Facts(isClosed: true), at_s: context.at_s)
        for member in rooms[room].participants {
            if participants[member].lastEvent_ms < before_ms {
                process.increment(catalog.entitiesCorrected, Correction.room_restarted.ordinal)
                if hasEvidence { endUnseenSession(of: member, by: before_ms, &actions) }
                closeParticipant(member, end, &actions)
                continue
            }
            for track in participants[member].tracks where tracks[track].lastEvent_ms < before_ms {
                process.increment(catalog.entitiesCorrected, Correction.room_restarted.ordinal)
                closeTrack(track, end)
            }
            dropIfEmpty(member)
        }
    }

    /// Closes older SIDs of the room's name that were silent while this one had events.
    private mutating func closeOlderRooms(than slot: Slot<RoomState>, _ actions: inout [Action]) {
        let name = rooms[slot].name
        if name.isNone || names[name].rooms.count < 2 { return }
        let (limit_ms, underflow) = rooms[slot].lastEvent_ms.subtractingReportingOverflow(Limits.roomNameSilence_ms)
        if underflow { return }
        for other in names[name].rooms where other != slot && rooms[other].lastEvent_ms <= limit_ms {
            guard isOlder(rooms[other], than: rooms[slot]) else { continue }
            process.increment(catalog.entitiesCorrected, Correction.room_name_reused.ordinal)
            if hasEvidence {
                let end_ms = rooms[slot].start_ms ?? rooms[slot].lastEvent_ms
                closeUnseen(other, at_ms: max(end_ms, rooms[other].lastEvent_ms), isGivenUp: true, &actions)
                continue
            }
            var end = Ending(facts: Facts(isClosed: true))
            end.facts.isGivenUp = true
            closeRoom(other, end, &actions)
        }
    }

    /// Compares rooms by their starts if both are known, else by the order in which they were opened.
    private func isOlder(_ room: RoomState, than other: RoomState) -> Bool {
        if let start_ms = room.start_ms, let other_ms = other.start_ms, start_ms != other_ms {
            return start_ms < other_ms
        }
        return room.number < other.number
    }
}
