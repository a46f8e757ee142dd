import Platform
import TestSupport
import Testing

/// Another client of the application's database, which holds a lock on the tables of rows: whoever writes them waits.
final class ApplicationLock {
    private let application: ApplicationDatabase
    private let child: ChildProcess

    /// Takes the lock on a PostgreSQL, and waits until it is held. The tables must exist.
    init(_ application: ApplicationDatabase) throws {
        self.application = application
        // The connection ends with the process, and the lock with the connection.
        child = try ChildProcess(
            "/usr/bin/psql",
            [
                "-X", "-q", "-c",
                """
                BEGIN; LOCK TABLE participant_activity_metrics, room_presence, recordings IN EXCLUSIVE MODE;
                SELECT pg_sleep(\(Waits.limit.components.seconds))
                """, application.url,
            ])
        let isHeld = try eventually { try count("granted AND mode = 'ExclusiveLock'") > 0 }
        try #require(isHeld, "the lock is not held")
    }

    /// True while somebody waits for the lock.
    func hasWaiters() throws -> Bool { try count("NOT granted") > 0 }

    func release() { _ = child.end(with: 9) }

    private func count(_ condition: String) throws -> Int {
        let rows = try application.rows(
            """
            SELECT count(*) FROM pg_locks WHERE relation = 'participant_activity_metrics'::regclass AND \(condition)
            """)
        return rows.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
    }
}
