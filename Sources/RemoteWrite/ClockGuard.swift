package import Platform
package import Wire

/// Decides whether the wall clock can be believed, from a clock that never jumps.
///
/// Receivers refuse samples more than 10 minutes ahead, and a series cannot go back behind them.
package struct ClockGuard: Sendable {
    /// What to do with a reading.
    package enum Verdict: Sendable, Equatable {
        /// A reading may carry this time.
        case good
        /// The clock shows no later time than the last reading did.
        case wentBack
        /// The clock jumped ahead by more than any pause explains.
        case jumpedAhead
        /// A reading may carry this time, although an earlier process made one that lies later: its clock was wrong.
        case earlierWasWrong
    }

    package enum Limits {
        /// What Prometheus and Mimir accept ahead of their own clock.
        package static let jump = Duration.seconds(600)
        /// A clock that stays ahead for this long was set, and right.
        package static let hold = Duration.seconds(600)
    }

    private var last: (wall: Timestamp, monotonic: MonotonicTime)?
    private var heldSince: MonotonicTime?
    /// The last reading of an earlier process, until the clock is past it.
    private var floor: Timestamp?

    /// - Parameter lastReading: that of an earlier process: no reading may lie before it.
    ///
    /// One that lies so far ahead that no receiver had taken its samples is waited for as long as it takes to set a clock
    /// after a start; it must not silence this process for years.
    package init(after lastReading: Timestamp? = nil) { floor = lastReading }

    /// Judges a pair of readings; a good one is the measure for the next.
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
