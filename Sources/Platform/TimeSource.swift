import Glibc
package import Wire

/// A time on a clock that never goes back. Only the difference of two such times has a meaning.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary start.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        return MonotonicTime(nanoseconds: time.nanoseconds &+ seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }

    /// The time from `earlier` to this; negative if `earlier` is later.
    package func since(_ earlier: MonotonicTime) -> Duration { .nanoseconds(nanoseconds &- earlier.nanoseconds) }
}

/// A source of time: wall time for timestamps, monotonic time for waits.
package protocol TimeSource: Sendable {
    func now() -> Timestamp
    func monotonic() -> MonotonicTime
    /// The time of receipt of something that is received now. It begins with the wall time and passes as monotonic time
    /// does: it never goes back, and does not change where the wall clock is set.
    func received() -> Timestamp
}

extension TimeSource {
    /// For a wall clock that nobody sets.
    package func received() -> Timestamp { now() }
}

/// The clocks of this machine.
package struct SystemTime: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        let time = Self.read(CLOCK_REALTIME)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time since the machine started, with the time that it was suspended: a pause is as long as it was.
    /// https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    package func monotonic() -> MonotonicTime { Self.monotonic(CLOCK_BOOTTIME) }

    /// Costs as much as `monotonic()`.
    package func received() -> Timestamp {
        let (wall, begin) = Self.begin
        return wall + monotonic().since(begin)
    }

    /// The time on both clocks when this process first asked.
    private static let begin = (SystemTime().now(), SystemTime().monotonic())

    /// The same time on the clock that deadlines of the C library have, which stands still while the machine is
    /// suspended.
    static func deadline(_ time: MonotonicTime) -> timespec {
        let left = time.nanoseconds - monotonic(CLOCK_BOOTTIME).nanoseconds
        let nanoseconds = max(0, monotonic(CLOCK_MONOTONIC).nanoseconds + left)
        return timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }

    private static func monotonic(_ clock: clockid_t) -> MonotonicTime {
        let time = read(clock)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
