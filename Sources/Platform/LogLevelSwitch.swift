import Synchronization

extension Log {
    /// The level of a log, which can be switched to debug and back while the program runs.
    final class LevelSwitch: Sendable {
        let configured: Level
        private let value: Atomic<Int>

        init(_ level: Level) {
            configured = level
            value = Atomic(level.rawValue)
        }

        /// The level in effect. It orders nothing: a line that is logged during a switch may have either level.
        var current: Level { Level(rawValue: value.load(ordering: .relaxed)) ?? configured }

        /// Changes from the configured level to debug, or back. Returns the level in effect.
        func toggle() -> Level {
            var before = value.load(ordering: .relaxed)
            while true {
                let next = before == Level.debug.rawValue ? configured : .debug
                let (isDone, found) = value.compareExchange(
                    expected: before, desired: next.rawValue, ordering: .relaxed)
                if isDone { return next }
                before = found
            }
        }
    }
}
