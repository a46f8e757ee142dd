package import Wire

/// Which moment of real time a moment of the office is: its day, faster.
///
/// A webhook is created when it is due, so the receiver sees it with the lag that it really has. All older times in its
/// body, such as when a participant joined, are moved by the same whole seconds: an hour in the office is an hour in
/// the payload, though it passed in a minute. Two bodies about the same participant may therefore differ in when it
/// joined, by the time that was skipped between them; every duration that a payload gives is the office's.
package struct Timeline: Sendable, Equatable {
    package let startedAt: Timestamp
    /// How many times faster than life.
    package let speed: Double

    package init(startedAt: Timestamp, speed: Double) {
        precondition(speed > 0, "time goes forward")
        self.startedAt = startedAt
        self.speed = speed
    }

    /// How long after the start a moment of the office is due.
    package func due(_ time: Timestamp) -> Duration {
        .milliseconds(Int64(Double(time.milliseconds - Office.epoch.milliseconds) / speed))
    }

    /// The moment of real time at which a moment of the office is due.
    package func moment(_ time: Timestamp) -> Timestamp { startedAt + due(time) }

    /// What moves the times of a body that speaks at `time`.
    package func shift(at time: Timestamp) -> TimeShift { TimeShift(of: time, on: self) }
}
