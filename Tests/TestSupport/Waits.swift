package import Platform

/// How long tests wait for what must happen.
///
/// A machine may be as busy as it likes: no test fails because something took long. So the one limit lies far beyond
/// what anything takes beside a crowd of other work, and is reached only where something is broken. It is the limit of
/// every wait of a test, and the time-out of every part of the program that is not itself what a test is about.
package enum Waits {
    package static let limit = Duration.seconds(300)

    /// The end of a wait that begins now.
    package static var end: MonotonicTime { SystemTime().monotonic() + limit }

    /// The limit as a setting of the program.
    package static let setting = "300s"
}

/// Asks again and again until the condition holds; false where it never does.
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
