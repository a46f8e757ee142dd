package import Platform
import Synchronization
package import Wire

/// The machine's clocks, with a wall clock that can be set.
package final class ShiftedTime: TimeSource {
    private let shift = Mutex(Duration.zero)
    /// The time at which it began, if the wall clock stands still. Nil otherwise.
    private let standing: Timestamp?

    /// - Parameter isStanding: the wall clock moves only by `shift`, so that a test may take as long as it likes.
    package init(isStanding: Bool = false) { standing = isStanding ? SystemTime().now() : nil }

    package func shift(_ by: Duration) { shift.withLock { $0 += by } }
    package func now() -> Timestamp { (standing ?? SystemTime().now()) + shift.withLock { $0 } }
    package func monotonic() -> MonotonicTime { SystemTime().monotonic() }
}
