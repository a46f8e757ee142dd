import LiveKit
import Recording
import Wire

/// The participants and tracks of the rooms that were asked for.
extension PollCycle {
    /// Decides what the members of rooms say.
    ///
    /// - Parameter members: by the SID of the room; nil for a room that no node of LiveKit has.
    mutating func settleRooms(_ members: [String: [ListedParticipant]?], _ comparisons: [RoomComparison]) {
        var found: [ExactText: RoomComparison] = [:]
        for comparison in comparisons { found[ExactText(comparison.room)] = comparison }
        var decisions: [(wish: Wish, decision: MembersDecision)] = []
        end(
            asked.compactMap { wish in
                guard let room = wish.absentRoom, let answer = members[room.sid] else { return nil }
                if answer?.contains(where: \.isActive) != true { return room }
                // Somebody is in a room that is not listed.
                figures.conflicts[.room] += 1
                return nil
            })
        for wish in asked {
            guard let place = wish.place, let answer = members[listing.rooms[place].room.sid] else { continue }
            let listed = listing.rooms[place]
            if case .unknownRoom = wish.difference {
                settle(unknown: listed, wish, answer)
            } else if let answer, let comparison = found[ExactText(listed.room.sid)] {
                decisions.append(
                    (
                        wish,
                        MembersDecision(
                            comparison, answer, listed: listed.participants, isRecent: wish.isRecent, askedAt: askedAt)
                    ))
            } else if answer == nil {
                let numbers = numbers(wish)
                agreements[wish.difference]?.answered = numbers
                guesses[wish.difference] = nil
            } else {
                // The room has ended meanwhile.
                agreements[wish.difference] = nil
                guesses[wish.difference] = nil
            }
        }
        settle(decisions, counted: comparisons.reduce(0) { $0 + $1.counted })
        for guess in guesses.values {
            figures.drift[.participant].missing += guess.missing
            figures.drift[.participant].extra += guess.extra
        }
    }

    private func numbers(_ wish: Wish) -> Agreement.Numbers? {
        comparison.differingRooms.first { $0.place == wish.place }
            .map { Agreement.Numbers(listed: listing.rooms[$0.place].participants, counted: $0.counted) }
    }

    // MARK: Open rooms

    private mutating func settle(_ decisions: [(wish: Wish, decision: MembersDecision)], counted: Int) {
        let young = decisions.filter { polls($0.wish) < Poll.Limits.agreeingInDoubt }
        let endsOfYoung = young.reduce(0) { $0 + $1.decision.endedParticipants }
        let needed = needed(isMissing: false, ends: endsOfYoung, of: counted)
        for (wish, decision) in decisions {
            guesses[wish.difference] = nil
            figures.drift[.participant].missing += decision.drift.missing
            figures.drift[.participant].extra += decision.drift.extra
            figures.drift[.track].missing += decision.trackDrift.missing
            figures.drift[.track].extra += decision.trackDrift.extra
            figures.ghosts[.participant] += decision.ghosts
            figures.ghosts[.track] += decision.trackGhosts
            let isHeld = polls(wish) < needed && !decision.ends.isEmpty
            if !isHeld { ends += decision.ends }
            adoptions += decision.adoptions
            if decision.isSettled && !isHeld { settledRooms.append(decision.room) }
            if isHeld { continue }
            if !decision.ends.isEmpty || !decision.adoptions.isEmpty {
                agreements[wish.difference] = nil
            } else if decision.waiting == 0 {
                let numbers = numbers(wish)
                agreements[wish.difference]?.answered = numbers
                figures.conflicts[.participant] += decision.conflicts
            }
        }
    }

    private func polls(_ wish: Wish) -> Int { agreements[wish.difference]?.polls ?? 0 }

    // MARK: Rooms that are not open

    private mutating func settle(unknown listed: ListedRoom, _ wish: Wish, _ answer: [ListedParticipant]?) {
        let active = (answer ?? []).filter { member in
            guard member.isActive, let joinedAt = member.participant.joinedAt else { return false }
            return wish.endedAt.map { joinedAt.isLater(than: $0) } ?? true
        }
        let stay = active.filter { !isHot($0.participant.joinedAt ?? askedAt) }
        // A room whose end is remembered lives only if somebody came later. The webhook of who just did is under way.
        let lives = wish.endedAt == nil ? !active.isEmpty || answer != nil && !isForgotten(listed) : !stay.isEmpty
        guard lives else {
            if !active.isEmpty { return }
            agreements[wish.difference]?.answered = Agreement.Numbers(listed: listed.participants, counted: 0)
            if guesses.removeValue(forKey: wish.difference) != nil {
                figures.drift[.room].missing -= 1
                figures.ghosts[.room] += 1
            }
            return
        }
        agreements[wish.difference] = nil
        guesses[wish.difference] = nil
        if wish.endedAt != nil {
            figures.ghosts[.room] -= 1
            figures.drift[.room].missing += 1
        }
        adoptions.append(.adoptRoom(listed.room))
        for member in stay {
            figures.drift[.participant].missing += 1
            figures.drift[.track].missing += member.tracks.count
            adoptions.append(.adoptParticipant(member.participant, room: listed.room.sid))
            adoptions += member.tracks.map { .adoptTrack($0, participant: member.participant.sid) }
        }
        if stay.count == active.count { settledRooms.append(listed.room.sid) }
    }
}

extension Timestamp {
    /// It is in a later second. The times of webhooks are whole seconds.
    func isLater(than other: Timestamp) -> Bool { milliseconds / 1_000 > other.milliseconds / 1_000 }
}
