package import Wire

/// How far a body's times lie from the office's own clock: whole seconds, so that every duration inside a body, and
/// its place in a second, stay what the office made them.
package struct TimeShift: Sendable, Equatable {
    package let seconds: Int64
    /// Says when an arrival is told; nil where it is moved like everything else.
    private let timeline: Timeline?

    package init(seconds: Int64) {
        self.seconds = seconds
        timeline = nil
    }

    /// The shift that makes `time` fall into the second in which it is due.
    init(of time: Timestamp, on timeline: Timeline) {
        seconds = Self.second(timeline.moment(time)) - Self.second(time)
        self.timeline = timeline
    }

    /// `time` as a body shows it.
    package func callAsFunction(_ time: Timestamp) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + seconds * 1_000)
    }

    /// When somebody connected, as the news of it shows it: in the order of the arrivals to the millisecond, since of
    /// two participants of one identity the later one stays.
    func arrival(_ time: Timestamp) -> Timestamp { timeline.map { $0.moment(time) } ?? self(time) }

    func seconds(_ time: Timestamp) -> Int64 { Self.second(self(time)) }
    func milliseconds(_ time: Timestamp) -> Int64 { self(time).milliseconds }
    func nanoseconds(_ time: Timestamp?) -> Int64 { time.map { self($0).milliseconds * 1_000_000 } ?? 0 }

    /// The whole second in which `time` lies; the office's times are after 1970.
    static func second(_ time: Timestamp) -> Int64 { time.milliseconds / 1_000 }
}
