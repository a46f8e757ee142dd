import TestSupport
import Testing

/// Waiting for something that another process does.
enum Waiting {
    /// Asks every few milliseconds until `condition` gives a value; records an issue and gives nil where it never does.
    static func value<Value>(
        for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Value?
    ) -> Value? {
        var value: Value?
        let isThere = eventually {
            value = condition()
            return value != nil
        }
        if !isThere { Issue.record("waited \(Waits.limit) for \(what)", sourceLocation: sourceLocation) }
        return value
    }

    /// The same for a condition that is true or not.
    static func until(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
    ) -> Bool {
        value(for: what, sourceLocation: sourceLocation) { condition() ? true : nil } ?? false
    }
}
