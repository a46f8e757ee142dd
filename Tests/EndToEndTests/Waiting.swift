import TestSupport
import Testing

/// Waits for something that another process does.
enum Waiting {
    /// Asks every few milliseconds until `condition` returns a value. If it never does, records an issue and returns
    /// nil.
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

    /// The same for a condition that is true or false.
    static func until(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
    ) -> Bool {
        value(for: what, sourceLocation: sourceLocation) { condition() ? true : nil } ?? false
    }
}
