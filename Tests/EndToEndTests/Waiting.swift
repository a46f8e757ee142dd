import Platform
import Testing

/// Waiting for something that another process does.
enum Waiting {
    /// Asks every few milliseconds until `condition` gives a value; records an issue and gives nil at the deadline.
    static func value<Value>(
        for what: String, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () -> Value?
    ) -> Value? {
        let time = SystemTime()
        let deadline = time.monotonic() + limit
        let pause = Monitor(())
        while true {
            if let value = condition() { return value }
            guard time.monotonic() < deadline else {
                Issue.record("waited \(limit) for \(what)", sourceLocation: sourceLocation)
                return nil
            }
            _ = pause.wait(until: time.monotonic() + .milliseconds(20)) { _ -> Bool? in nil }
        }
    }

    /// The same for a condition that is true or not.
    static func until(
        _ what: String, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () -> Bool
    ) -> Bool {
        value(for: what, within: limit, sourceLocation: sourceLocation) { condition() ? true : nil } ?? false
    }
}
