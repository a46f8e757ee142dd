import Platform
import TestSupport
import Testing

/// Another client of a database, which holds a lock on some of its tables: whoever writes them waits.
final class TableLock {
    /// The tables of rows in an application's database.
    static let rows = ["participant_activity_metrics", "room_presence", "recordings"]
    /// The table of a log that every commit of a leader writes.
    static let commits = ["lkpush_journal_state"]

    private let server: PostgresServer
    private let database: String
    private let tables: [String]
    private let child: ChildProcess

    /// Takes the lock, and waits until it is held. The tables must exist.
    init(_ tables: [String], of database: String, on server: PostgresServer) throws {
        (self.tables, self.database, self.server) = (tables, database, server)
        child = try ChildProcess(
            "/usr/bin/psql",
            [
                "-X", "-q", "-c",
                """
                BEGIN; LOCK TABLE \(tables.joined(separator: ", ")) IN EXCLUSIVE MODE;
                SELECT pg_sleep(\(Waits.limit.components.seconds))
                """, server.url(database: database),
            ])
        let isHeld = try eventually { try !locks(Self.isHeld).isEmpty }
        try #require(isHeld, "the lock is not held")
    }

    /// True while somebody waits for the lock.
    func hasWaiters() throws -> Bool { try !locks("NOT granted").isEmpty }

    /// Ends the server's processes that wait for the lock. Their transactions are undone.
    func endWaiters() throws { try end(locks("NOT granted")) }

    /// A server does not notice in a sleep that its client has gone, so the server's process is ended.
    func release() throws {
        try end(locks(Self.isHeld))
        _ = child.end(with: 9)
    }

    private static let isHeld = "granted AND mode = 'ExclusiveLock'"

    /// Returns the server's process of each lock on the tables.
    private func locks(_ condition: String) throws -> [String] {
        let rows = try server.rows(
            """
            SELECT DISTINCT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = '\(database)')
            AND relation::regclass::text IN ('\(tables.joined(separator: "', '"))') AND \(condition)
            """, in: database)
        return rows.compactMap { $0.first.flatMap { $0 } }
    }

    private func end(_ processes: [String]) throws {
        for process in processes { _ = try server.query("SELECT pg_terminate_backend(\(process))") }
        let areGone = try eventually { try !locks("true").contains { processes.contains($0) } }
        #expect(areGone, "they still run: \(processes)")
    }
}
