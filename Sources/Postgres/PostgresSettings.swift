/// Time limits of the database connection, and bounds of what is kept.
package struct PostgresSettings: Sendable {
    package enum Limits {
        /// The most statements that are kept prepared. Each costs the server some kB. lkpush has about 30 texts.
        package static let preparedStatements = 200
        /// The number of characters of an SQL text that an error shows.
        package static let shownText = 60
        /// The most statements on their way at one time. Their answers must fit into the buffers between both sides.
        package static let pipeline = 1_000
        /// The most requests to end a statement at one time, each on its own thread. It is more than lkpush has
        /// connections, with room for some that hang because their server does.
        static let cancellations = 8
    }

    /// The time until a connection is usable, for each host of the URL.
    package var connectTimeout = Duration.seconds(5)
    /// The server's time limit for a statement. It is less than the 10 s that events wait for an organization.
    package var statementTimeout = Duration.seconds(8)
    /// The longest wait of a statement for a lock, such as a row lock of an application's transaction, or one of its
    /// DDL.
    package var lockTimeout = Duration.seconds(3)
    /// The time limit for a statement of a migration, such as an index over some million rows.
    package var migrationTimeout = Duration.seconds(600)
    /// The longest time that sent bytes may stay unconfirmed.
    package var peerTimeout = Duration.seconds(10)
    /// Of several hosts, one is taken that accepts writes, unless the URL says otherwise.
    package var writes = false
    /// lkpush gives a connection up this much later than the server's own time-out.
    package var grace = Duration.seconds(2)

    /// The longest wait for the answer to a ping, `grace` included. A server that hangs is noticed by it.
    package var pingTimeout = Duration.seconds(4)

    package init() {}
}
