package import Platform

/// The limit of waits in tests.
///
/// No test may fail because a busy machine takes long. So the one limit is far beyond what anything takes beside other
/// work, and is reached only if something is broken. It limits every wait of a test. It is also the time-out of every
/// part of the program whose time-out a test does not test.
package enum Waits {
    package static let limit = Duration.seconds(300)

    /// The end of a wait that begins now.
    package static var end: MonotonicTime { SystemTime().monotonic() + limit }

    /// The limit in the form of a setting.
    package static let setting = "300s"
}

/// Checks the condition again and again until it holds. Returns false if it never does.
package func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let time = SystemTime()
    let end = Waits.end
    let pause = Monitor(())
    while true {
        if try condition() { return true }
        if time.monotonic() >= end { return false }
        _ = pause.wait(until: time.monotonic() + .milliseconds(5)) { _ in Never?.none }
    }
}
