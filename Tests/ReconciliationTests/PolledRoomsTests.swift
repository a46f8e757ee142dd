import LiveKit
@testable import Reconciliation
import Recording
import Testing
import Wire

/// Rules 1 to 4: rooms. Each test reads as a transcript of polls, one a minute.
@Suite struct PolledRoomsTests {
    @Test func `nothing is asked for and nothing corrected where everything agrees`() throws {
        var polls = Polls()
        for number in 0..<5 {
            let seen = polls.next(Listing(rooms: [polls.room("RM_a", 3)]))
            #expect(seen.questions == [] && seen.corrections == [] && seen.doubts == [])
            #expect(seen.figures == PollFigures())
            #expect(seen.result == PollResult(askedAt: Timestamp(seconds: 1_000_000 + 60 * Int64(number))))
        }
    }

    // MARK: Rooms in the state only

    @Test func `a room that two polls miss ends at its last evidence`() {
        var polls = Polls()
        let list = Listing(rooms: [polls.room("RM_b")])
        let first = polls.next(list, .absent(["RM_a"], polls.ago(61), of: 2))
        #expect(first.corrections == [] && first.figures.drift(.room) == [0, 1])
        #expect(first.result?.absentRooms == ["RM_a"])
        #expect(
            polls.next(list, .absent(["RM_a"], polls.ago(121), of: 2)).corrections == [.endRoom(sid: "RM_a", at: nil)])
    }

    @Test func `what had an event within a minute is left alone and is no drift`() {
        var polls = Polls()
        let list = Listing(rooms: [polls.room("RM_b")])
        for _ in 0..<5 {
            let seen = polls.next(list, .absent(["RM_a"], polls.ago(5), of: 2))
            #expect(seen.corrections == [] && seen.figures.drift(.room) == [0, 0] && seen.doubts == [])
            #expect(seen.result?.absentRooms == ["RM_a"])
        }
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(65), of: 2)).corrections == [])
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(125), of: 2)).corrections?.count == 1)
    }

    @Test func `polls that agree are consecutive, and a failed one does not count`() {
        var polls = Polls()
        let list = Listing(rooms: [polls.room("RM_b")])
        _ = polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2))
        _ = polls.next(list)
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2)).corrections == [])
        polls.fail()
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2)).corrections?.count == 1)
    }

    @Test func `a failure after the lists changes no agreement`() {
        var polls = Polls()
        let list = Listing(rooms: [polls.room("RM_b")])
        guard case .ask = polls.poll.compare(list, .absent(["RM_a"], polls.ago(600), of: 2), askedAt: polls.now) else {
            Issue.record("the poll was not believed")
            return
        }
        polls.fail()
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2)).corrections == [])
    }

    @Test func `a room whose name has another SID ends when that one began`() {
        var polls = Polls()
        for corrections in [[], [PollResult.Correction.endRoom(sid: "RM_a", at: Timestamp(seconds: 999_000))]] {
            var new = polls.room("RM_b", name: "red")
            new.room.creationTime_s = 999_000
            var comparison = Comparison.absent(["RM_a"], polls.ago(600), of: 2)
            comparison.absentRooms = [.init(sid: "RM_a", name: "red", lastEvent: polls.ago(600))]
            #expect(polls.next(Listing(rooms: [new]), comparison).corrections == corrections)
        }
    }

    // MARK: Trust

    @Test func `where something recent is missing, three polls must agree`() {
        var polls = Polls()
        var corrections: [Int?] = []
        for _ in 0..<3 {
            var comparison = Comparison.absent(["RM_a"], polls.ago(600), of: 5)
            comparison.absentRooms.append(.init(sid: "RM_c", name: "c", lastEvent: polls.ago(30)))
            let seen = polls.next(Listing(rooms: [polls.room("RM_b")]), comparison)
            #expect(seen.doubts == [.recent_missing])
            corrections.append(seen.corrections?.count)
        }
        #expect(corrections == [0, 0, 1])
    }

    @Test(arguments: [(20, 30, 2), (21, 30, 3), (30, 100, 2), (31, 100, 3)])
    func `where a poll would end too much, three must agree`(absent: Int, open: Int, needed: Int) {
        var polls = Polls()
        for number in 1...needed {
            let sids = (0..<absent).map { "RM_\($0)" }
            let seen = polls.next(Listing(rooms: [polls.room("RM_b")]), .absent(sids, polls.ago(600), of: open))
            #expect(seen.corrections?.count == (number == needed ? absent : 0))
            #expect(seen.doubts == (needed == 3 && number > 1 ? [.many_ends] : []))
        }
    }

    @Test func `a room in which somebody is does not end by an empty list, nor by one that is suspicious`() {
        for list in [Listing(), Listing(rooms: [Polls().room("RM_b")])] {
            var polls = Polls()
            for number in 1...5 {
                var answers = Poll.Answers()
                answers.members["RM_a"] = [polls.member("PA_1")]
                var comparison = Comparison.absent(["RM_a"], polls.ago(600), of: 5)
                if !list.rooms.isEmpty {
                    comparison.absentRooms.append(.init(sid: "RM_c", name: "c", lastEvent: polls.ago(30)))
                }
                let seen = polls.next(list, comparison, answers: answers)
                #expect(seen.doubts == [list.rooms.isEmpty ? .empty_list : .recent_missing])
                #expect(seen.questions == (number < 3 ? [] : [.participants(room: "RM_a", name: "RM_a")]))
                #expect(seen.corrections == [])
                #expect(seen.figures.conflicts[.room] == (number < 3 ? 0 : 1))
            }
        }
    }

    @Test func `an empty list while events arrive is no result, and restarts nothing`() {
        var polls = Polls()
        let list = Listing(rooms: [polls.room("RM_b")])
        _ = polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2))
        for _ in 0..<4 {
            var comparison = Comparison.absent(["RM_a", "RM_b"], polls.ago(600), of: 2)
            comparison.lastWebhook = polls.ago(59)
            let seen = polls.next(Listing(), comparison)
            #expect(seen.result == nil && seen.doubts == [.empty_list])
        }
        #expect(polls.next(list, .absent(["RM_a"], polls.ago(600), of: 2)).corrections?.count == 1)
    }

    @Test func `an empty list is believed where no events arrive, or where nothing is open`() {
        var polls = Polls()
        for corrections in [0, 0, 1] {
            var comparison = Comparison.absent(["RM_a"], polls.ago(600), of: 1)
            comparison.lastWebhook = polls.ago(61)
            #expect(polls.next(Listing(), comparison).corrections?.count == corrections)
        }
        let seen = polls.next(Listing(), .with { $0.lastWebhook = polls.ago(1) })
        #expect(seen.result != nil && seen.doubts == [])
    }

    // MARK: Rooms in the API only

    private func unknown(_ place: Int = 0, ended: Timestamp? = nil) -> Comparison {
        .with { $0.unknownRooms = [.init(place: place, endedAt: ended)] }
    }

    @Test func `a room that is empty for longer than LiveKit keeps it is a ghost`() {
        var polls = Polls()
        for _ in 0..<4 {
            let seen = polls.next(Listing(rooms: [polls.room("RM_a", age: 381)]), unknown())
            #expect(seen.corrections == [] && seen.questions == [])
            #expect(seen.figures.ghosts[.room] == 1 && seen.figures.drift(.room) == [0, 0])
        }
    }

    @Test func `a young empty room is adopted by the second poll`() {
        var polls = Polls()
        let hot = polls.next(Listing(rooms: [polls.room("RM_a", age: 59)]), unknown())
        #expect(hot.corrections == [] && hot.figures.drift(.room) == [0, 0])
        let first = polls.next(Listing(rooms: [polls.room("RM_a", age: 119)]), unknown())
        #expect(first.corrections == [] && first.figures.drift(.room) == [1, 0])
        let room = polls.room("RM_a", age: 179)
        #expect(polls.next(Listing(rooms: [room]), unknown()).corrections == [.adoptRoom(room.room)])
    }

    @Test func `a room with people is adopted together with them and their tracks`() {
        var polls = Polls()
        #expect(polls.next(Listing(rooms: [polls.room("RM_a", 2)]), unknown()).questions == [])
        let room = polls.room("RM_a", 2, name: "red")
        let (ann, late) = (polls.member("PA_ann", tracks: ["TR_a"]), polls.member("PA_late", age: 30))
        let idle = polls.member("PA_idle", isActive: false)
        let seen = polls.next(
            Listing(rooms: [room]), unknown(), answers: Poll.Answers(members: ["RM_a": [ann, late, idle]]))
        #expect(seen.questions == [.participants(room: "RM_a", name: "red")])
        #expect(
            seen.corrections == [
                .adoptRoom(room.room), .adoptParticipant(ann.participant, room: "RM_a"),
                .adoptTrack(ann.tracks[0], participant: "PA_ann"),
            ])
        #expect(seen.figures.drift(.room) == [1, 0] && seen.figures.drift(.participant) == [1, 0])
        #expect(seen.result?.settledRooms == [])
    }

    @Test(arguments: [nil, []] as [[ListedParticipant]?])
    func `a room that no node has, or in which nobody is, is a ghost`(answer: [ListedParticipant]?) {
        var polls = Polls()
        _ = polls.next(Listing(rooms: [polls.room("RM_a", 2)]), unknown())
        let seen = polls.next(
            Listing(rooms: [polls.room("RM_a", 2)]), unknown(), answers: Poll.Answers(members: ["RM_a": answer]))
        #expect(seen.questions.count == 1 && seen.corrections == [] && seen.figures.ghosts[.room] == 1)
        let later = polls.next(Listing(rooms: [polls.room("RM_a", 2)]), unknown())
        #expect(later.questions == [] && later.figures.ghosts[.room] == 1 && later.figures.drift(.room) == [0, 0])
    }

    @Test func `a room that has ended is asked for once, until its number moves`() {
        var polls = Polls()
        let end = polls.ago(300)
        // A node crashed: its participants are still listed. They joined before the end.
        func next(_ participants: Int, _ age: Int64, ended: Timestamp? = nil) -> Polls.Seen {
            polls.next(
                Listing(rooms: [polls.room("RM_a", participants)]), unknown(ended: ended ?? end),
                answers: Poll.Answers(members: ["RM_a": [polls.member("PA_a", age: age)]]))
        }
        let hot = next(1, 900, ended: polls.ago(10))
        #expect(hot.questions == [] && hot.figures.ghosts[.room] == 0)
        #expect(next(1, 900).questions == [])
        #expect(next(1, 900).questions.count == 1)
        for _ in 0..<3 {
            let seen = next(1, 900)
            #expect(seen.questions == [] && seen.corrections == [] && seen.figures.ghosts[.room] == 1)
        }
        #expect(next(2, 900).questions.count == 1)
        // Somebody joins after the end: the webhook is under way at first.
        let young = next(3, 40)
        #expect(young.questions.count == 1 && young.corrections == [])
        let seen = next(3, 100)
        #expect(seen.questions.count == 1 && seen.corrections?.count == 2 && seen.figures.ghosts[.room] == 0)
    }

    @Test func `ends come before adoptions`() {
        var polls = Polls()
        var seen = Polls.Seen()
        for _ in 0..<2 {
            let comparison = Comparison.with { comparison in
                comparison.absentRooms = [.init(sid: "RM_a", name: "red", lastEvent: polls.ago(600))]
                comparison.unknownRooms = [.init(place: 0, endedAt: nil)]
                comparison.openRooms = 1
            }
            seen = polls.next(Listing(rooms: [polls.room("RM_b", name: "red", age: 200)]), comparison)
        }
        guard case .endRoom("RM_a", .some)? = seen.corrections?.first, case .adoptRoom? = seen.corrections?.last else {
            Issue.record("\(seen.corrections ?? [])")
            return
        }
    }
}
