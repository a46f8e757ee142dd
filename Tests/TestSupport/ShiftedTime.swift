package import Platform
import Synchronization
package import Wire

/// The machine's clocks, of which the one on the wall can be set.
package final class ShiftedTime: TimeSource {
    private let shift = Mutex(Duration.zero)
    /// When it began, where it moves only when it is told to.
    private let standing: Timestamp?

    /// - Parameter isStanding: time on the wall passes only by `shift`, so that a test may take as long as it likes.
    package init(isStanding: Bool = false) { standing = isStanding ? SystemTime().now() : nil }

    package func shift(_ by: Duration) { shift.withLock { $0 += by } }
    package func now() -> Timestamp { (standing ?? SystemTime().now()) + shift.withLock { $0 } }
    package func monotonic() -> MonotonicTime { SystemTime().monotonic() }
}
