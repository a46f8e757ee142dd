import Synchronization
import Wire

/// The time of the recorder's last input. Series that an input makes begin at that time, in a replay, too.
///
/// Relaxed: only the recorder writes and reads it.
final class RecorderClock: Sendable {
    private let milliseconds = Atomic<Int64>(.min)

    /// Nil before the first input.
    var now: Timestamp? {
        let now_ms = milliseconds.load(ordering: .relaxed)
        return now_ms == .min ? nil : Timestamp(milliseconds: now_ms)
    }

    func set(_ time: Timestamp) { milliseconds.store(time.milliseconds, ordering: .relaxed) }
}
