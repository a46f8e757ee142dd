package import Platform
package import Wire

/// Decides whether the wall clock can be trusted, by comparing it with the monotonic clock.
///
/// Receivers refuse samples that are more than 10 minutes ahead, and a series cannot go back behind such a sample.
package struct ClockGuard: Sendable {
    /// The decision about a reading.
    package enum Verdict: Sendable, Equatable {
        /// A reading may carry this time.
        case good
        /// The wall clock does not show a later time than at the last reading.
        case wentBack
        /// The wall clock jumped ahead by more than any pause explains.
        case jumpedAhead
        /// A reading may carry this time. A reading of an earlier process has a later time, but its clock was wrong.
        case earlierWasWrong
    }

    package enum Limits {
        /// Prometheus and Mimir accept samples up to this far ahead of their own clock.
        package static let jump = Duration.seconds(600)
        /// If the clock stays ahead for this long, somebody has set it, and it is right.
        package static let hold = Duration.seconds(600)
    }

    private var last: (wall: Timestamp, monotonic: MonotonicTime)?
    private var heldSince: MonotonicTime?
    /// The time of the last reading of an earlier process. Nil when the clock is past it.
    private var floor: Timestamp?

    /// - Parameter lastReading: the last reading of an earlier process. No reading may have an earlier time.
    ///
    /// If it lies so far ahead that no receiver accepted its samples, its clock was wrong. The guard waits for it only
    /// as long as it takes to set a clock after a start: it must not silence this process for years.
    package init(after lastReading: Timestamp? = nil) { floor = lastReading }

    /// Judges a pair of clock values. A good pair is what the next one is compared with.
    package mutating func check(_ wall: Timestamp, _ monotonic: MonotonicTime) -> Verdict {
        guard let last else { return checkFirst(wall, monotonic) }
        if wall <= last.wall {
            heldSince = nil
            return .wentBack
        }
        let ahead = wall.since(last.wall) - monotonic.since(last.monotonic)
        if ahead > Limits.jump {
            let since = heldSince ?? monotonic
            heldSince = since
            if monotonic.since(since) < Limits.hold { return .jumpedAhead }
        }
        heldSince = nil
        self.last = (wall, monotonic)
        return .good
    }

    private mutating func checkFirst(_ wall: Timestamp, _ monotonic: MonotonicTime) -> Verdict {
        var verdict = Verdict.good
        if let floor, wall <= floor {
            guard floor.since(wall) > Limits.jump else {
                heldSince = nil
                return .wentBack
            }
            let since = heldSince ?? monotonic
            heldSince = since
            if monotonic.since(since) < Limits.hold { return .wentBack }
            verdict = .earlierWasWrong
        }
        heldSince = nil
        floor = nil
        last = (wall, monotonic)
        return verdict
    }
}
