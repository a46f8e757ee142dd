/// How many rooms the database is asked for at once: as many as it answers in a moment.
///
/// One query for many costs hardly more than one for one room, but where each is a query of its own, who waits for the
/// first should not have to wait for the last.
struct LookupBatch {
    /// The bounds, each with its reason.
    enum Limits {
        /// An array of some 40 kB; the default of the events that may wait.
        static let rooms = 1_000
        /// The first query of a process: of unknown speed, and each of them may be one of its own.
        static let first = 8
        /// Batches before rows get their turn: 10,000 rooms, or some seconds where lookups are slow.
        static let turns = 10
        /// Faster than this, and the next one may be larger; slower than the other, and it becomes smaller. Much less than
        /// the 10 s that events wait.
        static let fast = Duration.milliseconds(100)
        static let slow = Duration.milliseconds(400)
    }

    private(set) var size = Limits.first

    /// A batch of `count` rooms was answered, or given up.
    mutating func answered(_ count: Int, in duration: Duration) {
        if duration > Limits.slow {
            size = max(1, min(size, count) / 2)
        } else if duration < Limits.fast && count >= size {
            size = min(size * 2, Limits.rooms)
        }
    }
}
