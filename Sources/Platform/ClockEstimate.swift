import Wire

/// The difference between this machine's clock and another one, as all measurements so far allow it.
///
/// A single answer in whole seconds allows a second, and as much as it took. Answers come at different moments of a
/// second, so some of them together allow little more than the shortest took.
struct ClockEstimate: Sendable {
    enum Limits {
        /// The pace at which two clocks may move apart: the most by which the usual time services correct a clock that
        /// they do not set. https://www.man7.org/linux/man-pages/man2/adjtimex.2.html
        static let drift = 0.0005
        /// Our own times are rounded down to this.
        static let rounding = Duration.milliseconds(1)
    }

    private(set) var interval: ClockInterval
    private(set) var measuredAt: MonotonicTime
    /// The last measurement, if it contradicts the estimate.
    private var contradiction: ClockInterval?

    init(_ first: ClockInterval, at now: MonotonicTime) {
        interval = first
        measuredAt = now
    }

    /// Takes a measurement. One that contradicts all before it may come from a cache, or from a machine of its own
    /// behind a balancer. Two that agree with each other show that a clock was set.
    mutating func take(_ new: ClockInterval, at now: MonotonicTime) {
        let known = interval.widened(by: now.since(measuredAt) * Limits.drift + Limits.rounding)
        measuredAt = now
        if let both = known.intersection(new) {
            (interval, contradiction) = (both, nil)
        } else if let both = contradiction?.intersection(new) {
            (interval, contradiction) = (both, nil)
        } else {
            (interval, contradiction) = (known, new)
        }
    }
}
