import LiveKit
import Recording
import Wire

/// The decisions of one poll. `Poll` keeps what lasts longer.
struct PollCycle: Sendable {
    /// A question that could be asked, and the difference behind it.
    struct Wish: Sendable {
        let difference: Difference
        let question: Poll.Question
        /// The place of the room in the list; nil for an egress, and for a room that is not listed.
        let place: Int?
        /// The room that is not listed.
        var absentRoom: Comparison.AbsentRoom?
        /// The remembered end of the room.
        var endedAt: Timestamp?
        /// The room, or anybody in it, had an event so shortly before that the list may not know of it.
        var isRecent = false
    }

    let listing: Listing
    let comparison: Comparison
    let askedAt: Timestamp
    /// The agreements of the polls before.
    private let before: [Difference: Agreement]
    /// The agreements after this poll.
    var agreements: [Difference: Agreement] = [:]
    private var wishes: [Wish] = []
    private(set) var asked: [Wish] = []
    var doubts: Set<Poll.Doubt> = []
    var figures = PollFigures()
    /// The drift of participants by the numbers alone, of rooms whose participants are not listed now.
    var guesses: [Difference: PollFigures.Drift] = [:]
    var ends: [PollResult.Correction] = []
    var adoptions: [PollResult.Correction] = []
    var settledRooms: [String] = []

    init(_ listing: Listing, _ comparison: Comparison, askedAt: Timestamp, before: [Difference: Agreement]) {
        self.listing = listing
        self.comparison = comparison
        self.askedAt = askedAt
        self.before = before
    }

    // MARK: Time

    /// What had an event later than this is left alone.
    var hotSince: Timestamp { askedAt - Recording.Limits.hot }

    func isHot(_ time: Timestamp) -> Bool { time > hotSince }

    /// What had an event between these times should be listed.
    func isRecent(_ lastEvent: Timestamp) -> Bool {
        isHot(lastEvent) && lastEvent <= askedAt - Poll.Limits.listLag
    }

    /// Webhooks arrive.
    var hasEvents: Bool { comparison.lastWebhook.map(isHot) ?? false }

    // MARK: Agreement

    /// Notes that this poll sees a difference, and returns the agreement.
    mutating func note(_ difference: Difference, isMore: Bool = false) -> Agreement {
        var agreement = Agreement(isMore: isMore, waitsSince: askedAt)
        if let earlier = before[difference], earlier.isMore == isMore {
            agreement = earlier
            agreement.polls += 1
        }
        agreements[difference] = agreement
        return agreement
    }

    /// The polls that must agree on differences of one kind.
    ///
    /// - Parameters:
    ///   - isMissing: something that should be listed is not.
    ///   - ends: what two polls would end.
    ///   - open: what is open.
    mutating func needed(isMissing: Bool, ends: Int, of open: Int) -> Int {
        let isMany = ends > max(Poll.Limits.ends, Int(Double(open) * Poll.Limits.endsShare))
        if isMissing { doubts.insert(.recent_missing) }
        if isMany { doubts.insert(.many_ends) }
        return isMissing || isMany ? Poll.Limits.agreeingInDoubt : Poll.Limits.agreeing
    }

    // MARK: Questions

    mutating func wish(_ wish: Wish) { wishes.append(wish) }

    /// Chooses what is asked now: what has waited longest. The rest waits for the next poll.
    ///
    /// - Parameter take: takes calls from the budget.
    mutating func choose(_ take: (Int) -> Int) -> [Poll.Question] {
        let waiting = wishes.map { (wish: $0, since: agreements[$0.difference]?.waitsSince ?? askedAt) }
            .sorted { ($0.since, $0.wish.difference.id) < ($1.since, $1.wish.difference.id) }
        asked = waiting.prefix(take(waiting.count)).map(\.wish)
        for wish in asked { agreements[wish.difference]?.waitsSince = askedAt }
        return asked.map(\.question)
    }

    // MARK: Result

    /// The result of this poll. Ends come before what is adopted.
    var result: PollResult {
        var result = PollResult(askedAt: askedAt)
        result.absentRooms = comparison.absentRooms.map(\.sid)
        result.differingRooms = comparison.differingRooms.map { listing.rooms[$0.place].room.sid }
        result.settledRooms = settledRooms
        result.absentEgress = comparison.absentEgress.map(\.key)
        result.absentIngress = comparison.absentIngress.map(\.key)
        result.corrections = ends + adoptions
        return result
    }
}
