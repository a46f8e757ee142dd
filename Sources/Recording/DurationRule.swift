/// Decides whether a duration is plausible. From -2 s to 0 it counts as 0; below that and above 7 days it is a mistake.
/// Specification, *Recorder*.
enum DurationRule: Equatable {
    case plausible(seconds: Double)
    case implausible

    /// Judges the time between two points in Unix milliseconds.
    static func between(_ start_ms: Int64, _ end_ms: Int64) -> DurationRule {
        let (difference_ms, overflow) = end_ms.subtractingReportingOverflow(start_ms)
        guard !overflow, difference_ms >= Limits.negativeDuration_ms, difference_ms <= Limits.duration_ms else {
            return .implausible
        }
        return .plausible(seconds: Double(max(0, difference_ms)) / 1_000)
    }

    /// Judges a length in nanoseconds.
    static func length(nanoseconds: Int64) -> DurationRule {
        guard nanoseconds >= Limits.negativeDuration_ms * 1_000_000, nanoseconds <= Limits.duration_ms * 1_000_000
        else { return .implausible }
        return .plausible(seconds: Double(max(0, nanoseconds)) / 1e9)
    }

    /// Judges the time between two points in Unix nanoseconds.
    static func between(nanoseconds start: Int64, _ end: Int64) -> DurationRule {
        let (difference, overflow) = end.subtractingReportingOverflow(start)
        return overflow ? .implausible : length(nanoseconds: difference)
    }
}
