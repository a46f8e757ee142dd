import Wire

/// The times at which counters were last seen to grow.
struct LastIncreases {
    private var known: [StatusMetric: (value: Double, at: Timestamp?)] = [:]

    /// Notes the value of a counter. Returns when it last grew; nil if it has not since the first look.
    ///
    /// - Parameter start: its value when the process started; nil where that is not known.
    mutating func note(
        _ metric: StatusMetric, _ value: Double, from start: Double? = nil, at now: Timestamp
    ) -> Timestamp? {
        let last = known[metric] ?? (value: start ?? value, at: nil)
        let at = value > last.value ? now : last.at
        known[metric] = (value, at)
        return at
    }
}
