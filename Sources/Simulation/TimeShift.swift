package import Wire

/// The distance of a body's times from the office's own clock. It is in whole seconds, so that every duration inside a
/// body, and its place within a second, stay as the office made them.
package struct TimeShift: Sendable, Equatable {
    package let seconds: Int64
    /// Gives the time of an arrival; nil if arrivals are moved like all other times.
    private let timeline: Timeline?

    package init(seconds: Int64) {
        self.seconds = seconds
        timeline = nil
    }

    /// Makes the shift that moves `time` into the second in which it is due.
    init(of time: Timestamp, on timeline: Timeline) {
        seconds = Self.second(timeline.moment(time)) - Self.second(time)
        self.timeline = timeline
    }

    /// Returns `time` as a body shows it.
    package func callAsFunction(_ time: Timestamp) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + seconds * 1_000)
    }

    /// Returns the time at which somebody connected, as the event shows it. It keeps the order of arrivals to the
    /// millisecond, because of two participants with one identity the later one stays.
    func arrival(_ time: Timestamp) -> Timestamp { timeline.map { $0.moment(time) } ?? self(time) }

    func seconds(_ time: Timestamp) -> Int64 { Self.second(self(time)) }
    func milliseconds(_ time: Timestamp) -> Int64 { self(time).milliseconds }
    func nanoseconds(_ time: Timestamp?) -> Int64 { time.map { self($0).milliseconds * 1_000_000 } ?? 0 }

    /// Returns the whole second in which `time` lies. The office's times are after 1970.
    static func second(_ time: Timestamp) -> Int64 { time.milliseconds / 1_000 }
}
