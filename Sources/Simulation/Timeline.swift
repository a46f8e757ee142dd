package import Wire

/// Maps the time of the office to real time, which runs slower.
///
/// A webhook is created when it is due, so the receiver sees it with its real lag. All older times in its body, such as
/// the time at which a participant joined, are moved by the same whole seconds: an hour in the office is an hour in the
/// payload, though it passed in a minute. So two bodies may differ in the join time of one participant, by the time
/// that was skipped between them. Every duration that one payload gives is the office's.
package struct Timeline: Sendable, Equatable {
    package let startedAt: Timestamp
    /// The speed of the office relative to real time.
    package let speed: Double

    package init(startedAt: Timestamp, speed: Double) {
        precondition(speed > 0, "time goes forward")
        self.startedAt = startedAt
        self.speed = speed
    }

    /// Returns the time from the start until a moment of the office is due.
    package func due(_ time: Timestamp) -> Duration {
        .milliseconds(Int64(Double(time.milliseconds - Office.epoch.milliseconds) / speed))
    }

    /// Returns the moment of real time at which a moment of the office is due.
    package func moment(_ time: Timestamp) -> Timestamp { startedAt + due(time) }

    /// Returns the shift for the times of a body that is created at `time`.
    package func shift(at time: Timestamp) -> TimeShift { TimeShift(of: time, on: self) }
}
