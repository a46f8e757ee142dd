import LiveKit
import Metrics
import Storage

extension Recorder {
    // MARK: Events

    mutating func published(
        _ track: Track, by participant: Participant, _ context: EventContext, _ actions: inout [Action]
    ) {
        guard !track.sid.isEmpty, !participant.sid.isEmpty else { return }
        let venue = venue(context, &actions)
        if case .nowhere = venue { return }
        var owner = participants.find(participant.sid)
        if !owner.isNone { noteEvent(of: owner, context) }
        let known = tracks.find(track.sid)
        if !known.isNone {
            tracks[known].lastEvent_ms = max(tracks[known].lastEvent_ms, context.order_ms)
            return
        }
        let facts = endedTracks[Fingerprint(track.sid)] ?? .none
        if !facts.isStartCounted { count(catalog.tracksPublished, track.ordinal, of: context) }
        let hasOwnerLeft = owner.isNone && endedParticipants[Fingerprint(participant.sid)]?.isClosed == true
        guard case .open(let room) = venue, !facts.isClosed, !hasOwnerLeft else {
            let counted = Facts(isStartCounted: true, isClosed: true)
            endedTracks.remember(Fingerprint(track.sid), counted, at: context.receivedAt)
            return
        }
        if owner.isNone { owner = insertParticipant(participant, in: room, context) }
        var state = TrackState()
        state.key = track.sid
        state.participant = owner
        state.placeInParticipant = participants[owner].tracks.count
        state.label = track.ordinal
        state.lastEvent_ms = context.order_ms
        let slot = tracks.insert(state)
        participants[owner].tracks.append(slot)
        organizations[organization(of: slot)].adjust(catalog.tracksActive, track.ordinal, by: 1)
    }

    mutating func unpublished(
        _ track: Track, by participant: Participant, _ context: EventContext, _ actions: inout [Action]
    ) {
        guard !track.sid.isEmpty else { return }
        if case .nowhere = venue(context, &actions) { return }
        let owner = participants.find(participant.sid)
        if !owner.isNone { noteEvent(of: owner, context) }
        let slot = tracks.find(track.sid)
        let ended = Facts(isEndCounted: true, isClosed: true)
        if slot.isNone {
            endedTracks.remember(Fingerprint(track.sid), ended, at: context.receivedAt)
            return
        }
        let holder = tracks[slot].participant
        closeTrack(slot, ended)
        dropIfEmpty(holder)
    }

    // MARK: Closing

    /// Closes a track and remembers the facts of it.
    mutating func closeTrack(_ slot: Slot<TrackState>, _ facts: Facts) {
        organizations[organization(of: slot)].adjust(catalog.tracksActive, tracks[slot].label, by: -1)
        var facts = facts
        facts.isStartCounted = true
        endedTracks.remember(Fingerprint(tracks[slot].key), facts, at: now)
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
