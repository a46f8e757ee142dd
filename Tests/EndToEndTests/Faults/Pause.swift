import Platform

/// A wait that a plan asks for, such as the time from a start to a kill.
enum Pause {
    static func wait(_ duration: Duration) {
        let deadline = SystemTime().monotonic() + duration
        _ = Monitor(()).wait(until: deadline) { _ -> Bool? in nil }
    }
}
