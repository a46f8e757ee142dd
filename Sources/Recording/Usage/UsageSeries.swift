import Metrics

/// The time of one usage of an organization: what has ended, and what is open.
///
/// Times are whole milliseconds. What is open is held as the number open and the sum of their openings, so its time at
/// any moment is one multiplication, however many are open.
struct UsageSeries: Sendable {
    let key: UsageKey
    /// The exact time of what has ended, and the estimated time of what ended unseen.
    var ended_ms: Int64 = 0
    /// The number of open shares that go on, and the sum of their openings.
    var running: Int64 = 0
    var openings_ms: Int64 = 0
    /// The number of open shares that stand still after a gap, and the sum of what they count.
    var standing: Int64 = 0
    var standing_ms: Int64 = 0
    /// The largest sum that was read. It never falls.
    var shown_ms: Int64 = 0
    /// The part of what is ahead that is counted as uncertain already.
    var uncertain_ms: Int64 = 0
    /// The sum at which the counter began.
    var origin_ms: Int64 = 0
    /// The part of the sum that is in rows, or belongs to rows of other days.
    var written_ms: Int64 = 0
    /// The uses that ended today and are not in rows.
    var ends: Int64 = 0
    var billedToday: Int64 = 0
    /// Billed minutes of connections, as for time.
    var billed: Int64 = 0
    var billedShown: Int64 = 0
    var billedOrigin: Int64 = 0

    var counter: Counter?
    var billedCounter: Counter?
    var gauge: Gauge?

    init(_ key: UsageKey) { self.key = key }

    /// The number of open shares.
    var open: Int64 { running + standing }

    /// Returns the time of everything that has ended or is open. The sum of openings may wrap around: the difference
    /// does not.
    func sum_ms(at now_ms: Int64) -> Int64 { ended_ms &+ running &* now_ms &- openings_ms &+ standing_ms }

    /// The time that was shown before ends were known to be earlier.
    func ahead_ms(at now_ms: Int64) -> Int64 { max(0, shown_ms - (sum_ms(at: now_ms) - origin_ms)) }

    mutating func enter(_ share: UsageShare) {
        if share.isStanding {
            standing += 1
            standing_ms += share.standing_ms
        } else {
            running += 1
            openings_ms &+= share.opened_ms
        }
    }

    mutating func leave(_ share: UsageShare) {
        if share.isStanding {
            standing -= 1
            standing_ms -= share.standing_ms
        } else {
            running -= 1
            openings_ms &-= share.opened_ms
        }
        assert(running >= 0 && standing >= 0, "nothing leaves that did not enter")
    }

    /// Lets everything stand still that goes on.
    mutating func freeze(at now_ms: Int64) {
        standing += running
        standing_ms += running &* now_ms &- openings_ms
        running = 0
        openings_ms = 0
    }

    /// Takes what is not in rows yet.
    mutating func takeUnwritten(at now_ms: Int64) -> UsageAmount {
        let sum_ms = sum_ms(at: now_ms)
        defer {
            written_ms = sum_ms
            ends = 0
            billedToday = 0
        }
        return UsageAmount(length_ms: sum_ms - written_ms, count: ends, billed_minutes: billedToday)
    }

    /// Begins the counters at 0.
    mutating func startAtZero(at now_ms: Int64) {
        origin_ms = sum_ms(at: now_ms)
        shown_ms = 0
        billedOrigin = billed
        billedShown = 0
        counter?.set(total: 0)
        billedCounter?.set(total: 0)
    }
}

/// All usage series of an organization. They are few, so that a search costs less than a hash.
struct UsageLedger: Sendable {
    var series: [UsageSeries] = []

    func find(_ key: UsageKey) -> Int? { series.firstIndex { $0.key == key } }
}

/// An amount for a row.
struct UsageAmount: Equatable, Sendable {
    var length_ms: Int64 = 0
    var count: Int64 = 0
    var billed_minutes: Int64 = 0

    var isZero: Bool { length_ms == 0 && count == 0 && billed_minutes == 0 }

    static func += (sum: inout UsageAmount, other: UsageAmount) {
        sum.length_ms += other.length_ms
        sum.count += other.count
        sum.billed_minutes += other.billed_minutes
    }
}
