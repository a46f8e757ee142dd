package import Platform

/// Whether something was done in time by the clock, such as an answer within 1 s.
///
/// How long a thing takes depends on what else the machine does, so the suite does not look: there a test checks what
/// the time means, such as which of two things came first. `Tests/Prompt/run` looks, on a machine that does nothing
/// else.
package enum Promptness {
    package static let isChecked = ProcessEnvironment.current["LKPUSH_PROMPT"] == "1"

    /// Whether `took` is less than `limit`, where anybody looks.
    package static func holds(_ took: Duration, within limit: Duration) -> Bool { !isChecked || took < limit }

    /// The same for what `body` does.
    package static func holds(within limit: Duration, _ body: () throws -> Void) rethrows -> Bool {
        let start = SystemTime().monotonic()
        try body()
        return holds(since: start, within: limit)
    }

    /// The same for what began at `start` and is done now.
    package static func holds(since start: MonotonicTime, within limit: Duration) -> Bool {
        holds(SystemTime().monotonic().since(start), within: limit)
    }
}
