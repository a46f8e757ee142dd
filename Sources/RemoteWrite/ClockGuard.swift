package import Platform
package import Wire

/// Decides whether the wall clock can be trusted, by comparing it with the monotonic clock and with what the receiver
/// accepted.
///
/// Receivers refuse samples that are more than 10 minutes ahead, and a series cannot go back behind a sample that was
/// accepted. So a clock that is far off is held for 10 minutes, in either direction. One that is set back behind samples
/// that nobody accepted is believed at once.
package struct ClockGuard: Sendable {
    /// The decision about a reading.
    package enum Verdict: Sendable, Equatable {
        /// A reading may carry this time.
        case good
        /// The wall clock does not show a later time than at the last reading.
        case wentBack
        /// The wall clock jumped ahead by more than any pause explains.
        case jumpedAhead
        /// A reading may carry this time, although an earlier one has a later time: the clock was wrong then.
        case setBack
    }

    package enum Limits {
        /// Prometheus and Mimir accept samples up to this far ahead of their own clock.
        package static let jump = Duration.seconds(600)
        /// If the clock stays off for this long, somebody has set it, and it is right.
        package static let hold = Duration.seconds(600)
    }

    private var last: (wall: Timestamp, monotonic: MonotonicTime)?
    private var aheadSince: MonotonicTime?
    private var backSince: MonotonicTime?
    /// The time of the last reading of an earlier process. Nil when the clock is past it, or is believed.
    private var floor: Timestamp?
    /// The newest time that a receiver has accepted. Nobody knows what it accepted from an earlier process.
    private var accepted: Timestamp?

    /// - Parameter lastReading: the last reading of an earlier process. No reading may have an earlier time.
    package init(after lastReading: Timestamp? = nil) {
        floor = lastReading
        accepted = lastReading
    }

    /// Notes that a receiver has accepted samples up to this time.
    package mutating func noteAccepted(until time: Timestamp) { accepted = accepted.map { max($0, time) } ?? time }

    /// Judges a pair of clock values. A good pair is what the next one is compared with.
    package mutating func check(_ wall: Timestamp, _ monotonic: MonotonicTime) -> Verdict {
        if let newest = last?.wall ?? floor, wall <= newest { return checkBack(wall, monotonic, newest) }
        backSince = nil
        if let last, wall.since(last.wall) - monotonic.since(last.monotonic) > Limits.jump {
            let since = aheadSince ?? monotonic
            aheadSince = since
            if monotonic.since(since) < Limits.hold { return .jumpedAhead }
        }
        believe(wall, monotonic)
        return .good
    }

    /// Judges a clock that is behind the last reading. A short step back is over before it would be believed.
    private mutating func checkBack(
        _ wall: Timestamp, _ monotonic: MonotonicTime, _ newest: Timestamp
    ) -> Verdict {
        aheadSince = nil
        // A wait that has begun goes on while the clock catches up, so that no step back costs more than the wait.
        guard newest.since(wall) > Limits.jump || backSince != nil else { return .wentBack }
        let since = backSince ?? monotonic
        backSince = since
        let isBehindAccepted = accepted.map { wall <= $0 } ?? false
        if isBehindAccepted && monotonic.since(since) < Limits.hold { return .wentBack }
        // What was accepted from the future is no measure any more.
        if let time = accepted, time >= wall { accepted = nil }
        believe(wall, monotonic)
        return .setBack
    }

    private mutating func believe(_ wall: Timestamp, _ monotonic: MonotonicTime) {
        aheadSince = nil
        backSince = nil
        floor = nil
        last = (wall, monotonic)
    }
}
