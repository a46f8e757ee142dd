import Platform
import Synchronization
import Wire

/// The clock of a simulated day. It is set forward again and again, and between two settings it runs for a moment.
///
/// Only the wall clock is the day's: what waits for an answer waits in real time. The clock must run, because no
/// reading is made at the time of the one before. It must not run far, because a busy machine would lead it past the
/// next event.
final class DayTime: TimeSource {
    /// How far the clock runs by itself.
    static let run = Duration.milliseconds(900)

    private struct Setting {
        var time: Timestamp
        var at: MonotonicTime

        func now(_ monotonic: MonotonicTime) -> Timestamp {
            time + min(max(.zero, monotonic.since(at)), DayTime.run)
        }
    }

    private let setting: Mutex<Setting>

    init(_ start: Timestamp) { setting = Mutex(Setting(time: start, at: SystemTime().monotonic())) }

    /// Sets the clock, but never back. Returns the time that it shows then.
    @discardableResult
    func advance(to time: Timestamp) -> Timestamp {
        let monotonic = SystemTime().monotonic()
        return setting.withLock { setting in
            setting = Setting(time: max(time, setting.now(monotonic)), at: monotonic)
            return setting.time
        }
    }

    func now() -> Timestamp {
        let monotonic = SystemTime().monotonic()
        return setting.withLock { $0.now(monotonic) }
    }

    func monotonic() -> MonotonicTime { SystemTime().monotonic() }
}
