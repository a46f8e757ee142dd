import Platform

/// A moment that a plan asks for, such as how long after a start a kill comes.
enum Pause {
    static func wait(_ duration: Duration) {
        let deadline = SystemTime().monotonic() + duration
        _ = Monitor(()).wait(until: deadline) { _ -> Bool? in nil }
    }
}
