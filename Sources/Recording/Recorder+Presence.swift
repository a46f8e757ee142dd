import LiveKit
import Storage
import Wire

// At a start without a saved state, the database knows who was connected.

extension Recorder {
    /// Opens the participants, with their rooms, that are neither open nor remembered as ended. Nothing of it is
    /// counted.
    mutating func adopt(_ rows: [OpenPresence], _ actions: inout [Action]) {
        // Rooms are numbered in this order, so that a room that was opened later has a higher number.
        let rows = rows.sorted { ($0.joinedAt, $0.participantSID) < ($1.joinedAt, $1.participantSID) }
        for row in rows where !row.participantSID.isEmpty && !row.roomSID.isEmpty { adopt(row, &actions) }
    }

    private mutating func adopt(_ row: OpenPresence, _ actions: inout [Action]) {
        if endedParticipants[Fingerprint(row.participantSID)]?.isClosed == true { return }
        var slot = participants.find(row.participantSID)
        if !slot.isNone && participants[slot].hasJoined { return }
        if slot.isNone {
            var room = rooms.find(row.roomSID)
            if room.isNone {
                if endedRooms[Fingerprint(row.roomSID)]?.isClosed == true { return }
                room = adoptRoom(of: row, &actions)
            }
            var state = ParticipantState()
            state.key = row.participantSID
            state.room = room
            state.placeInRoom = rooms[room].participants.count
            slot = participants.insert(state)
            rooms[room].participants.append(slot)
        }
        participants[slot].hasJoined = true
        participants[slot].isStartCounted = true
        participants[slot].identity = row.identity
        participants[slot].kind = .standard
        participants[slot].join_ms = row.joinedAt.milliseconds
        participants[slot].lastEvent_ms = max(participants[slot].lastEvent_ms, row.joinedAt.milliseconds)
        participants[slot].began_s = row.joinedAt.milliseconds / 1_000
        participants[slot].userID = row.userID
        participants[slot].isPresenceStored = true
        openConnection(slot, received_ms: now.milliseconds)
        organizations[rooms[participants[slot].room].organization].adjust(catalog.participantsActive, by: 1)
        _ = claimIdentity(slot, at_s: now.milliseconds / 1_000, &actions)
    }

    /// Opens the room of a row. It has no event time, so every room with events is newer.
    private mutating func adoptRoom(of row: OpenPresence, _ actions: inout [Action]) -> Slot<RoomState> {
        let name = row.roomName.isEmpty ? .none : name(adopted: row.roomName, of: row.organization, &actions)
        lastNumber += 1
        var room = RoomState()
        room.key = row.roomSID
        room.name = name
        room.organization = organization(of: row, name: name)
        room.received_ms = now.milliseconds
        room.number = lastNumber
        room.isStartCounted = endedRooms[Fingerprint(row.roomSID)]?.isStartCounted == true
        let slot = rooms.insert(room)
        if !name.isNone {
            names[name].rooms.append(slot)
            names[name].lastEvent_ms = now.milliseconds
            names[name].lastUse_ms = now.milliseconds
        }
        organizations[room.organization].entities += 1
        organizations[room.organization].adjust(catalog.roomsActive, by: 1)
        noteActivity(of: room.organization, at: now)
        return slot
    }

    private mutating func organization(of row: OpenPresence, name: Slot<RoomNameState>) -> Slot<OrganizationState> {
        if !fixed.isNone { return fixed }
        if !name.isNone {
            if case .known(let organization) = names[name].resolution { return organization }
            return unknown
        }
        guard Self.isOrganizationID(row.organization.id) else { return unknown }
        return upsert(row.organization, named: .database)
    }

    /// Returns the record of a room's name. The database's organization is used for an unknown name until the next
    /// event.
    private mutating func name(
        adopted text: String, of organization: Organization, _ actions: inout [Action]
    ) -> Slot<RoomNameState> {
        let name = record(ofName: text)
        guard names[name].resolution == .unresolved else { return name }
        switch settings.organizationSource {
        case .fixed, .roomName: resolve(name, for: Event(room: Room(name: text), body: .other), &actions)
        case .metadata, .database:
            guard Self.isOrganizationID(organization.id) else { return name }
            assign(name, to: upsert(organization, named: .database), &actions)
            names[name].refreshAt_ms = now.milliseconds
        }
        return name
    }
}
