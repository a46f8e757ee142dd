import LiveKit
@testable import Reconciliation
import Recording
import Wire

/// The machine, polled once a minute, with what each poll sees.
struct Polls {
    /// What a poll did.
    struct Seen {
        var questions: [Poll.Question] = []
        /// Nil if nothing was left to the recorder.
        var corrections: [PollResult.Correction]?
        var result: PollResult?
        var figures = PollFigures()
        var doubts: [Poll.Doubt] = []
    }

    var poll = Poll()
    private(set) var now = Timestamp(seconds: 1_000_000)

    /// The time so many seconds before the next poll.
    func ago(_ seconds: Int64) -> Timestamp { now - .seconds(seconds) }

    /// One poll with these lists. Other rooms and ingresses than those of the lists and of `answers` are not found.
    mutating func next(
        _ listing: Listing = Listing(), _ comparison: Comparison = Comparison(),
        answers: Poll.Answers = Poll.Answers(), members: [RoomComparison] = []
    ) -> Seen {
        var seen = Seen()
        switch poll.compare(listing, comparison, askedAt: now) {
        case .disbelieve(let doubt): seen.doubts = [doubt]
        case .ask(let questions):
            var answers = answers
            for question in questions {
                switch question {
                case .participants(let sid, _) where !listing.rooms.contains(where: { $0.room.sid == sid }):
                    if answers.members[sid] == nil { answers.members[sid] = .some(nil) }
                case .ingress(let id):
                    if answers.ingress[id] == nil { answers.ingress[id] = .some(nil) }
                case .participants, .egress: break
                }
            }
            let outcome = poll.finish(answers, members)
            seen = Seen(
                questions: questions, corrections: outcome.result.corrections, result: outcome.result,
                figures: outcome.figures, doubts: outcome.doubts)
        }
        now = now + .seconds(60)
        return seen
    }

    /// A poll of which a call failed.
    mutating func fail() {
        poll.fail()
        now = now + .seconds(60)
    }

    // MARK: Lists

    /// A room that began so many seconds before the next poll.
    func room(_ sid: String, _ participants: Int = 0, name: String? = nil, age: Int64 = 7_200) -> ListedRoom {
        ListedRoom(
            room: Room(sid: sid, name: name ?? sid, creationTime_s: ago(age).milliseconds / 1_000),
            participants: participants, emptyTimeout_s: 300, departureTimeout_s: 20)
    }

    func member(
        _ sid: String, age: Int64 = 600, kind: Participant.Kind = .standard, isActive: Bool = true,
        isHidden: Bool = false, tracks: [String] = []
    ) -> ListedParticipant {
        ListedParticipant(
            participant: Participant(
                sid: sid, identity: sid, kind: kind, joinedAt_ms: ago(age).milliseconds),
            isActive: isActive, isHidden: isHidden, tracks: tracks.map { Track(sid: $0) })
    }

    func egress(
        _ id: String, _ status: Egress.Status = .active, age: Int64 = 600, ended: Int64? = nil, updated: Int64 = 120
    ) -> ListedEgress {
        ListedEgress(
            egress: Egress(
                id: id, status: status, startedAt_ns: ago(age).milliseconds * 1_000_000,
                endedAt_ns: ended.map { ago($0).milliseconds * 1_000_000 } ?? 0),
            room: Room(sid: "RM_a"), updatedAt_ns: ago(updated).milliseconds * 1_000_000)
    }

    func ingress(
        _ id: String, run: String, _ activity: ListedIngress.Activity = .running, age: Int64 = 600, ended: Int64? = nil
    ) -> ListedIngress {
        ListedIngress(
            ingress: Ingress(
                id: id, resourceID: run, startedAt_ns: ago(age).milliseconds * 1_000_000,
                endedAt_ns: ended.map { ago($0).milliseconds * 1_000_000 } ?? 0),
            activity: activity)
    }
}

extension Comparison {
    /// A comparison in which something differs.
    static func with(_ change: (inout Comparison) -> Void) -> Comparison {
        var comparison = Comparison()
        change(&comparison)
        return comparison
    }

    /// Rooms that are not listed.
    static func absent(_ sids: [String], _ lastEvent: Timestamp, of open: Int) -> Comparison {
        with { comparison in
            comparison.absentRooms = sids.map { .init(sid: $0, name: $0, lastEvent: lastEvent) }
            comparison.openRooms = open
        }
    }

    /// The first listed room has another number of participants.
    static func differing(_ counted: Int, _ lastEvent: Timestamp) -> Comparison {
        with { $0.differingRooms = [.init(place: 0, counted: counted, lastEvent: lastEvent)] }
    }
}

extension PollFigures {
    func drift(_ entity: PolledEntity) -> [Int] { [drift[entity].missing, drift[entity].extra] }
}
