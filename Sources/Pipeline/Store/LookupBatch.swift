/// The number of rooms that the database is asked for at one time: as many as it answers in a moment.
///
/// One query for many rooms costs hardly more than one for a single room. But where each room is a query of its own,
/// the request for the first should not have to wait for the last.
struct LookupBatch {
    /// The bounds, each with its reason.
    enum Limits {
        /// The most rooms of a batch: an array of some 40 kB, and the default of the events that may wait.
        static let rooms = 1_000
        /// The first batch of a process. Its speed is unknown, and each room may be a query of its own.
        static let first = 8
        /// Batches before rows get their turn: 10,000 rooms, or some seconds where look-ups are slow.
        static let turns = 10
        /// After a batch faster than `fast` the next one may be larger; after one slower than `slow` it becomes
        /// smaller. Both are much less than the 10 s that events wait.
        static let fast = Duration.milliseconds(100)
        static let slow = Duration.milliseconds(400)
    }

    private(set) var size = Limits.first

    /// Notes that a batch of `count` rooms was answered, or failed, after `duration`.
    mutating func answered(_ count: Int, in duration: Duration) {
        if duration > Limits.slow {
            size = max(1, min(size, count) / 2)
        } else if duration < Limits.fast && count >= size {
            size = min(size * 2, Limits.rooms)
        }
    }
}
