import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Events

    mutating func roomStarted(_ context: EventContext, _ actions: inout [Action]) {
        let sid = context.room.sid
        if sid.isEmpty { return }
        let created_ms = context.created_ms > 0 ? context.created_ms : nil
        if !context.openRoom.isNone {
            let slot = context.openRoom
            if rooms[slot].isStartCounted {
                closeSilent(in: slot, before_ms: context.order_ms, &actions)
            } else {
                rooms[slot].isStartCounted = true
                rooms[slot].start_ms = rooms[slot].start_ms ?? created_ms
                count(catalog.roomsStarted, of: context)
            }
            return
        }
        let facts = endedRooms[Fingerprint(sid)] ?? .none
        if !facts.isStartCounted { count(catalog.roomsStarted, of: context) }
        if facts.isClosed {
            endedRooms.remember(Fingerprint(sid), Facts(isStartCounted: true), at: context.receivedAt)
        } else {
            openRoom(
                context, start_ms: context.room.createdAt?.milliseconds ?? created_ms, isStartCounted: true, &actions)
        }
    }

    mutating func roomFinished(_ context: EventContext, _ actions: inout [Action]) {
        let sid = context.room.sid
        if sid.isEmpty { return }
        let facts = endedRooms[Fingerprint(sid)] ?? .none
        if context.openRoom.isNone && facts.isEndCounted { return }
        count(catalog.roomsFinished, of: context)
        let known_ms = context.openRoom.isNone ? nil : rooms[context.openRoom].start_ms
        if let start_ms = context.room.createdAt?.milliseconds ?? known_ms {
            observe(catalog.roomDuration, DurationRule.between(start_ms, context.created_ms), of: context)
        }
        guard !context.openRoom.isNone else {
            let ended = Facts(isEndCounted: true, isClosed: true)
            endedRooms.remember(Fingerprint(sid), ended, at: context.receivedAt)
            return
        }
        for member in rooms[context.openRoom].participants where participants[member].isActive {
            endSession(of: member, context, &actions)
        }
        closeRoom(context.openRoom, Facts(isEndCounted: true, isClosed: true), &actions)
    }

    /// The room of a participant's or track's event; adopted where it is neither open nor remembered as ended.
    mutating func venue(_ context: EventContext, _ actions: inout [Action]) -> Venue {
        if !context.openRoom.isNone { return .open(context.openRoom) }
        let sid = context.room.sid
        if sid.isEmpty { return .nowhere }
        let facts = endedRooms[Fingerprint(sid)] ?? .none
        if facts.isClosed { return .ended }
        let start_ms = context.room.createdAt?.milliseconds
        return .open(
            openRoom(context, start_ms: start_ms, isStartCounted: facts.isStartCounted, &actions))
    }

    /// Notes that the event's room, where it is open, had an event, and what it says of the room; gives up older rooms
    /// of its name.
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

    @discardableResult
    private mutating func openRoom(
        _ context: EventContext, start_ms: Int64?, isStartCounted: Bool, _ actions: inout [Action]
    ) -> Slot<RoomState> {
        lastNumber += 1
        var room = RoomState()
        room.key = context.room.sid
        room.name = context.name
        room.organization = context.organization
        room.start_ms = start_ms
        room.lastEvent_ms = context.order_ms
        room.received_ms = context.receivedAt.milliseconds
        room.number = lastNumber
        room.isStartCounted = isStartCounted
        let slot = rooms.insert(room)
        if !context.name.isNone { names[context.name].rooms.append(slot) }
        organizations[context.organization].entities += 1
        organizations[context.organization].adjust(catalog.roomsActive, by: 1)
        closeOlderRooms(than: slot, &actions)
        return slot
    }

    /// Closes a room and all in it, and remembers the facts of it. Participants in it are not observed.
    mutating func closeRoom(_ slot: Slot<RoomState>, _ facts: Facts, _ actions: inout [Action]) {
        for member in rooms[slot].participants {
            closeParticipant(member, Facts(isClosed: facts.isClosed), &actions)
        }
        let room = rooms[slot]
        if !room.name.isNone {
            names[room.name].rooms.removeAll { $0 == slot }
            names[room.name].lastUse_ms = now.milliseconds
            forgetIfUnused(room.name)
        }
        var facts = facts
        facts.isStartCounted = room.isStartCounted
        endedRooms.remember(Fingerprint(room.key), facts, at: now)
        organizations[room.organization].entities -= 1
        organizations[room.organization].adjust(catalog.roomsActive, by: -1)
        rooms.remove(slot)
    }

    /// The room started again because its node crashed: what had no event since is gone.
    private mutating func closeSilent(in room: Slot<RoomState>, before_ms: Int64, _ actions: inout [Action]) {
        for member in rooms[room].participants {
            if participants[member].lastEvent_ms < before_ms {
                process.increment(catalog.entitiesCorrected, Correction.room_restarted.ordinal)
                closeParticipant(member, Facts(isClosed: true), &actions)
                continue
            }
            for track in participants[member].tracks where tracks[track].lastEvent_ms < before_ms {
                process.increment(catalog.entitiesCorrected, Correction.room_restarted.ordinal)
                closeTrack(track, Facts(isClosed: true))
            }
            dropIfEmpty(member)
        }
    }

    /// Closes older SIDs of the room's name that have been silent while this one had events.
    private mutating func closeOlderRooms(than slot: Slot<RoomState>, _ actions: inout [Action]) {
        let name = rooms[slot].name
        if name.isNone || names[name].rooms.count < 2 { return }
        let (limit_ms, underflow) = rooms[slot].lastEvent_ms.subtractingReportingOverflow(Limits.roomNameSilence_ms)
        if underflow { return }
        for other in names[name].rooms where other != slot && rooms[other].lastEvent_ms <= limit_ms {
            guard isOlder(rooms[other], than: rooms[slot]) else { continue }
            process.increment(catalog.entitiesCorrected, Correction.room_name_reused.ordinal)
            closeRoom(other, Facts(isClosed: true), &actions)
        }
    }

    /// By their starts where both are known, else by which was opened first.
    private func isOlder(_ room: RoomState, than other: RoomState) -> Bool {
        if let start_ms = room.start_ms, let other_ms = other.start_ms, start_ms != other_ms {
            return start_ms < other_ms
        }
        return room.number < other.number
    }
}
