package import Platform
import Synchronization
package import Wire

/// The machine's clocks, with a wall clock that can be set. Time can also be made to pass at once.
package final class ShiftedTime: TimeSource {
    private let shift = Mutex(Duration.zero)
    private let elapsed = Mutex(Duration.zero)
    /// The time at which it began, if the wall clock stands still. Nil otherwise.
    private let standing: Timestamp?

    /// - Parameter isStanding: the wall clock moves only by `shift`, so that a test may take as long as it likes.
    package init(isStanding: Bool = false) { standing = isStanding ? SystemTime().now() : nil }

    /// Sets the wall clock, as a person or a time server does.
    package func shift(_ by: Duration) { shift.withLock { $0 += by } }

    /// Lets time pass: both clocks go ahead. Who waits for a moment notices at the next look at the clock.
    package func elapse(_ by: Duration) {
        elapsed.withLock { $0 += by }
        shift(by)
    }

    package func now() -> Timestamp { (standing ?? SystemTime().now()) + shift.withLock { $0 } }
    package func received() -> Timestamp { (standing ?? SystemTime().received()) + elapsed.withLock { $0 } }
    package func monotonic() -> MonotonicTime { SystemTime().monotonic() + elapsed.withLock { $0 } }
}
