import Platform
import Synchronization
import Wire

/// The machine's clocks, of which the one on the wall can be set.
final class ShiftedTime: TimeSource {
    private let shift = Mutex(Duration.zero)

    func shift(_ by: Duration) { shift.withLock { $0 += by } }
    func now() -> Timestamp { SystemTime().now() + shift.withLock { $0 } }
    func monotonic() -> MonotonicTime { SystemTime().monotonic() }
}
