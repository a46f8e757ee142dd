/// Delivers webhooks the way LiveKit's notifier does: those of one key strictly one after the other, each in up to five
/// attempts.
///
/// It is pure: times are milliseconds of a clock that the caller reads.
/// https://github.com/livekit/protocol/blob/main/webhook/resource_url_notifier.go and the defaults of
/// https://github.com/hashicorp/go-retryablehttp
package struct WebhookNotifier<Delivery: Sendable>: Sendable {
    package enum Limits {
        /// The waits between attempts, which come at +0, +1, +3, +7 and +15 s.
        package static var waits_ms: [Int64] { [1_000, 2_000, 4_000, 8_000] }
    }

    /// The result of an attempt.
    package enum Outcome: Sendable, Equatable {
        /// The receiver answered. `retryAfter_ms` is the wait that it asked for with 429 and 503.
        case answered(status: Int, retryAfter_ms: Int64?)
        /// No answer came.
        case unanswered

        /// LiveKit does not try again. It tries again after 429, after 5xx but 501, and without an answer.
        var isFinal: Bool {
            switch self {
            case .answered(let status, _): status != 429 && (status < 500 || status == 501)
            case .unanswered: false
            }
        }
    }

    /// The state of a webhook after an attempt.
    package enum Fate: Sendable, Equatable {
        /// It counts as delivered, whatever the status is.
        case delivered
        /// It will be tried again.
        case retried
        /// Its last attempt failed.
        case lost
    }

    /// A webhook that is being sent.
    package struct Attempt: Sendable {
        package let key: String
        package let delivery: Delivery
        /// The number of the attempt, from 1.
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
    /// The number of webhooks that are neither delivered nor lost yet.
    package private(set) var waiting = 0

    package init() {}

    /// The time at which something may have to be sent; nil if there is nothing but running attempts.
    package var nextDue: Int64? { schedule.nextAt }

    /// Takes a webhook that may be sent at `due`, after all earlier ones of its key.
    package mutating func accept(_ delivery: Delivery, key: String, due: Int64) {
        waiting += 1
        if lanes[key] == nil {
            lanes[key] = Lane(deliveries: [(due, delivery)])
            schedule.plan(at: due, key)
        } else {
            lanes[key]?.deliveries.append((due, delivery))
        }
    }

    /// Returns an attempt to make at `now`, if there is one. Its key waits until `report` gives the result.
    package mutating func next(at now: Int64) -> Attempt? {
        guard let due = schedule.nextAt, due <= now, let (_, key) = schedule.next(), let lane = lanes[key] else {
            return nil
        }
        precondition(!lane.isBusy, "a key is planned only while nothing of it is on its way")
        lanes[key]?.isBusy = true
        lanes[key]?.attempts += 1
        return Attempt(key: key, delivery: lane.deliveries[lane.next].delivery, number: lane.attempts + 1)
    }

    /// Reports the result of the attempt of a key.
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
