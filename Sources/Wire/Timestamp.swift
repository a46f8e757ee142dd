/// A point in time in whole milliseconds since 1970-01-01T00:00:00Z, as both protocols write it.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch.
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package init(seconds: Int64) { self.milliseconds = seconds &* 1_000 }

    /// Seconds since the Unix epoch, with the milliseconds as a fraction.
    package var seconds: Double { Double(milliseconds) / 1_000 }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Returns the time `duration` later, rounded down to a millisecond.
    package static func + (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds &+ duration.milliseconds)
    }

    package static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds &- duration.milliseconds)
    }

    /// Returns the time between `earlier` and this; negative if this is before `earlier`.
    package func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(milliseconds &- earlier.milliseconds)
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000 &+ attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with their fraction.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
