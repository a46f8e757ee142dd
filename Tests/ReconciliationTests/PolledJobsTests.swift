import LiveKit
@testable import Reconciliation
import Recording
import Testing
import Wire

/// Rules 6 and 7: egress and ingress. Each test reads as a transcript of polls, one a minute.
@Suite struct PolledJobsTests {
    private func absent(_ polls: Polls, place: Int? = nil, lastEvent: Int64 = 600, hasEvents: Bool = true) -> Comparison
    {
        .with { comparison in
            comparison.absentEgress = [
                .init(key: "EG_a", ingressID: "", lastEvent: polls.ago(lastEvent), place: place)
            ]
            comparison.openEgress = 1
            comparison.lastWebhook = hasEvents ? polls.ago(1) : nil
        }
    }

    private let question = [Poll.Question.egress(id: "EG_a")]

    // MARK: Egress

    @Test func `an egress that has ended is ended by exactly what LiveKit says of it`() {
        var polls = Polls()
        let first = polls.next(Listing(), absent(polls))
        #expect(first.questions == [] && first.figures.drift(.egress) == [0, 1])
        #expect(first.result?.absentEgress == ["EG_a"])
        let ended = polls.egress("EG_a", .failed, ended: 300)
        // An empty list does not matter: LiveKit has the job itself.
        let seen = polls.next(Listing(), absent(polls), answers: Poll.Answers(egress: ["EG_a": ended]))
        #expect(seen.questions == question && seen.corrections == [.endEgress(ended.egress, ended.room)])
        #expect(seen.doubts == [])
    }

    @Test func `an egress that runs, though it is not listed, stays`() {
        var polls = Polls()
        for questions in [0, 1, 0, 1] {
            let seen = polls.next(
                Listing(), absent(polls), answers: Poll.Answers(egress: ["EG_a": polls.egress("EG_a")]))
            #expect(seen.questions.count == questions && seen.corrections == [])
        }
    }

    @Test func `an egress that two calls do not find is dropped`() {
        var polls = Polls()
        for (questions, corrections) in [(0, 0), (1, 0), (1, 1)] {
            let seen = polls.next(
                Listing(egress: [polls.egress("EG_b")]), absent(polls), answers: Poll.Answers(egress: ["EG_a": nil]))
            #expect(seen.questions.count == questions && seen.corrections?.count == corrections)
            if corrections == 1 { #expect(seen.corrections == [.dropEgress(id: "EG_a")]) }
        }
    }

    @Test func `nothing is dropped for an empty list while events arrive`() {
        var polls = Polls()
        for number in 0..<6 {
            let seen = polls.next(Listing(), absent(polls), answers: Poll.Answers(egress: ["EG_a": nil]))
            #expect(seen.corrections == [] && seen.doubts == (number < 2 ? [] : [.empty_list]))
        }
        let seen = polls.next(
            Listing(), absent(polls, hasEvents: false), answers: Poll.Answers(egress: ["EG_a": nil]))
        #expect(seen.corrections == [.dropEgress(id: "EG_a")])
    }

    @Test func `where something recent is missing, three calls must not find it`() {
        var polls = Polls()
        var corrections: [Int?] = []
        for _ in 0..<4 {
            var comparison = absent(polls)
            comparison.absentEgress.append(.init(key: "EG_c", ingressID: "", lastEvent: polls.ago(30), place: nil))
            let seen = polls.next(
                Listing(egress: [polls.egress("EG_b")]), comparison, answers: Poll.Answers(egress: ["EG_a": nil]))
            corrections.append(seen.corrections?.count)
        }
        #expect(corrections == [0, 0, 0, 1])
    }

    @Test func `a listed end is applied at once, unless it may be under way`() {
        var polls = Polls()
        let young = polls.next(
            Listing(egress: [polls.egress("EG_a", .complete, ended: 59)], hasEndedEgress: true), absent(polls, place: 0)
        )
        #expect(young.corrections == [])
        let ended = polls.egress("EG_a", .complete, ended: 61)
        let list = Listing(egress: [ended], hasEndedEgress: true)
        #expect(polls.next(list, absent(polls, place: 0, lastEvent: 50)).corrections == [])
        let open = polls.egress("EG_a", .complete, ended: 120)
        #expect(
            polls.next(Listing(egress: [open], hasEndedEgress: true), absent(polls, place: 0)).corrections
                == [.endEgress(open.egress, open.room)])
        // One that began and ended unseen.
        let unseen = polls.egress("EG_u", .complete, ended: 61)
        let seen = polls.next(
            Listing(egress: [unseen], hasEndedEgress: true),
            .with { $0.unknownEgress = [.init(place: 0, isRemembered: false, hasRoom: false)] })
        #expect(seen.corrections == [.endEgress(unseen.egress, unseen.room)])
        #expect(seen.figures.drift(.egress) == [1, 0])
    }

    @Test func `an egress that only LiveKit has is adopted by the second poll`() {
        var polls = Polls()
        func next(_ age: Int64) -> Polls.Seen {
            polls.next(
                Listing(egress: [polls.egress("EG_a", age: age)]),
                .with { $0.unknownEgress = [.init(place: 0, isRemembered: false, hasRoom: true)] })
        }
        #expect(next(30).figures.drift(.egress) == [0, 0])
        #expect(next(90).figures.drift(.egress) == [1, 0])
        let seen = next(150)
        guard case .adoptEgress(let egress, _)? = seen.corrections?.first else {
            Issue.record("not adopted")
            return
        }
        #expect(egress.id == "EG_a")
    }

    @Test(arguments: [(true, true, 120), (false, false, 3_700)])
    func `an egress that has ended, or whose room is gone for long, is a ghost`(
        isRemembered: Bool, hasRoom: Bool, updated: Int64
    ) {
        var polls = Polls()
        for _ in 0..<4 {
            let seen = polls.next(
                Listing(egress: [polls.egress("EG_a", age: 9_000, updated: updated)]),
                .with { $0.unknownEgress = [.init(place: 0, isRemembered: isRemembered, hasRoom: hasRoom)] })
            #expect(seen.corrections == [] && seen.figures.ghosts[.egress] == 1)
            #expect(seen.figures.drift(.egress) == [0, 0])
        }
    }

    @Test func `ended jobs are listed first, after a correction, after a failure, and where no webhooks come`() {
        var polls = Polls()
        #expect(polls.poll.wantsEndedEgress)
        let list = Listing(rooms: [polls.room("RM_b")])
        let calm = Comparison.with { $0.lastWebhook = Timestamp(seconds: 2_000_000) }
        _ = polls.next(list, calm)
        #expect(!polls.poll.wantsEndedEgress)
        polls.fail()
        #expect(polls.poll.wantsEndedEgress)
        _ = polls.next(list, calm)
        #expect(!polls.poll.wantsEndedEgress)
        _ = polls.next(list)
        #expect(polls.poll.wantsEndedEgress)
        // A room ends in the second of two polls.
        for (isAbsent, wants) in [(true, false), (true, true), (false, false)] {
            var comparison = calm
            if isAbsent { comparison.absentRooms = [.init(sid: "RM_a", name: "a", lastEvent: polls.ago(600))] }
            _ = polls.next(list, comparison)
            #expect(polls.poll.wantsEndedEgress == wants)
        }
    }

    // MARK: Ingress

    private func ingress(_ polls: Polls, place: Int?) -> Comparison {
        .with { comparison in
            comparison.absentIngress = [
                .init(key: "run1", ingressID: "IN_a", lastEvent: polls.ago(600), place: place)
            ]
            comparison.openIngress = 1
            comparison.lastWebhook = polls.ago(1)
        }
    }

    @Test func `an ingress that has ended is ended by exactly what LiveKit says of it`() {
        var polls = Polls()
        for number in 0..<2 {
            let listed = polls.ingress("IN_a", run: "run1", .ended, ended: 300)
            let seen = polls.next(Listing(ingress: [listed]), ingress(polls, place: 0))
            #expect(seen.corrections == (number == 0 ? [] : [.endIngress(listed.ingress, listed.room)]))
            #expect(seen.result?.absentIngress == ["run1"])
        }
    }

    @Test(arguments: [
        (ListedIngress.Activity.running, "run2", true), (.ended, "run2", true), (.ended, "", true),
        (.running, "run1", false), (.unknown, "run1", false),
    ])
    func `an ingress that has another run, or none, is dropped`(
        activity: ListedIngress.Activity, run: String, isDropped: Bool
    ) {
        var polls = Polls()
        for number in 0..<2 {
            let seen = polls.next(
                Listing(ingress: [polls.ingress("IN_a", run: run, activity)]), ingress(polls, place: 0))
            #expect(seen.corrections == (number == 1 && isDropped ? [.dropIngress(key: "run1")] : []))
        }
    }

    @Test func `an ingress that is not listed is dropped, but not for an empty list while events arrive`() {
        var polls = Polls()
        for number in 0..<4 {
            let seen = polls.next(Listing(), ingress(polls, place: nil))
            #expect(seen.corrections == [] && seen.doubts == (number < 2 ? [] : [.empty_list]))
        }
        let other = Listing(ingress: [polls.ingress("IN_b", run: "x", .ended)])
        #expect(polls.next(other, ingress(polls, place: nil)).corrections == [.dropIngress(key: "run1")])
    }

    @Test func `an ingress that is not listed and is there when it is asked for itself stays`() {
        var polls = Polls()
        for number in 0..<5 {
            var answers = Poll.Answers()
            answers.ingress["IN_a"] = polls.ingress("IN_a", run: "run1")
            let other = Listing(ingress: [polls.ingress("IN_b", run: "x", .ended)])
            let seen = polls.next(other, ingress(polls, place: nil), answers: answers)
            #expect(seen.questions == (number % 2 == 0 ? [] : [.ingress(id: "IN_a")]))
            #expect(seen.corrections == [])
        }
    }

    @Test func `a running ingress that only LiveKit has is adopted, or is a ghost`() {
        var polls = Polls()
        for number in 0..<2 {
            let listed = [
                polls.ingress("IN_a", run: "r1"), polls.ingress("IN_b", run: "r2"),
                polls.ingress("IN_c", run: "r3", age: 5),
                polls.ingress("IN_d", run: "r4", .ended),
            ]
            let seen = polls.next(
                Listing(ingress: listed),
                .with { comparison in
                    comparison.unknownIngress = listed.indices.map {
                        .init(place: $0, isRemembered: $0 == 1, hasRoom: true)
                    }
                })
            #expect(seen.figures.ghosts[.ingress] == 1 && seen.figures.drift(.ingress) == [1, 0])
            #expect(seen.corrections == (number == 0 ? [] : [.adoptIngress(listed[0].ingress, listed[0].room)]))
        }
    }
}
