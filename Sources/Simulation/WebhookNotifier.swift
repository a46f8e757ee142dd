/// Delivers deliveries the way LiveKit's notifier does: those of one key strictly one after the other, each tried up to
/// five times.
///
/// Pure: times are milliseconds of a clock that the caller reads.
/// https://github.com/livekit/protocol/blob/main/webhook/resource_url_notifier.go and the defaults of
/// https://github.com/hashicorp/go-retryablehttp
package struct WebhookNotifier<Delivery: Sendable>: Sendable {
    package enum Limits {
        /// Waits between the attempts: at +0, +1, +3, +7 and +15 s.
        package static var waits_ms: [Int64] { [1_000, 2_000, 4_000, 8_000] }
    }

    /// How an attempt ended.
    package enum Outcome: Sendable, Equatable {
        /// The receiver answered; `retryAfter_ms` is what it asked for on 429 and 503.
        case answered(status: Int, retryAfter_ms: Int64?)
        /// No answer arrived.
        case unanswered

        /// Whether LiveKit tries again: everything but 2xx to 4xx, and 429. 501 is final.
        var isFinal: Bool {
            switch self {
            case .answered(let status, _): status != 429 && (status < 500 || status == 501)
            case .unanswered: false
            }
        }
    }

    /// What became of a delivery after an attempt.
    package enum Fate: Sendable, Equatable {
        /// It counts as delivered, whatever the status.
        case delivered
        /// It will be tried again.
        case retried
        /// It was tried for the last time.
        case lost
    }

    /// A delivery on its way.
    package struct Attempt: Sendable {
        package let key: String
        package let delivery: Delivery
        /// 1 at first.
        package let number: Int
    }

    private struct Lane: Sendable {
        var deliveries: [(due: Int64, delivery: Delivery)]
        var next = 0
        var attempts = 0
        var isBusy = false
    }

    private var lanes: [String: Lane] = [:]
    private var schedule = EventSchedule<String>()
    /// Deliveries that are not delivered or lost yet.
    package private(set) var waiting = 0

    package init() {}

    /// When something may have to be sent; nil when nothing waits but what is on its way.
    package var nextDue: Int64? { schedule.nextAt }

    /// Takes a delivery that may leave at `due`, after all earlier ones of its key.
    package mutating func accept(_ delivery: Delivery, key: String, due: Int64) {
        waiting += 1
        if lanes[key] == nil {
            lanes[key] = Lane(deliveries: [(due, delivery)])
            schedule.plan(at: due, key)
        } else {
            lanes[key]?.deliveries.append((due, delivery))
        }
    }

    /// The next attempt to make at `now`, if any; its key waits until `report` says how it ended.
    package mutating func next(at now: Int64) -> Attempt? {
        guard let due = schedule.nextAt, due <= now, let (_, key) = schedule.next(), let lane = lanes[key] else {
            return nil
        }
        precondition(!lane.isBusy, "a key is planned only while nothing of it is on its way")
        lanes[key]?.isBusy = true
        lanes[key]?.attempts += 1
        return Attempt(key: key, delivery: lane.deliveries[lane.next].delivery, number: lane.attempts + 1)
    }

    /// Says how the attempt of a key ended.
    package mutating func report(_ key: String, _ outcome: Outcome, at now: Int64) -> Fate {
        guard let lane = lanes[key], lane.isBusy else { preconditionFailure("nothing of this key is on its way") }
        lanes[key]?.isBusy = false
        if !outcome.isFinal, lane.attempts <= Limits.waits_ms.count {
            var wait = Limits.waits_ms[lane.attempts - 1]
            if case .answered(_, let asked?) = outcome { wait = asked }
            schedule.plan(at: now + wait, key)
            return .retried
        }
        waiting -= 1
        let isLast = lane.next + 1 == lane.deliveries.count
        if isLast {
            lanes[key] = nil
        } else {
            lanes[key]?.next += 1
            lanes[key]?.attempts = 0
            schedule.plan(at: max(now, lane.deliveries[lane.next + 1].due), key)
        }
        return outcome.isFinal ? .delivered : .lost
    }
}
