import Platform
import TestSupport
import Testing

/// Another client of the application's database, which holds a lock on the tables of rows: whoever writes them waits.
final class ApplicationLock {
    private static let tables = ["participant_activity_metrics", "room_presence", "recordings"]

    private let application: ApplicationDatabase
    private let child: ChildProcess

    /// Takes the lock on a PostgreSQL, and waits until it is held. The tables must exist.
    init(_ application: ApplicationDatabase) throws {
        self.application = application
        child = try ChildProcess(
            "/usr/bin/psql",
            [
                "-X", "-q", "-c",
                """
                BEGIN; LOCK TABLE \(Self.tables.joined(separator: ", ")) IN EXCLUSIVE MODE;
                SELECT pg_sleep(\(Waits.limit.components.seconds))
                """, application.url,
            ])
        let isHeld = try eventually { try locks(Self.isHeld).count > 0 }
        try #require(isHeld, "the lock is not held")
    }

    /// True while somebody waits for the lock.
    func hasWaiters() throws -> Bool { try locks("NOT granted").count > 0 }

    /// A server does not notice in a sleep that its client has gone, so the server's process is ended.
    func release() throws {
        for process in try locks(Self.isHeld) { _ = try application.rows("SELECT pg_terminate_backend(\(process))") }
        _ = child.end(with: 9)
        let isFree = try eventually { try locks(Self.isHeld).isEmpty }
        #expect(isFree, "the lock is still held")
    }

    private static let isHeld = "granted AND mode = 'ExclusiveLock'"

    /// Returns the server's process of each lock on the tables.
    private func locks(_ condition: String) throws -> [String] {
        let rows = try application.rows(
            """
            SELECT DISTINCT pid FROM pg_locks
            WHERE relation::regclass::text IN ('\(Self.tables.joined(separator: "', '"))') AND \(condition)
            """)
        return rows.compactMap { $0.first.flatMap { $0 } }
    }
}
