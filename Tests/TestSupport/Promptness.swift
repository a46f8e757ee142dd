package import Platform

/// Checks that something was done in time by the clock, such as an answer within 1 s.
///
/// Durations depend on what else the machine does, so the suite does not check them. It checks what the time limit is
/// for, such as which of two events came first. `Tests/Prompt/run` checks durations, on a machine that does nothing
/// else.
package enum Promptness {
    package static let isChecked = ProcessEnvironment.current["LKPUSH_PROMPT"] == "1"

    /// True if `took` is less than `limit`, or if durations are not checked.
    package static func holds(_ took: Duration, within limit: Duration) -> Bool { !isChecked || took < limit }

    /// The same for the duration of `body`.
    package static func holds(within limit: Duration, _ body: () throws -> Void) rethrows -> Bool {
        let start = SystemTime().monotonic()
        try body()
        return holds(since: start, within: limit)
    }

    /// The same for the time from `start` to now.
    package static func holds(since start: MonotonicTime, within limit: Duration) -> Bool {
        holds(SystemTime().monotonic().since(start), within: limit)
    }
}
