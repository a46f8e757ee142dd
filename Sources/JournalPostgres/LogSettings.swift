import Platform

/// Time limits of the connections to a log. All are short: whoever waits longer holds up every replica.
package struct LogSettings: Sendable {
    package enum Limits {
        /// Parameters of a call from which on the call is large. Before a large one the server is asked to report, so
        /// that it notices a client that is silent in the middle of sending it.
        static let large_bytes = 4_096
        /// The bytes of rows that one query returns, apart from the last row.
        static let portion_bytes = 1 << 20
        /// The rows that one query returns, and that one statement writes.
        static let portion_rows = 1_000
        /// Groups below the base that one commit deletes, as the journal in SQLite does.
        static let truncatedGroups = 256
        /// The parts of a snapshot. A value of PostgreSQL may have 1 GB, but every copy of it in memory has that size.
        static let part_bytes = 1 << 20
        /// The snapshots that are kept.
        static let generations = 2
        /// The time for which the last number of a producer is kept after its last group was deleted. A group that was
        /// spilled is forwarded sooner, or its events are too old to matter.
        static let producer_days: Int64 = 7
        /// Attempts to make the tables where other replicas do the same.
        static let migrations = 20
    }

    /// The time until a connection is usable, for each host of the URL.
    package var connect = Duration.seconds(2)
    /// The server's time limit for a statement. It includes the wait for a synchronous standby.
    package var statement = Duration.seconds(3)
    /// The longest wait for a lock. A transaction that has one holds it for some milliseconds.
    package var lock = Duration.seconds(1)
    /// The longest silence inside a transaction. Then the server ends the connection, and with it its locks.
    package var idle = Duration.seconds(1)
    /// The longest time that sent bytes may stay unconfirmed.
    package var peer = Duration.seconds(5)
    /// The connection is given up this much later than the server's own time limit.
    package var grace = Duration.seconds(1)

    package init() {}
}
