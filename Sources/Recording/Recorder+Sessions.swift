import LiveKit
import Wire

// One session per person. Nothing here has an effect unless `RecorderSettings.isSingleSession` is true. Specification,
// "Single-session enforcement".

extension Recorder {
    /// Rebuilds the index of sessions, as if no removal had been asked for yet.
    ///
    /// Call it after the state was read from a snapshot, and after a replay: removals that were asked for during a
    /// replay have not been done.
    package mutating func rebuildSessions() {
        sessions = rebuiltSessions()
    }

    private func rebuiltSessions() -> SessionIndex {
        var index = SessionIndex()
        guard settings.isSingleSession else { return index }
        for (slot, participant) in participants.all {
            guard let person = person(slot, in: rooms[participant.room].organization) else { continue }
            index.insert(.init(participant: slot), of: person)
        }
        return index
    }

    // MARK: What happens

    /// Records that a participant has joined. Of the person's sessions in the organization only the one that began last
    /// may stay, so this asks for the removal of the others, even of this one if events came out of order.
    mutating func limitSessions(
        _ slot: Slot<ParticipantState>, _ context: EventContext, _ actions: inout [Action]
    ) {
        guard let person = noteSession(slot) else { return }
        let all = sessions[person]
        if all.count < 2 { return }

        // Of two that began at the same time, the one whose event came last counts as the later one.
        var newest = slot
        for session in all where !session.isRemovalAsked {
            if participants[session.participant].join_ms > participants[newest].join_ms { newest = session.participant }
        }
        // LiveKit removes whoever has the identity in the room of that name. So nobody may be removed from the room of
        // the session that stays, not even from an earlier life of that room: a removal that was asked for there is
        // withdrawn.
        let home = roomName(of: newest)
        if newest == slot && all.contains(where: { $0.isRemovalAsked && roomName(of: $0.participant) == home }) {
            withdrawRemoval(of: participants[slot].identity, from: home, &actions)
        }
        guard let limit = removalLimit(context) else { return }
        var left: [Slot<RoomNameState>] = []
        for session in all where session.participant != newest && !session.isRemovalAsked {
            let name = roomName(of: session.participant)
            // A removal needs the name of the room.
            if name.isNone || name == home { continue }
            sessions.noteRemoval(of: session.participant, of: person)
            if left.contains(name) { continue }
            left.append(name)
            actions.append(
                .removeParticipant(room: names[name].key, identity: participants[slot].identity, until: limit))
        }
    }

    /// Records where a participant is. Returns the person, if the rule applies to the participant.
    @discardableResult
    mutating func noteSession(_ slot: Slot<ParticipantState>) -> SessionIndex.Person? {
        guard let person = person(slot, in: rooms[participants[slot].room].organization) else { return nil }
        sessions.insert(.init(participant: slot), of: person)
        return person
    }

    /// Removes a participant that is about to be closed from the index. A removal that has not happened yet is
    /// withdrawn: it is not needed any more, and might hit the person's next session in the same room.
    mutating func forgetSession(_ slot: Slot<ParticipantState>, _ actions: inout [Action]) {
        guard let person = person(slot, in: rooms[participants[slot].room].organization),
            let session = sessions.remove(slot, of: person), session.isRemovalAsked
        else { return }
        let name = roomName(of: slot)
        let isAnotherAsked = sessions[person].contains { $0.isRemovalAsked && roomName(of: $0.participant) == name }
        if !isAnotherAsked { withdrawRemoval(of: participants[slot].identity, from: name, &actions) }
    }

    /// Moves the session of a participant whose room moves to another organization. Nobody joins by that, so nobody is
    /// removed.
    mutating func moveSession(
        _ slot: Slot<ParticipantState>, from old: Slot<OrganizationState>, to new: Slot<OrganizationState>
    ) {
        let session = person(slot, in: old).flatMap { sessions.remove(slot, of: $0) }
        guard let person = person(slot, in: new) else { return }
        sessions.insert(session ?? .init(participant: slot), of: person)
    }

    // MARK: Rules

    /// Returns the person of a participant to whom the rule applies: one who has joined, in a known organization, with
    /// an identity, and with a join time to compare.
    private func person(
        _ slot: Slot<ParticipantState>, in organization: Slot<OrganizationState>
    ) -> SessionIndex.Person? {
        guard settings.isSingleSession, organization != unknown, participants[slot].isActive,
            !participants[slot].identity.isEmpty, participants[slot].join_ms > 0
        else { return nil }
        return .init(organization: organization, identity: ExactText(participants[slot].identity))
    }

    /// Returns the time until which an event may cause a removal; nil if that is over, or if the event's age is
    /// unknown.
    private func removalLimit(_ context: EventContext) -> Timestamp? {
        guard let lag = context.lag else { return nil }
        // The event may have waited for its organization after it was received.
        let waited = max(.zero, now.since(context.receivedAt))
        let (limit_ms, overflow) = context.created_ms.addingReportingOverflow(Limits.removal.milliseconds)
        guard !overflow, .seconds(lag) + waited <= Limits.removal else { return nil }
        return Timestamp(milliseconds: limit_ms)
    }

    private func roomName(of slot: Slot<ParticipantState>) -> Slot<RoomNameState> {
        rooms[participants[slot].room].name
    }

    private func withdrawRemoval(
        of identity: String, from name: Slot<RoomNameState>, _ actions: inout [Action]
    ) {
        if name.isNone { return }
        actions.append(.withdrawRemoval(room: names[name].key, identity: identity))
    }

    // MARK: Checks

    /// Checks that the index equals a rebuilt one.
    func checkSessions() -> [String] {
        sessions.members == rebuiltSessions().members ? [] : ["the index of sessions is not that of who is there"]
    }
}
