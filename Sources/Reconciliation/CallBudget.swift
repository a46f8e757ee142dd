import Wire

/// The number of calls about single entities that may be made now: a token bucket. It is pure.
struct CallBudget: Sendable {
    enum Limits {
        /// The calls in a minute. LiveKit Cloud allows a project 1,000, which the customer's own application needs.
        static let calls = 100
        static let period = Duration.seconds(60)
    }

    /// The calls that are left, with the part of the next one.
    private var left = Double(Limits.calls)
    private var filledAt: Timestamp?

    /// Takes up to `wanted` calls, and returns how many were left. A clock that goes back gives none.
    mutating func take(_ wanted: Int, at now: Timestamp) -> Int {
        if let filledAt {
            let part = max(0, now.since(filledAt).inSeconds / Limits.period.inSeconds)
            left = min(Double(Limits.calls), left + part * Double(Limits.calls))
        }
        filledAt = now
        let taken = min(wanted, Int(left))
        left -= Double(taken)
        return taken
    }
}
