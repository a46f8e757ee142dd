import Metrics

/// The usage counters that a tick changed, with their new totals.
///
/// Nobody sees a total before the inputs behind it are durable: a counter that was pushed must not be lower after a
/// restart. So the recorder does not set these counters itself. Its owner publishes the reading after the commit.
package struct UsageReading: Sendable {
    private var totals: [ObjectIdentifier: (counter: Counter, total: Double)] = [:]

    package init() {}

    package var isEmpty: Bool { totals.isEmpty }

    mutating func note(_ counter: Counter, total: Double) {
        totals[ObjectIdentifier(counter)] = (counter, total)
    }

    /// Takes over a later reading.
    package mutating func add(_ later: UsageReading) {
        totals.merge(later.totals) { _, later in later }
    }

    /// Sets the counters.
    package func publish() {
        for (counter, total) in totals.values { counter.set(total: total) }
    }
}
