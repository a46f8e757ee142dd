import Wire

/// The times at which counters were last seen to grow.
struct LastIncreases {
    private var known: [StatusMetric: (value: Double, at: Timestamp?)] = [:]

    /// Notes the value of a counter. Returns when it last grew; nil if it has not since the first look.
    mutating func note(_ metric: StatusMetric, _ value: Double, at now: Timestamp) -> Timestamp? {
        guard let last = known[metric] else {
            known[metric] = (value, nil)
            return nil
        }
        let at = value > last.value ? now : last.at
        known[metric] = (value, at)
        return at
    }
}
