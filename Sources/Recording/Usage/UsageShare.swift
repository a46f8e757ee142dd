import Wire

/// A stretch of time in Unix milliseconds. A negative length takes time back from the day of its start.
struct UsageInterval: Equatable {
    var start_ms: Int64
    var length_ms: Int64

    var end_ms: Int64 { start_ms + length_ms }

    static let zero = UsageInterval(start_ms: 0, length_ms: 0)

    static let day_ms: Int64 = 86_400_000
    /// The times that usage knows: up to the end of the year 9999, so that no sum or difference overflows.
    static let times: ClosedRange<Int64> = 0...253_402_300_799_999

    static let days = day(of: times.lowerBound)...day(of: times.upperBound)

    /// Returns the nearest time that usage knows.
    static func clamped(_ time_ms: Int64) -> Int64 { min(max(time_ms, times.lowerBound), times.upperBound) }

    /// Returns the number of the UTC day in which a time lies, counted from 1970-01-01.
    static func day(of time_ms: Int64) -> Int { CivilDate(Timestamp(milliseconds: time_ms)).daysSinceEpoch }

    /// Calls `body` with each UTC day and the time that passed on it.
    func forEachDay(_ body: (_ day: Int, _ length_ms: Int64) -> Void) {
        if length_ms == 0 { return }
        var at_ms = start_ms
        var left_ms = length_ms
        while true {
            let day = Self.day(of: at_ms)
            let rest_ms = Int64(day + 1) * Self.day_ms - at_ms
            if left_ms <= rest_ms { return body(day, left_ms) }
            body(day, rest_ms)
            at_ms += rest_ms
            left_ms -= rest_ms
        }
    }
}

/// The part of a usage series that one open entity has. Times of receipt are on the clock of usage, which stands still
/// in a gap.
struct UsageShare: Equatable {
    /// It counts in its series.
    var isOpen = false
    /// The time in a gap was not proved when it went on.
    var isBehind = false
    /// An earlier part of the same use has ended and was counted and billed.
    var isContinued = false
    /// The time of receipt from which it counts.
    var opened_ms: Int64 = 0
    /// What it counts while it stands still after a gap; -1 while it goes on.
    var standing_ms: Int64 = -1
    /// The start that the payload tells, by LiveKit's clock; 0 if unknown.
    var start_ms: Int64 = 0
    /// What earlier organizations of its room counted.
    var moved_ms: Int64 = 0
    /// The part of it that is in the rows of this organization, because the one before was `unknown`.
    var early_ms: Int64 = 0

    var isStanding: Bool { standing_ms >= 0 }

    /// Returns what it counts now.
    func length_ms(at now_ms: Int64) -> Int64 { isStanding ? standing_ms : now_ms - opened_ms }

    /// Returns the time that its rows have.
    func rows(at now_ms: Int64) -> UsageInterval {
        UsageInterval(start_ms: opened_ms - early_ms, length_ms: length_ms(at: now_ms) + early_ms)
    }

    /// Returns the part of a whole use that belongs into the rows of the present organization.
    func rows(of whole: UsageInterval) -> UsageInterval {
        let before_ms = moved_ms - early_ms
        return UsageInterval(start_ms: whole.start_ms + before_ms, length_ms: whole.length_ms - before_ms)
    }
}

/// The end of a use.
enum UsageEnd {
    /// The payload tells it: the use had this time, as for the histograms. Nil if the time is unknown or implausible: then
    /// it had what was counted here.
    case exact(UsageInterval?)
    /// Nothing tells it: the use had the time up to this evidence, by LiveKit's clock.
    case estimated(Int64)
}

/// A use whose end was estimated, until its exact end comes.
struct UsageEstimate {
    /// The series that it is in. Places of agents are those of the time at which it was made.
    var keys: UsageKeys
    /// The name of the agent, if one of the series is an agent's.
    var agentName: String?
    /// The public id of the organization that has it.
    var organization = ""
    /// The name of the room that owns its rows, if the organization could not be looked up; else empty.
    var roomName = ""
    /// What was counted in all organizations.
    var whole = UsageInterval.zero
    /// What earlier organizations have of it, in their series and in their rows.
    var moved_ms: Int64 = 0
    var notInRows_ms: Int64 = 0
    var isContinued = false
    /// The time of receipt at which it was made.
    var madeAt_ms: Int64 = 0

    /// Returns the part of a whole use that belongs into the rows of its organization.
    func rows(of whole: UsageInterval) -> UsageInterval {
        UsageInterval(start_ms: whole.start_ms + notInRows_ms, length_ms: whole.length_ms - notInRows_ms)
    }
}
