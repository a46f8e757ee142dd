import Platform
import Postgres
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// Several processes that hand the same rows over at the same moment, each with a connection of its own.
@Suite struct ConcurrentWriterTests {
    private static let owner = RowOwner.organization(id: "org_a", name: "A")

    private static func rows(_ count: Int64) -> [StoreRow] {
        (1...count).map { Row.session(owner, user: $0) }
    }

    private static func sessions(_ database: any Database) throws -> Int64? {
        try database.first("SELECT COALESCE(SUM(session_count), 0) FROM participant_activity_metrics")[0].asInteger
    }

    private static let history = StartHistory(starts: [ProcessStart(id: "a", after: 0)], knownSequence: 1_000)

    /// Threads that write the same rows in each round, when all of them are ready; returns what became of them.
    private func race(
        _ scratch: ScratchDatabase, threads count: Int, rounds: Int, rows: [StoreRow], _ history: StartHistory?,
        keepsPositions: Bool = true
    ) throws -> [WriteOutcome] {
        let ready = Monitor(0)
        let outcomes = Monitor<[Result<WriteOutcome, StoreError>]>([])
        let threads = (1...count).map { number in
            NamedThread(name: "writer \(number)") {
                do throws(StoreError) {
                    let store = ApplicationStore(try scratch.connect())
                    if keepsPositions { _ = try store.migrate(at: noon) }
                    for round in 1...rounds {
                        ready.change { $0 += 1 }
                        _ = ready.wait(until: Waits.end) { $0 >= round * count ? true : nil }
                        let origin = RowOrigin(
                            journal: "j\(round) \(keepsPositions)", firstSequence: 1, history: history)
                        let outcome = try store.write(rows, from: origin, at: noon)
                        outcomes.change { $0.append(.success(outcome)) }
                    }
                } catch {
                    ready.change { $0 += rounds }
                    outcomes.change { $0.append(.failure(error)) }
                }
            }
        }
        for thread in threads { thread.join() }
        return try outcomes.withLock { $0 }.map { try $0.get() }
    }

    @Test(arguments: Adapter.allCases, [nil, history])
    func `two processes that write the same 50 rows at once make 50`(_ adapter: Adapter, _ history: StartHistory?)
        throws
    {
        let scratch = try ScratchDatabase(adapter)
        let (store, database) = try scratch.open()
        _ = try store.write([Row.session(Self.owner)], at: noon)
        let rounds = 30
        // A role that may not use the table of positions writes without it.
        for keepsPositions in [true, false] {
            let before = try Self.sessions(database) ?? 0
            let outcomes = try race(
                scratch, threads: 2, rounds: rounds, rows: Self.rows(50), history, keepsPositions: keepsPositions)
            #expect(outcomes.count == rounds * 2)
            #expect(outcomes.allSatisfy { $0.written == 50 || $0.repeated == 50 })
            let made = try Self.sessions(database) ?? 0
            #expect(made - before == Int64(rounds * 50))
        }
    }

    @Test func `a row that the database refuses at the commit sets nobody back`() throws {
        let scratch = try ScratchDatabase(.postgres)
        let (store, database) = try scratch.open()
        _ = try store.write([Row.session(Self.owner)], at: noon)
        try database.runScript(
            """
            CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users SELECT * FROM generate_series(1, 19);
            ALTER TABLE participant_activity_metrics ADD FOREIGN KEY (user_id) REFERENCES users (id)
                DEFERRABLE INITIALLY DEFERRED
            """)
        let rounds = 10
        let outcomes = try race(scratch, threads: 3, rounds: rounds, rows: Self.rows(20), Self.history)
        #expect(outcomes.allSatisfy { $0.count == 20 && $0.refused <= 1 })
        #expect(outcomes.reduce(0) { $0 + $1.refused } == rounds)
        let made = try Self.sessions(database)
        #expect(made == Int64(1 + rounds * 19))
    }

    /// The first one has inserted the row of the journal, and has not committed; the others find no row to lock.
    @Test(arguments: [nil, history])
    func `processes that wait for the first row of a journal go on one after the other`(
        _ history: StartHistory?
    ) throws {
        // A database of its own: nobody else waits for a lock there.
        let server = try PostgresServer.shared()
        let url = try PostgresSchemas.postgresURL(server.url(database: server.newDatabase()))
        let first = try PostgresSchemas.connect(url.exposed)
        // Within a transaction the server always tells the same of its sessions.
        let observer = try PostgresSchemas.connect(url.exposed)
        let store = ApplicationStore(first)
        _ = try store.migrate(at: noon)
        _ = try store.write([Row.session(Self.owner)], at: noon)
        try first.begin(.write)
        _ = try first.run("INSERT INTO lkpush_outbox VALUES ('j1', 1, $1)", [.time(noon)])
        let ended = Monitor<[Result<WriteOutcome, StoreError>]>([])
        let count = 6
        let threads = (1...count).map { number in
            NamedThread(name: "writer \(number)") {
                var result: Result<WriteOutcome, StoreError>
                do throws(StoreError) {
                    let store = ApplicationStore(try PostgresDatabase(url, PostgresSchemas.patient))
                    _ = try store.migrate(at: noon)
                    let origin = RowOrigin(journal: "j1", firstSequence: 1, history: history)
                    result = .success(try store.write(Self.rows(50), from: origin, at: noon))
                } catch {
                    result = .failure(error)
                }
                ended.change { $0.append(result) }
            }
        }
        let areWaiting = try eventually {
            let waiting = try observer.first(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
                """)
            return waiting == [.integer(Int64(count))] || ended.withLock { !$0.isEmpty }
        }
        #expect(areWaiting)
        try first.commit()
        for thread in threads { thread.join() }
        let outcomes = try ended.withLock { $0 }.map { try $0.get() }
        #expect(outcomes.map(\.written).sorted() == [0, 0, 0, 0, 0, 49])
        let made = try Self.sessions(first)
        #expect(made == 50)
    }

    /// Round trips of a batch, as PostgreSQL has them: a pipeline is one.
    @Test(arguments: Adapter.allCases)
    func `a batch asks the database no more often for being safe`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let (store, database) = try scratch.open()
        _ = try store.write([Row.session(Self.owner)], at: noon)
        let plan = FailurePlan(failsAt: .max, .lostBefore)
        let counted = ApplicationStore(FailingDatabase(database, plan))
        _ = try counted.migrate(at: noon)
        var calls: [Int] = []
        for batch in 0..<3 {
            let before = plan.callCount
            let origin = RowOrigin(
                journal: "j", firstSequence: Int64(batch) * 50 + 1, history: Self.history)
            #expect(try counted.write(Self.rows(50), from: origin, at: noon).written == 50)
            calls.append(plan.callCount - before)
        }
        // Organizations, begin, the outbox's row, its position, all rows with both marks, commit; the first batch of a
        // journal makes the outbox's row.
        #expect(calls == [7, 6, 6])
    }
}
