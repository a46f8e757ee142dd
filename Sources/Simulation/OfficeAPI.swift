package import Wire

/// The server API of the office's LiveKit: what LiveKit would answer at each moment.
///
/// It is pure. It takes every occurrence of the office when it is due, whether its webhook is delivered or not, and
/// answers calls from what it took. So its answers are the truth, in which a crash shows at once. On request it lies in
/// known ways; the same seed and the same calls give the same lies. An entity is shown with the times of its newest
/// webhook, and a room with those of its first one.
package struct OfficeAPI: Sendable {
    private enum Limits {
        /// The distance of the states that are kept for stale reads.
        static let step = Duration.seconds(1)
        /// The time for which they are kept.
        static let history = Duration.seconds(15)
        /// The longest time by which a read is stale, and the shortest.
        static let staleness_ms: ClosedRange<Double> = 2_000...10_000
        /// Lists are empty for whole periods of this length.
        static let period_ms: Int64 = 180_000
    }

    private enum Chance {
        static let staleRead = 0.1
        static let emptyPeriod = 0.25
        static let cut = 0.3
        static let endlessPage = 0.5
        static let orphan = 0.5
    }

    let timeline: Timeline
    let lies: Set<APILie>
    private let lot: Lot
    private var state = ServedState()
    /// Earlier states, each with the moment until which it held. Empty unless reads may be stale.
    private var history = Deque<(until: Timestamp, state: ServedState)>()
    /// The number of calls so far.
    private var calls = 0

    /// - Parameters:
    ///   - timeline: maps the office's time to real time, for the times in the answers.
    ///   - seed: decides when it lies.
    package init(timeline: Timeline, lies: Set<APILie> = [], seed: UInt64 = 1) {
        self.timeline = timeline
        self.lies = lies
        lot = Lot(seed: seed)
    }

    /// Takes what happens in the office. Call it for every occurrence, in order.
    package mutating func take(_ occurrence: Occurrence) {
        let now = timeline.moment(occurrence.at)
        keepHistory(until: now)
        switch occurrence {
        case .webhook(let webhook):
            state.take(webhook, shift: timeline.shift(at: webhook.at), now: now, lot: lot)
        case .crash(let crash): state.take(crash, lot: lot)
        }
    }

    private mutating func keepHistory(until now: Timestamp) {
        guard lies.contains(.staleReads), history.last.map({ now.since($0.until) >= Limits.step }) ?? true else {
            return
        }
        history.append((now, state))
        while let oldest = history.first, now.since(oldest.until) > Limits.history { _ = history.popFirst() }
    }

    /// Returns the answer to a call that is allowed. `path` is such as `/twirp/livekit.RoomService/ListRooms`, and
    /// `now` a moment of real time.
    package mutating func answer(_ path: String, body: [UInt8], at now: Timestamp) -> APIAnswer {
        guard let call = APICall(rawValue: path) else { return APIAnswer(.bad_route, "no handler for this path") }
        let request: APIRequest
        do throws(DecodingFault) {
            request = try APIRequest(body)
        } catch {
            return APIAnswer(.malformed, "the json request could not be decoded")
        }
        calls += 1
        let reader = ServedReader(
            state: seen(at: now), lies: lies, isOrphan: { [lot] in lot.happens(Chance.orphan, $0) })
        guard let items = reader.items(of: call, request) else {
            return APIAnswer(.not_found, "requested room does not exist")
        }
        return page(items, of: call, request, at: now)
    }

    /// The state that the present call sees.
    private func seen(at now: Timestamp) -> ServedState {
        guard lies.contains(.staleReads), lot.happens(Chance.staleRead, "stale read \(calls)") else { return state }
        let (least, most) = (Limits.staleness_ms.lowerBound, Limits.staleness_ms.upperBound)
        let age = least + lot.unit("staleness \(calls)") * (most - least)
        let moment = now - .milliseconds(Int64(age))
        return history.all.first { $0.until > moment }?.state ?? state
    }

    private func page(_ items: [[UInt8]], of call: APICall, _ request: APIRequest, at now: Timestamp) -> APIAnswer {
        let answer = { (items: [[UInt8]], next: String) in
            APIAnswer(call.list, items, next: call.hasPages || !next.isEmpty ? next : nil)
        }
        // A question for one job is not a list.
        guard request.egressID.isEmpty && request.ingressID.isEmpty else { return answer(items, "") }
        let period = now.milliseconds / Limits.period_ms
        if lies.contains(.emptyList), call != .listParticipants,
            lot.happens(Chance.emptyPeriod, "empty \(call) \(period)")
        {
            return answer([], "")
        }
        guard lies.contains(.cutList), call != .listParticipants else { return answer(items, "") }
        switch request.page {
        case "endless": return answer([], "endless")
        case "last": return answer([], "")
        default:
            guard items.count > 1, lot.happens(Chance.cut, "cut \(calls)") else { return answer(items, "") }
            // Only a server that knows pages can end a list with an empty one.
            let isEndless = !call.hasPages || lot.happens(Chance.endlessPage, "page \(calls)")
            return answer(Array(items.prefix(items.count / 2)), isEndless ? "endless" : "last")
        }
    }
}
