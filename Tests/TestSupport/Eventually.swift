import Platform

/// Asks again and again until the condition holds; false where it does not in time.
package func eventually(_ limit: Duration = .seconds(20), _ condition: () throws -> Bool) rethrows -> Bool {
    let time = SystemTime()
    let deadline = time.monotonic() + limit
    let pause = Monitor(0)
    while true {
        if try condition() { return true }
        if time.monotonic() >= deadline { return false }
        _ = pause.wait(until: time.monotonic() + .milliseconds(5)) { _ in Never?.none }
    }
}
