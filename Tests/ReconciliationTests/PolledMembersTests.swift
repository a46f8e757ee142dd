import LiveKit
@testable import Reconciliation
import Recording
import Testing
import Wire

/// Rule 5: participants and tracks. Each test reads as a transcript of polls, one a minute.
@Suite struct PolledMembersTests {
    /// A room with another number of participants in the state, and what its members say.
    private struct DifferingRoom {
        var polls = Polls()
        var listed = 1
        var counted = 2
        var lastEvent: Int64 = 600
        var members: [ListedParticipant] = []
        var comparison = RoomComparison(room: "RM_a")

        mutating func next() -> Polls.Seen {
            comparison.counted = counted
            return polls.next(
                Listing(rooms: [polls.room("RM_a", listed, name: "red")]), .differing(counted, polls.ago(lastEvent)),
                answers: Poll.Answers(members: ["RM_a": members]), members: [comparison])
        }

        /// Two polls. The second one asks.
        mutating func twice() -> Polls.Seen {
            #expect(next().questions == [])
            let seen = next()
            #expect(seen.questions == [.participants(room: "RM_a", name: "red")])
            return seen
        }

        mutating func absent(_ sid: String, lastEvent: Int64 = 600, successor: Int? = nil) {
            comparison.absent.append(
                .init(sid: sid, isCounted: true, lastEvent: polls.ago(lastEvent - 60), successor: successor))
        }
    }

    @Test func `a number that is unequal twice is looked into, and drift until then`() {
        var room = DifferingRoom(listed: 3, counted: 1)
        let first = room.next()
        #expect(first.figures.drift(.participant) == [2, 0] && first.result?.differingRooms == ["RM_a"])
        #expect(room.next().questions.count == 1)
    }

    @Test func `numbers that contradict each other do not agree`() {
        var room = DifferingRoom(listed: 3, counted: 2)
        #expect(room.next().questions == [])
        room.listed = 1
        #expect(room.next().questions == [])
        #expect(room.next().questions.count == 1)
    }

    @Test func `in a busy room three polls must agree, and it is no drift`() {
        var room = DifferingRoom(lastEvent: 3)
        #expect(room.next().figures.drift(.participant) == [0, 0])
        #expect(room.next().questions == [])
        #expect(room.next().questions.count == 1)
    }

    @Test func `a stale number is not asked for again until it or our own moves`() {
        var room = DifferingRoom(listed: 1, counted: 2)
        room.members = [room.polls.member("PA_a"), room.polls.member("PA_b")]
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.result?.settledRooms == ["RM_a"])
        #expect(seen.figures.drift(.participant) == [0, 0])
        for _ in 0..<3 {
            let muted = room.next()
            #expect(muted.questions == [] && muted.figures.drift(.participant) == [0, 0])
            #expect(muted.result?.differingRooms == ["RM_a"] && muted.result?.settledRooms == [])
        }
        room.listed = 0
        #expect(room.next().questions.count == 1)
        #expect(room.next().questions == [])
        room.counted = 3
        #expect(room.next().questions.count == 1)
    }

    @Test func `a room that no node has is not asked for again`() {
        var polls = Polls()
        for questions in [0, 1, 0, 0] {
            let seen = polls.next(
                Listing(rooms: [polls.room("RM_a", 1)]), .differing(2, polls.ago(600)),
                answers: Poll.Answers(members: ["RM_a": nil]))
            #expect(seen.questions.count == questions && seen.corrections == [])
        }
    }

    @Test func `people whom only LiveKit has are adopted with their tracks, or left alone`() {
        var room = DifferingRoom(listed: 6, counted: 1)
        let polls = room.polls
        room.members = [
            polls.member("PA_new", tracks: ["TR_new", "TR_old"]), polls.member("PA_agent", kind: .agent),
            polls.member("PA_ended", age: 400), polls.member("PA_again", age: 90),
            polls.member("PA_idle", isActive: false), polls.member("PA_open", tracks: ["TR_open"]),
        ]
        for (place, end) in [nil, nil, polls.ago(300), polls.ago(120), nil].enumerated() {
            room.comparison.unknown.append(.init(place: place, endedAt: end))
        }
        room.comparison.unknownTracks = [
            .init(participant: 0, place: 0, isRemembered: false, lastEvent: nil),
            .init(participant: 0, place: 1, isRemembered: true, lastEvent: nil),
            .init(participant: 5, place: 0, isRemembered: false, lastEvent: polls.ago(600)),
        ]
        let seen = room.twice()
        #expect(
            seen.corrections == [
                .adoptParticipant(room.members[0].participant, room: "RM_a"),
                .adoptParticipant(room.members[1].participant, room: "RM_a"),
                .adoptParticipant(room.members[3].participant, room: "RM_a"),
                .adoptTrack(room.members[0].tracks[0], participant: "PA_new"),
                .adoptTrack(room.members[5].tracks[0], participant: "PA_open"),
            ])
        #expect(seen.figures.drift(.participant) == [3, 0] && seen.figures.drift(.track) == [2, 0])
        #expect(seen.figures.ghosts[.participant] == 1 && seen.figures.ghosts[.track] == 1)
        #expect(seen.result?.settledRooms == ["RM_a"])
    }

    @Test func `who joined within a minute is left to the webhook, and asked for again`() {
        var room = DifferingRoom(listed: 2, counted: 1)
        room.members = [room.polls.member("PA_new", age: -30)]
        room.comparison.unknown = [.init(place: 0, endedAt: nil)]
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.result?.settledRooms == [])
        #expect(room.next().corrections?.count == 1)
    }

    @Test func `who came again under another SID ended at that join`() {
        var room = DifferingRoom(listed: 1, counted: 2)
        room.members = [room.polls.member("PA_new", age: 100)]
        room.absent("PA_old", lastEvent: 500, successor: 0)
        let seen = room.twice()
        #expect(seen.corrections == [.endParticipant(sid: "PA_old", at: room.members[0].participant.joinedAt)])
        #expect(seen.figures.drift(.participant) == [0, 1])
    }

    @Test func `an older session that is still listed does not end the new one`() {
        var room = DifferingRoom(listed: 2, counted: 1)
        room.members = [room.polls.member("PA_old", age: 900)]
        room.comparison.unknown = [.init(place: 0, endedAt: room.polls.ago(500))]
        room.absent("PA_new", lastEvent: 480, successor: 0)
        #expect(room.twice().corrections == [])
    }

    @Test func `who has left is ended, where LiveKit counts less`() {
        var room = DifferingRoom(listed: 1, counted: 2)
        room.members = [room.polls.member("PA_a")]
        room.absent("PA_gone")
        #expect(room.twice().corrections == [.endParticipant(sid: "PA_gone", at: nil)])
    }

    @Test func `who is missing in the list and counted stays, as a conflict`() {
        // Somebody joined again, and LiveKit deleted the record of the new session with that of the old one.
        var room = DifferingRoom(listed: 3, counted: 2)
        room.members = [room.polls.member("PA_a"), room.polls.member("PA_agent", kind: .agent)]
        room.absent("PA_again")
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.figures.conflicts[.participant] == 1)
        #expect(seen.result?.settledRooms == [])
        let muted = room.next()
        #expect(muted.questions == [] && muted.figures.conflicts[.participant] == 0)
    }

    @Test(arguments: [
        // One of two is missing in the list only, and the number counts it.
        ["PA_a"], [],
    ])
    func `nobody is ended where the number has more than the list`(listed: [String]) {
        var room = DifferingRoom(listed: listed.count + 1, counted: listed.count + 2)
        room.members = listed.map { room.polls.member($0) }
        room.absent("PA_again")
        room.absent("PA_gone")
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.figures.conflicts[.participant] == 2)
    }

    @Test func `hidden participants prove no end`() {
        // The number has a who is missing, and not the hidden one.
        var room = DifferingRoom(listed: 2, counted: 3)
        room.members = [room.polls.member("PA_a"), room.polls.member("PA_hidden", isHidden: true)]
        room.absent("PA_again")
        #expect(room.twice().corrections == [])
    }

    @Test func `who just joined makes the number unclear, and it is asked for again`() {
        var room = DifferingRoom(listed: 2, counted: 3)
        // At the second poll this one joined 5 s ago.
        room.members = [room.polls.member("PA_a"), room.polls.member("PA_young", age: -55)]
        room.absent("PA_gone")
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.figures.conflicts[.participant] == 0)
        // A minute later it is clear.
        #expect(room.next().corrections == [.endParticipant(sid: "PA_gone", at: nil)])
    }

    @Test func `in a busy room, who joined some seconds ago keeps nobody who has left`() {
        var room = DifferingRoom(listed: 2, counted: 3)
        room.members = [room.polls.member("PA_a"), room.polls.member("PA_young", age: -40)]
        room.absent("PA_gone")
        #expect(room.twice().corrections == [.endParticipant(sid: "PA_gone", at: nil)])
    }

    @Test func `a participant with an event within a minute is left alone`() {
        var room = DifferingRoom(listed: 1, counted: 2)
        room.members = [room.polls.member("PA_a")]
        room.absent("PA_busy", lastEvent: 30)
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.figures.drift(.participant) == [0, 0])
        #expect(room.next().corrections?.count == 1)
    }

    @Test func `tracks are compared by SID, and left alone while their participant is hot`() {
        var room = DifferingRoom(listed: 1, counted: 2)
        room.members = [room.polls.member("PA_a", tracks: ["TR_new", "TR_hot"])]
        room.comparison.unknownTracks = [
            .init(participant: 0, place: 0, isRemembered: false, lastEvent: room.polls.ago(300)),
            .init(participant: 0, place: 1, isRemembered: false, lastEvent: room.polls.ago(-30)),
        ]
        room.comparison.absentTracks = [
            .init(sid: "TR_gone", lastEvent: room.polls.ago(300)),
            .init(sid: "TR_busy", lastEvent: room.polls.ago(-30)),
        ]
        let seen = room.twice()
        #expect(
            seen.corrections == [
                .endTrack(sid: "TR_gone"), .adoptTrack(room.members[0].tracks[0], participant: "PA_a"),
            ])
        #expect(seen.figures.drift(.track) == [1, 1])
    }

    @Test func `where a poll would end too many participants, three must agree`() {
        var room = DifferingRoom(listed: 0, counted: 21)
        for number in 0..<21 { room.absent("PA_\(number)") }
        let seen = room.twice()
        #expect(seen.corrections == [] && seen.doubts == [.many_ends] && seen.result?.settledRooms == [])
        let third = room.next()
        #expect(third.corrections?.count == 21 && third.doubts == [])
    }

    // MARK: The number of calls

    @Test func `not more than 100 rooms a minute are asked for, and the oldest first`() {
        var polls = Polls()
        var asked: [Set<String>] = []
        for number in 0..<5 {
            let count = number < 2 ? 120 : 150
            let rooms = (0..<count).map { polls.room("RM_\($0)", 1) }
            var comparison = Comparison()
            comparison.differingRooms = rooms.indices.map { .init(place: $0, counted: 2, lastEvent: polls.ago(600)) }
            let members = rooms.map { RoomComparison(room: $0.room.sid) }
            var answers = Poll.Answers()
            for room in rooms { answers.members[room.room.sid] = [polls.member("PA_a")] }
            let seen = polls.next(Listing(rooms: rooms), comparison, answers: answers, members: members)
            asked.append(
                Set(
                    seen.questions.map { question in
                        guard case .participants(let room, _) = question else { return "" }
                        return room
                    }))
        }
        #expect(asked.map(\.count) == [0, 100, 20, 30, 0])
        #expect(asked.reduce(Set()) { $0.union($1) }.count == 150)
    }

    @Test func `the budget fills up with time, and never beyond a minute's calls`() {
        var budget = CallBudget()
        let start = Timestamp(seconds: 1_000)
        #expect(budget.take(70, at: start) == 70)
        #expect(budget.take(70, at: start) == 30)
        #expect(budget.take(70, at: start - .seconds(60)) == 0)
        #expect(budget.take(70, at: start - .seconds(30)) == 50)
        #expect(budget.take(500, at: start + .seconds(6_000)) == 100)
    }
}
