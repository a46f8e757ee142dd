import LiveKit
import Wire

// Comparing the state with the lists of LiveKit's server API. Nothing changes here; `Recorder+Poll.swift` makes the
// corrections.

extension Recorder {
    /// Compares the state with all lists of a poll. 10,000 rooms that agree take some milliseconds.
    package func compare(_ listing: Listing) -> Comparison {
        var comparison = Comparison()
        compare(listing.rooms, &comparison)
        compare(listing.egress, &comparison)
        compare(listing.ingress, &comparison)
        if lastWebhook_ms > 0 { comparison.lastWebhook = Timestamp(milliseconds: lastWebhook_ms) }
        return comparison
    }

    private func compare(_ listed: [ListedRoom], _ comparison: inout Comparison) {
        var isListed = [Bool](repeating: false, count: rooms.places_count)
        for (place, room) in listed.enumerated() where !room.room.sid.isEmpty {
            let slot = rooms.find(room.room.sid)
            guard !slot.isNone else {
                let endedAt = endedRooms[ending: Fingerprint(room.room.sid)]?.time
                comparison.unknownRooms.append(.init(place: place, endedAt: endedAt))
                continue
            }
            isListed[slot.index] = true
            let counted = countedParticipants(of: slot)
            if counted != room.participants {
                comparison.differingRooms.append(
                    .init(
                        place: place, counted: counted,
                        lastEvent: Timestamp(milliseconds: rooms[slot].received_ms)))
            }
        }
        for place in isListed.indices where !isListed[place] {
            let slot = rooms.slot(at: place)
            if slot.isNone { continue }
            let name = rooms[slot].name
            comparison.absentRooms.append(
                .init(
                    sid: rooms[slot].key, name: name.isNone ? "" : names[name].key,
                    lastEvent: Timestamp(milliseconds: rooms[slot].received_ms)))
        }
        comparison.openRooms = rooms.count
    }

    /// The participants of a room that LiveKit counts in `num_participants`.
    func countedParticipants(of room: Slot<RoomState>) -> Int {
        rooms[room].participants.count { participants[$0].isCounted }
    }

    private func compare(_ listed: [ListedEgress], _ comparison: inout Comparison) {
        var isRunning = [Bool](repeating: false, count: egress.places_count)
        var ended: [Int: Int] = [:]
        for (place, job) in listed.enumerated() where !job.egress.id.isEmpty {
            let slot = egress.find(job.egress.id)
            if !slot.isNone {
                if job.egress.status.isFinal { ended[slot.index] = place } else { isRunning[slot.index] = true }
                continue
            }
            let facts = endedEgress[Fingerprint(job.egress.id)] ?? .none
            let isRemembered = facts.isClosed && job.egress.attempt <= facts.endedAttempt
            if job.egress.status.isFinal && (isRemembered || !isRecoverable(job.egress)) { continue }
            comparison.unknownEgress.append(
                .init(place: place, isRemembered: isRemembered, hasRoom: hasRoom(job.room)))
        }
        for place in isRunning.indices where !isRunning[place] {
            let slot = egress.slot(at: place)
            if slot.isNone { continue }
            comparison.absentEgress.append(
                .init(
                    key: egress[slot].key, ingressID: "",
                    lastEvent: Timestamp(milliseconds: egress[slot].received_ms), place: ended[place]))
        }
        comparison.openEgress = egress.count
    }

    /// Returns true if a job ended while this state was kept, and while its end would still be remembered.
    private func isRecoverable(_ job: Egress) -> Bool {
        let oldest_ms = max(beganAt_ms, (now - (Limits.rememberedFor - Limits.recoveryMargin)).milliseconds)
        return job.endedAt_ns / 1_000_000 >= oldest_ms
    }

    private func hasRoom(_ room: Room) -> Bool {
        if !room.sid.isEmpty { return !rooms.find(room.sid).isNone }
        if room.name.isEmpty { return true }
        let name = names.find(room.name)
        return !name.isNone && !names[name].rooms.isEmpty
    }

    private func compare(_ listed: [ListedIngress], _ comparison: inout Comparison) {
        var isRunning = [Bool](repeating: false, count: ingress.places_count)
        var other: [Int: Int] = [:]
        for (place, job) in listed.enumerated() where !job.ingress.id.isEmpty {
            var slot = ingress.find(job.ingress.sessionKey)
            // A list may tell the ingress without its job.
            if job.ingress.resourceID.isEmpty, let known = ingressJobs[ExactText(job.ingress.id)] { slot = known }
            if !slot.isNone {
                if job.activity == .ended { other[slot.index] = place } else { isRunning[slot.index] = true }
                continue
            }
            if let older = ingressJobs[ExactText(job.ingress.id)] { other[older.index] = place }
            guard job.activity == .running, !job.ingress.sessionKey.isEmpty else { continue }
            let facts = endedIngress[Fingerprint(job.ingress.sessionKey)] ?? .none
            comparison.unknownIngress.append(
                .init(place: place, isRemembered: facts.isClosed, hasRoom: hasRoom(job.room)))
        }
        for place in isRunning.indices where !isRunning[place] {
            let slot = ingress.slot(at: place)
            if slot.isNone { continue }
            comparison.absentIngress.append(
                .init(
                    key: ingress[slot].key, ingressID: ingress[slot].ingressID,
                    lastEvent: Timestamp(milliseconds: ingress[slot].received_ms), place: other[place]))
        }
        comparison.openIngress = ingress.count
    }

    // MARK: One room

    /// Compares the participants of a room with those that were listed; nil if the room is not open.
    package func compare(_ members: RoomMembers) -> RoomComparison? {
        let room = rooms.find(members.room)
        if room.isNone { return nil }
        var comparison = RoomComparison(room: members.room)
        comparison.counted = countedParticipants(of: room)
        var listed = Set<ExactText>()
        var places: [ExactText: Int] = [:]
        for (place, member) in members.participants.enumerated() where !member.participant.sid.isEmpty {
            listed.insert(ExactText(member.participant.sid))
            if !member.participant.identity.isEmpty { places[ExactText(member.participant.identity)] = place }
            let slot = participants.find(member.participant.sid)
            let isOpen = !slot.isNone && participants[slot].hasJoined
            if !isOpen {
                let endedAt = endedParticipants[ending: Fingerprint(member.participant.sid)]?.time
                comparison.unknown.append(.init(place: place, endedAt: endedAt))
            }
            compareTracks(of: member, at: place, slot, &comparison)
        }
        for member in rooms[room].participants where !listed.contains(ExactText(participants[member].key)) {
            let participant = participants[member]
            let lastEvent = Timestamp(milliseconds: participant.received_ms)
            if participant.hasJoined {
                comparison.absent.append(
                    .init(
                        sid: participant.key, isCounted: participant.isCounted, lastEvent: lastEvent,
                        successor: participant.identity.isEmpty ? nil : places[ExactText(participant.identity)]))
            } else {
                comparison.absentTracks += participant.tracks.map {
                    .init(sid: tracks[$0].key, lastEvent: lastEvent)
                }
            }
        }
        return comparison
    }

    private func compareTracks(
        of member: ListedParticipant, at place: Int, _ slot: Slot<ParticipantState>,
        _ comparison: inout RoomComparison
    ) {
        let lastEvent = slot.isNone ? nil : Timestamp(milliseconds: participants[slot].received_ms)
        var listed = Set<ExactText>()
        for (number, track) in member.tracks.enumerated() where !track.sid.isEmpty {
            listed.insert(ExactText(track.sid))
            if !tracks.find(track.sid).isNone { continue }
            comparison.unknownTracks.append(
                .init(
                    participant: place, place: number,
                    isRemembered: hasEnded(track, after: endedTracks[ending: Fingerprint(track.sid)]),
                    lastEvent: lastEvent))
        }
        guard let lastEvent else { return }
        for track in participants[slot].tracks where !listed.contains(ExactText(tracks[track].key)) {
            comparison.absentTracks.append(.init(sid: tracks[track].key, lastEvent: lastEvent))
        }
    }

    /// Returns true if a listed track is that of the remembered end. Only a later version shows another life.
    func hasEnded(_ track: Track, after ending: Ending?) -> Bool {
        guard let ending, ending.facts.isClosed else { return false }
        guard let version = track.version, let known = ending.version, !ending.facts.isGivenUp else { return true }
        return version <= known
    }
}

extension ParticipantState {
    /// LiveKit counts it in `num_participants`.
    var isCounted: Bool { hasJoined && kind.isCounted }
}

extension Ending {
    /// The end; nil if none is remembered.
    var time: Timestamp? { facts.isClosed ? Timestamp(seconds: at_s) : nil }
}
