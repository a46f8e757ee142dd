import LiveKit
import Recording
import Wire

/// Decides what a poll of LiveKit's API asks for, and which differences it confirms. The rules are in Specification,
/// *Reconciliation with LiveKit's API*.
///
/// It is pure: times are parameters. A poll goes through `compare`, then `finish`. One that fails on the way is given to
/// `fail`: it changes no agreement, as if it had not been.
struct Poll: Sendable {
    enum Limits {
        /// The age of the last event from which LiveKit's lists should show it. LiveKit renews the number of participants
        /// every 5 s, and a list may be as old as that.
        static let listLag = Duration.seconds(10)
        /// The polls that must agree before anything is corrected.
        static let agreeing = 2
        /// The same where the lists are suspicious.
        static let agreeingInDoubt = 3
        /// A poll that would end more than this share of what is open, and more than this number, is suspicious. Each alone
        /// is usual: a few rooms end, or a small office goes home.
        static let endsShare = 0.3
        static let ends = 20
        /// The time for which an empty room may be listed after its own time-outs.
        static let emptyRoom = Duration.seconds(60)
        /// The age of the last change from which a running egress without a room is a leftover. LiveKit's egress tells of
        /// itself more often.
        static let orphanedEgress = Duration.seconds(3_600)
    }

    /// A reason why the lists of a poll are suspicious. The raw value is the label value of `reason`.
    enum Doubt: String, Sendable, CaseIterable {
        /// A list is empty, though webhooks arrive and the state has what it should list.
        case empty_list
        /// Something that had an event 10 to 60 s before is not listed.
        case recent_missing
        /// Too much of what is open would end at once.
        case many_ends
    }

    /// A call about one entity.
    enum Question: Sendable, Equatable {
        /// - Parameter room: the SID.
        case participants(room: String, name: String)
        case egress(id: String)
        case ingress(id: String)
    }

    /// The next step of a poll.
    enum Step: Sendable, Equatable {
        /// Ask these, perhaps none, then call `finish`.
        case ask([Question])
        /// The poll is over: its lists are not believed, and nothing is changed.
        case disbelieve(Doubt)
    }

    /// The answers to questions. What is nil is not there: LiveKit answered `not_found`, or with an empty list.
    struct Answers: Sendable {
        /// By the SID of the room.
        var members: [String: [ListedParticipant]?] = [:]
        var egress: [String: ListedEgress?] = [:]
        var ingress: [String: ListedIngress?] = [:]
    }

    /// The end of a poll.
    struct Outcome: Sendable {
        let result: PollResult
        let figures: PollFigures
        let doubts: [Doubt]
    }

    private var agreements: [Difference: Agreement] = [:]
    private var budget = CallBudget()
    private var cycle: PollCycle?
    /// The next list of egress has the ended jobs, too: they may have ended unseen.
    private(set) var wantsEndedEgress = true

    /// Takes the lists of a poll, and what the recorder says of them.
    ///
    /// - Parameter askedAt: the time at which the first list was asked for.
    mutating func compare(_ listing: Listing, _ comparison: Comparison, askedAt: Timestamp) -> Step {
        var cycle = PollCycle(listing, comparison, askedAt: askedAt, before: agreements)
        if listing.rooms.isEmpty && !comparison.absentRooms.isEmpty && cycle.hasEvents {
            self.cycle = nil
            return .disbelieve(.empty_list)
        }
        cycle.compareRooms()
        cycle.compareEgress()
        cycle.compareIngress()
        let questions = cycle.choose { budget.take($0, at: askedAt) }
        self.cycle = cycle
        return .ask(questions)
    }

    /// Takes the answers to the questions of `compare`, and what the recorder says of the members of rooms.
    mutating func finish(_ answers: Answers = Answers(), _ comparisons: [RoomComparison] = []) -> Outcome {
        guard var cycle else { preconditionFailure("a poll is compared before it is finished") }
        self.cycle = nil
        cycle.settleRooms(answers.members, comparisons)
        cycle.settleEgress(answers.egress)
        cycle.settleIngress(answers.ingress)
        agreements = cycle.agreements
        let result = cycle.result
        wantsEndedEgress = !result.corrections.isEmpty || !cycle.hasEvents
        return Outcome(result: result, figures: cycle.figures, doubts: Doubt.allCases.filter(cycle.doubts.contains))
    }

    /// Gives the poll up. The next one lists ended egress, because more may have been missed.
    mutating func fail() {
        cycle = nil
        wantsEndedEgress = true
    }
}
