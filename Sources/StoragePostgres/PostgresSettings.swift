/// How long the database may take, and how much is kept of it.
package struct PostgresSettings: Sendable {
    enum Limits {
        /// Statements that are kept prepared; each costs the server some kB. lkpush has about 30 texts.
        static let preparedStatements = 200
        /// Characters of an SQL text that an error shows.
        static let shownText = 60
        /// Statements on their way at one time: their answers must fit into the buffers between.
        static let pipeline = 1_000
        /// Requests to end a statement that are under way at one time, each on a thread: more than lkpush has connections,
        /// with room for some that hang because their server does.
        static let cancellations = 8
    }

    /// Until a connection is usable, for each host of the URL.
    package var connectTimeout = Duration.seconds(5)
    /// The longest that the server works on one statement: less than the 10 s that events wait for an organization.
    package var statementTimeout = Duration.seconds(8)
    /// The longest that a statement waits for a lock: the row of an application's transaction, or its DDL.
    package var lockTimeout = Duration.seconds(3)
    /// What a statement of a migration may take: an index over some million rows.
    package var migrationTimeout = Duration.seconds(600)
    /// How much later than the server's own time-out lkpush gives a connection up.
    package var grace = Duration.seconds(2)

    package init() {}
}
