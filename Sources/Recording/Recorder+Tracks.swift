import LiveKit
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Events

    mutating func published(
        _ track: Track, by participant: Participant, _ context: EventContext, _ actions: inout [Action]
    ) {
        guard !track.sid.isEmpty, !participant.sid.isEmpty else { return }
        let id = Fingerprint(track.sid)
        var publication = publication(of: track, by: participant, context)
        let venue = venue(context, beginning: publication.isLive ? context.beginning : nil, &actions)
        if case .nowhere = venue { return }
        // The new room may have closed another one.
        if context.openRoom.isNone { publication = self.publication(of: track, by: participant, context) }
        var owner = publication.owner
        if !owner.isNone { noteEvent(of: owner, context) }
        let known = publication.slot
        if !known.isNone {
            tracks[known].lastEvent_ms = max(tracks[known].lastEvent_ms, context.order_ms)
            wake(known, at: context.proof_ms)
            if isLate(track, after: publication.ending, at_s: context.at_s) {
                return noteLatePublication(of: track, publication.ending, context)
            }
            tracks[known].lastPublished_s = max(tracks[known].lastPublished_s, context.at_s)
            if tracks[known].isAdopted { count(catalog.tracksPublished, track.ordinal, of: context) }
            tracks[known].isAdopted = false
            return tracks[known].note(track.version)
        }
        if publication.ownerReturns, case .open(let room) = venue {
            owner = bringBack(participant, publication.ownersEnding, in: room, context, &actions)
        }
        let ending = publication.isNew ? .none : publication.ending
        if !ending.facts.isStartCounted { count(catalog.tracksPublished, track.ordinal, of: context) }
        guard case .open(let room) = venue, publication.opens else {
            let isLate = !ending.facts.isStartCounted && known.isNone
            let ending = endingOfLatePublication(of: track, ending, publication.ownersEnding, venue, context)
            if isLate { addTrack(track, from: context.created_ms, until: ending.at_s, context) }
            endedTracks.set(id, ending, at: context.receivedAt)
            return
        }
        if owner.isNone { owner = insertParticipant(participant, in: room, context) }
        var state = TrackState()
        state.key = track.sid
        state.participant = owner
        state.placeInParticipant = participants[owner].tracks.count
        state.label = track.ordinal
        state.lastEvent_ms = context.order_ms
        // The beginning of a track that returns is not known any more.
        state.began_s = publication.returns ? 0 : context.at_s
        state.lastPublished_s = context.at_s
        state.version = track.version
        state.hasReturned = publication.returns
        if publication.returns {
            state.note(publication.ending.version)
        } else {
            note(context.beginning, in: participants[owner].room)
        }
        let slot = tracks.insert(state)
        participants[owner].tracks.append(slot)
        organizations[organization(of: slot)].adjust(catalog.tracksActive, track.ordinal, by: 1)
        openTrackUsage(
            slot, start_ms: context.endedAt.milliseconds, received_ms: context.receivedAt.milliseconds,
            isBack: publication.returns)
    }

    /// The meaning of a publication for the state.
    private struct Publication {
        let slot: Slot<TrackState>
        /// The remembered end of its SID.
        let ending: Ending
        /// It begins a new life after that end.
        let isNew: Bool
        /// It was published all the time.
        let returns: Bool
        let owner: Slot<ParticipantState>
        /// The remembered end of the owner, if the owner is not there.
        let ownersEnding: Ending
        /// The owner was there all the time.
        let ownerReturns: Bool
        /// From now on it is published.
        let opens: Bool

        /// It shows that its room exists.
        var isLive: Bool { opens || ownerReturns }
    }

    private func publication(
        of track: Track, by participant: Participant, _ context: EventContext
    ) -> Publication {
        let slot = tracks.find(track.sid)
        let owner = participants.find(participant.sid)
        let ending = endedTracks[ending: Fingerprint(track.sid)] ?? .none
        let isNew = slot.isNone && isNewLife(of: track, after: ending, at_s: context.at_s)
        var ownersEnding = Ending.none
        if owner.isNone { ownersEnding = endedParticipants[ending: Fingerprint(participant.sid)] ?? .none }
        let ownerReturns = returns(participant, after: ownersEnding, context)
        // A track that was published after the end of its owner has outlived that end.
        let isOrphan =
            ownersEnding.facts.isClosed && !ownerReturns
            && (!tellsLives || ownersEnding.facts.isGivenUp || context.at_s <= ownersEnding.at_s)
        let returns = !isNew && returns(after: ending, context)
        let opens = slot.isNone && (!ending.facts.isClosed || isNew || returns) && !isOrphan
        return Publication(
            slot: slot, ending: ending, isNew: isNew, returns: returns, owner: owner, ownersEnding: ownersEnding,
            ownerReturns: ownerReturns, opens: opens)
    }

    /// Counts a late publication of the life before the open one.
    private mutating func noteLatePublication(of track: Track, _ earlier: Ending, _ context: EventContext) {
        if earlier.facts.isStartCounted { return }
        count(catalog.tracksPublished, track.ordinal, of: context)
        addTrack(track, from: context.created_ms, until: earlier.at_s, context)
        var earlier = earlier
        earlier.facts.isStartCounted = true
        endedTracks.set(Fingerprint(track.sid), earlier, at: context.receivedAt)
    }

    /// Returns the ending of a track whose publication counted and opened nothing, because its room or its owner had
    /// ended before it came.
    private func endingOfLatePublication(
        of track: Track, _ ending: Ending, _ owner: Ending, _ venue: Venue, _ context: EventContext
    ) -> Ending {
        var ending = ending
        if !ending.facts.isClosed {
            var home = owner
            if case .ended(let room) = venue, !owner.facts.isClosed || context.at_s > owner.at_s {
                home = room
                home.facts.mayReturn = true
            }
            ending.at_s = max(context.at_s, home.at_s)
            ending.version = track.version
            ending.facts.mayReturn = tellsLives && home.facts.mayReturn
            ending.facts.isGivenUp = home.facts.isGivenUp
        }
        ending.facts.isStartCounted = true
        ending.facts.isClosed = true
        return ending
    }

    mutating func unpublished(
        _ track: Track, by participant: Participant, _ context: EventContext, _ actions: inout [Action]
    ) {
        guard !track.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let owner = participants.find(participant.sid)
        if !owner.isNone { noteEvent(of: owner, context) }
        let id = Fingerprint(track.sid)
        let slot = tracks.find(track.sid)
        var ending = endedTracks[ending: id] ?? .none
        if slot.isNone || isEarlier(track, at_s: context.at_s, than: tracks[slot], ending) {
            if !ending.facts.isEndCounted { replaceEstimate(of: track, context) }
            // An end that is earlier than the remembered one is not the last end.
            if context.at_s >= ending.at_s { ending.facts.isEndCounted = true }
            if let version = track.version { ending.version = max(version, ending.version ?? version) }
            endedTracks.set(id, ending.moved(to: context.at_s), at: context.receivedAt)
            return
        }
        let holder = tracks[slot].participant
        let facts = Facts(isEndCounted: true, isClosed: true)
        closeTrack(
            slot, Ending(facts: facts, at_s: context.at_s, version: track.version), endedAt_ms: context.created_ms)
        dropIfEmpty(holder)
    }

    // MARK: Closing

    /// Closes a track and remembers its end. If `end` has no time, the track ended with its last event.
    ///
    /// - Parameter endedAt_ms: the end for its usage; nil if it ended unseen, with its last evidence.
    mutating func closeTrack(_ slot: Slot<TrackState>, _ end: Ending, endedAt_ms: Int64? = nil) {
        endTrackUsage(slot, at: endedAt_ms)
        organizations[organization(of: slot)].adjust(catalog.tracksActive, tracks[slot].label, by: -1)
        var ending = end
        ending.facts.isStartCounted = !tracks[slot].isAdopted
        tracks[slot].note(end.version)
        ending.version = tracks[slot].version
        ending.at_s = max(ending.at_s, ending.at_s == 0 ? 0 : tracks[slot].began_s)
        if ending.at_s == 0 { ending.at_s = EventContext.second(of: tracks[slot].lastEvent_ms, latest) }
        let id = Fingerprint(tracks[slot].key)
        endedTracks.set(id, ending.following(endedTracks[ending: id]), at: now)
        let holder = tracks[slot].participant
        let place = tracks[slot].placeInParticipant
        participants[holder].tracks.swapRemove(at: place)
        if place < participants[holder].tracks.count {
            tracks[participants[holder].tracks[place]].placeInParticipant = place
        }
        tracks.remove(slot)
    }

    func organization(of track: Slot<TrackState>) -> Slot<OrganizationState> {
        rooms[participants[tracks[track].participant].room].organization
    }
}
