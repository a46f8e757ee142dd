import LiveKit
import Recording
import Wire

/// The differences between the listed participants of one open room and its state, decided one by one.
struct MembersDecision: Sendable {
    /// The SID.
    let room: String
    private(set) var ends: [PollResult.Correction] = []
    private(set) var adoptions: [PollResult.Correction] = []
    private(set) var endedParticipants = 0
    private(set) var drift = PollFigures.Drift()
    private(set) var trackDrift = PollFigures.Drift()
    /// Participants and tracks that are listed though they have ended.
    private(set) var ghosts = 0
    private(set) var trackGhosts = 0
    /// The differences that are left alone now, and asked for again in the next poll.
    private(set) var waiting = 0
    /// The participants that are in the state only, and that LiveKit counts.
    private(set) var conflicts = 0

    private let hotSince: Timestamp
    private let askedAt: Timestamp

    /// - Parameters:
    ///   - listed: LiveKit's number of participants.
    ///   - isRecent: that number may be older than the last event.
    init(
        _ comparison: RoomComparison, _ members: [ListedParticipant], listed: Int, isRecent: Bool, askedAt: Timestamp
    ) {
        room = comparison.room
        self.askedAt = askedAt
        hotSince = askedAt - Recording.Limits.hot
        let ended = Set(
            comparison.unknown.filter { unknown in
                guard let endedAt = unknown.endedAt else { return false }
                return members[unknown.place].participant.joinedAt.map { !$0.isLater(than: endedAt) } ?? true
            }.map(\.place))
        let adopted = adopt(comparison.unknown, members, ended)
        let evidence = Evidence(
            members, ended, listed: listed, counted: comparison.counted, isRecent: isRecent, askedAt: askedAt)
        for absent in comparison.absent { settle(absent, members, ended, evidence) }
        settleTracks(comparison, members, adopted)
    }

    /// Everything agrees once the corrections are made.
    var isSettled: Bool { waiting == 0 && conflicts == 0 }

    private func isHot(_ time: Timestamp) -> Bool { time > hotSince }

    // MARK: Participants

    /// Returns the places of those that are adopted.
    private mutating func adopt(
        _ unknown: [RoomComparison.UnknownParticipant], _ members: [ListedParticipant], _ ended: Set<Int>
    ) -> Set<Int> {
        var adopted: Set<Int> = []
        for place in unknown.map(\.place) {
            let member = members[place]
            if ended.contains(place) {
                ghosts += 1
                continue
            }
            guard let joinedAt = member.participant.joinedAt else { continue }
            if isHot(joinedAt) {
                waiting += 1
            } else if member.isActive {
                drift.missing += 1
                adoptions.append(.adoptParticipant(member.participant, room: room))
                adopted.insert(place)
            }
        }
        return adopted
    }

    /// What LiveKit's number of participants says of those that are in the state only.
    private enum Evidence {
        /// They have left: the number does not count them.
        case left
        /// Nothing yet: it may or may not count who just came or left.
        case unclear
        /// Some of them are there: the number counts them, though the list does not have them.
        case contradicts

        init(
            _ members: [ListedParticipant], _ ended: Set<Int>, listed: Int, counted: Int, isRecent: Bool,
            askedAt: Timestamp
        ) {
            // The number has everybody who joined before this time: it is some seconds old.
            let numberedSince = askedAt - Poll.Limits.listLag
            var (old, young) = (0, 0)
            for (place, member) in members.enumerated() where member.isNumbered && !ended.contains(place) {
                let joinedAt = member.participant.joinedAt ?? Timestamp(seconds: 0)
                if joinedAt > askedAt { continue }
                if joinedAt > numberedSince { young += 1 } else if member.isActive { old += 1 }
            }
            if listed < counted && listed <= old {
                self = .left
            } else {
                self = isRecent || listed < counted && listed <= old + young ? .unclear : .contradicts
            }
        }
    }

    private mutating func settle(
        _ absent: RoomComparison.AbsentParticipant, _ members: [ListedParticipant], _ ended: Set<Int>,
        _ evidence: Evidence
    ) {
        if isHot(absent.lastEvent) {
            waiting += 1
            return
        }
        drift.extra += 1
        if let place = absent.successor, !ended.contains(place), members[place].isActive,
            let joinedAt = members[place].participant.joinedAt,
            joinedAt + Poll.Limits.listLag >= absent.lastEvent
        {
            // The webhook of who just joined ends the older session itself.
            if isHot(joinedAt) { waiting += 1 } else { end(absent.sid, at: joinedAt) }
            return
        }
        switch evidence {
        case .left: end(absent.sid, at: nil)
        case .unclear: waiting += 1
        case .contradicts: conflicts += 1
        }
    }

    private mutating func end(_ participant: String, at time: Timestamp?) {
        endedParticipants += 1
        ends.append(.endParticipant(sid: participant, at: time))
    }

    // MARK: Tracks

    private mutating func settleTracks(
        _ comparison: RoomComparison, _ members: [ListedParticipant], _ adopted: Set<Int>
    ) {
        for track in comparison.absentTracks {
            if isHot(track.lastEvent) {
                waiting += 1
            } else {
                trackDrift.extra += 1
                ends.append(.endTrack(sid: track.sid))
            }
        }
        for unknown in comparison.unknownTracks {
            let member = members[unknown.participant]
            if unknown.isRemembered {
                trackGhosts += 1
            } else if adopted.contains(unknown.participant) || unknown.lastEvent.map({ !isHot($0) }) ?? false {
                trackDrift.missing += 1
                adoptions.append(.adoptTrack(member.tracks[unknown.place], participant: member.participant.sid))
            } else if unknown.lastEvent != nil {
                waiting += 1
            }
        }
    }
}

extension ListedParticipant {
    /// LiveKit's number of participants has it for sure: it is no agent, no recorder, and others see it.
    fileprivate var isNumbered: Bool { participant.kind.isCounted && !isHidden }
}
