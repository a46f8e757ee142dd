package import Wire

/// How far a body's times lie from the office's own clock: whole seconds, so that every duration inside a body, and
/// its place in a second, stay what the office made them.
package struct TimeShift: Sendable, Equatable {
    package let seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    /// The shift that makes `time` fall into the second of `wall`.
    package init(of time: Timestamp, to wall: Timestamp) {
        seconds = Self.second(wall) - Self.second(time)
    }

    /// `time` as a body shows it.
    package func callAsFunction(_ time: Timestamp) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + seconds * 1_000)
    }

    func seconds(_ time: Timestamp) -> Int64 { Self.second(self(time)) }
    func milliseconds(_ time: Timestamp) -> Int64 { self(time).milliseconds }
    func nanoseconds(_ time: Timestamp?) -> Int64 { time.map { self($0).milliseconds * 1_000_000 } ?? 0 }

    /// The whole second in which `time` lies; the office's times are after 1970.
    static func second(_ time: Timestamp) -> Int64 { time.milliseconds / 1_000 }
}
