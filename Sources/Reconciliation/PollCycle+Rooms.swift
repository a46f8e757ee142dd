import LiveKit
import Recording
import Wire

/// Rooms and the numbers of their participants.
extension PollCycle {
    /// Compares the lists of rooms.
    mutating func compareRooms() {
        let absent = comparison.absentRooms.filter { !isHot($0.lastEvent) }
        var agreed: [(room: Comparison.AbsentRoom, polls: Int)] = []
        for room in absent { agreed.append((room, note(.absentRoom(ExactText(room.sid))).polls)) }
        figures.drift[.room].extra = absent.count
        let needed = neededForRooms(ends: agreed.count { $0.polls >= Poll.Limits.agreeing })
        let ready = agreed.filter { $0.polls >= needed }.map(\.room)
        if needed > Poll.Limits.agreeing {
            // The list alone is not believed: the room itself is asked for, too.
            for room in ready {
                wish(
                    Wish(
                        difference: .absentRoom(ExactText(room.sid)),
                        question: .participants(room: room.sid, name: room.name), place: nil, absentRoom: room))
            }
        } else {
            end(ready)
        }
        for unknown in comparison.unknownRooms { compare(unknown, needed: needed) }
        for differing in comparison.differingRooms { compare(differing) }
    }

    private mutating func neededForRooms(ends: Int) -> Int {
        // No list at all says less than a list without a room.
        if listing.rooms.isEmpty && !comparison.absentRooms.isEmpty {
            doubts.insert(.empty_list)
            return Poll.Limits.agreeingInDoubt
        }
        return needed(
            isMissing: comparison.absentRooms.contains { isRecent($0.lastEvent) }, ends: ends,
            of: comparison.openRooms)
    }

    /// Ends rooms: where another SID has the name, when that one began.
    mutating func end(_ rooms: [Comparison.AbsentRoom]) {
        if rooms.isEmpty { return }
        var names: [ExactText: Room] = [:]
        for listed in listing.rooms { names[ExactText(listed.room.name)] = listed.room }
        for room in rooms {
            ends.append(.endRoom(sid: room.sid, at: names[ExactText(room.name)]?.createdAt))
            agreements[.absentRoom(ExactText(room.sid))] = nil
        }
    }

    private mutating func compare(_ unknown: Comparison.UnknownRoom, needed: Int) {
        let listed = listing.rooms[unknown.place]
        let difference = Difference.unknownRoom(ExactText(listed.room.sid))
        // The webhook of its beginning, or LiveKit's deletion of it, may be under way.
        if isHot(unknown.endedAt ?? listed.room.createdAt ?? Timestamp(seconds: 0)) { return }
        let hasEnded = unknown.endedAt != nil
        if listed.participants == 0 && (hasEnded || isForgotten(listed)) {
            figures.ghosts[.room] += 1
            return
        }
        let agreement = note(difference)
        if agreement.answered?.listed == listed.participants {
            figures.ghosts[.room] += 1
            return
        }
        if hasEnded {
            figures.ghosts[.room] += 1
        } else {
            figures.drift[.room].missing += 1
            guesses[difference] = PollFigures.Drift(missing: listed.participants)
        }
        if agreement.polls < needed { return }
        if listed.participants > 0 {
            wish(
                Wish(
                    difference: difference, question: .participants(room: listed.room.sid, name: listed.room.name),
                    place: unknown.place, endedAt: unknown.endedAt))
        } else {
            adoptions.append(.adoptRoom(listed.room))
            agreements[difference] = nil
        }
    }

    /// The room is empty for longer than LiveKit keeps such a room.
    func isForgotten(_ listed: ListedRoom) -> Bool {
        let kept = Duration.seconds(listed.emptyTimeout_s + listed.departureTimeout_s) + Poll.Limits.emptyRoom
        return (listed.room.createdAt ?? Timestamp(seconds: 0)) + kept < askedAt
    }

    private mutating func compare(_ differing: Comparison.DifferingRoom) {
        let listed = listing.rooms[differing.place]
        let numbers = Agreement.Numbers(listed: listed.participants, counted: differing.counted)
        let difference = Difference.count(ExactText(listed.room.sid))
        let agreement = note(difference, isMore: numbers.listed > numbers.counted)
        if agreement.answered == numbers { return }
        if !isHot(differing.lastEvent) {
            guesses[difference] = PollFigures.Drift(
                missing: max(0, numbers.listed - numbers.counted), extra: max(0, numbers.counted - numbers.listed))
        }
        // LiveKit's number is some seconds old. In a busy room it often differs by that alone.
        let isRecent = differing.lastEvent > askedAt - Poll.Limits.listLag
        if agreement.polls < (isRecent ? Poll.Limits.agreeingInDoubt : Poll.Limits.agreeing) { return }
        wish(
            Wish(
                difference: difference, question: .participants(room: listed.room.sid, name: listed.room.name),
                place: differing.place, isRecent: isRecent))
    }
}
