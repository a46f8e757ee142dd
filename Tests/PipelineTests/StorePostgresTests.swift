import Exporter
import Pipeline
import Platform
import Postgres
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// The store thread with a real PostgreSQL in trouble: rows wait, and each of them arrives once.
@Suite struct StorePostgresTests {
    let fixture = StoreFixture()
    private let server: PostgresServer
    private let database: String
    private let owner = RowOwner.organization(id: "org_a", name: "A")

    init() throws {
        server = try PostgresServer.shared()
        database = try server.newDatabase()
        try server.query(
            """
            CREATE TABLE organizations (id bigserial PRIMARY KEY, workos_org_id text UNIQUE, name text);
            CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id bigint);
            INSERT INTO organizations (workos_org_id, name) VALUES ('org_r', 'R');
            INSERT INTO rooms VALUES ('\(Self.room)', 1);
            GRANT ALL ON organizations, rooms, organizations_id_seq TO office
            """, in: database)
    }

    private static let room = "0f0e0d0c-0b0a-4908-8706-050403020100"

    private func open(_ text: String, timeout: Duration = Waits.limit) throws -> OpenDatabase {
        let url = try PostgresURL(text)
        var settings = PostgresSettings()
        settings.connectTimeout = timeout
        settings.statementTimeout = timeout
        settings.lockTimeout = .milliseconds(200)
        settings.grace = .milliseconds(50)
        return { [settings] () throws(StoreError) in try PostgresDatabase(url, settings) }
    }

    private func session(_ user: Int) -> StoreRow {
        .session(
            SessionRow(owner: owner, userID: Int64(user), day: CivilDate(StoreFixture.now), duration_seconds: 1))
    }

    private func usage() -> StoreRow {
        .usage(
            UsageRow(
                owner: owner, day: CivilDate(StoreFixture.now), usage: "connection:standard", duration_ms: 1_000,
                count: 1))
    }

    private func written(_ count: Double) -> Bool {
        fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 >= count }
    }

    private func failed(_ operation: String, _ count: Double = 1) -> Bool {
        fixture.waitForMetric("lkpush_database_errors_total", operation) { $0 >= count }
    }

    /// Expects `count` sessions of as many users, as there are where every row arrived once.
    private func expectOnce(_ count: Int, _ place: PostgresServer? = nil, _ name: String? = nil) throws {
        let found = try (place ?? server).query(
            "SELECT SUM(session_count), COUNT(*) FROM participant_activity_metrics", in: name ?? database)
        #expect(found == "\(count)|\(count)")
    }

    /// Expects the usage of `count` rows in one row of the table.
    private func expectUsage(_ count: Int) throws {
        #expect(try server.query("SELECT seconds, count FROM lkpush_usage_daily", in: database) == "\(count)|\(count)")
    }

    @Test func `the difference of the clocks comes with the reports`() throws {
        let before = SystemTime().now()
        let loop = fixture.start(open: try open(server.url(database: database))) { _ in }
        var found: Duration?
        let isMeasured = fixture.waitFor {
            found = fixture.clocks.difference(from: .database, at: SystemTime().monotonic())
            return found != nil
        }
        #expect(isMeasured)
        let after = SystemTime().now()
        let difference = try #require(found)
        // The clock of the store stands still, and the server's is that of this machine.
        #expect(difference >= StoreFixture.now.since(after) - .milliseconds(2))
        #expect(difference <= StoreFixture.now.since(before) + .milliseconds(2))
        _ = fixture.stop(loop)
    }

    @Test func `a server that refuses, stops and starts delays rows and loses none`() throws {
        let own = try PostgresServer(isSynced: true)
        let name = try own.newDatabase()
        try own.stop()
        let loop = fixture.start(open: try open(own.url(database: name))) { $0.rowsInBatch = 10 }
        for user in 0..<50 { loop.store(session(user)) }
        #expect(failed("open", 2))
        #expect(fixture.metric("lkpush_database_up") == 0)
        try own.start()
        #expect(written(50))
        // The return must be told first: a database that goes before that has not returned.
        #expect(fixture.waitFor { try fixture.log.lines("works again").count == 1 })
        try own.stop()
        for user in 50..<100 { loop.store(session(user)) }
        #expect(failed("open", 3))
        #expect(loop.rowsWaiting >= 50)
        try own.start()
        #expect(written(100))
        #expect(fixture.stop(loop) == StoreThread.Stopped(rowsLeft: 0, isFinished: true))
        try expectOnce(100, own, name)
        // The database was away twice and returned twice. The log has the reasons, and nothing between.
        let errors = try fixture.log.lines("\"level\":\"error\"")
        #expect(errors.count == 2 && errors.allSatisfy { $0.contains("the database does not work: rows") }, "\(errors)")
        let returns = try fixture.log.lines("\"msg\":\"the database works again\"")
        #expect(returns.count == 2 && returns.allSatisfy { $0.contains("\"rows_written\":50,") }, "\(returns)")
    }

    @Test func `connections that are ended again and again, in transactions too, cost no row`() throws {
        let loop = fixture.start(open: try open(server.url(database: database))) { $0.rowsInBatch = 3 }
        for user in 0..<600 {
            loop.store(session(user))
            loop.store(usage())
            if user % 100 == 50 { try server.terminateConnections(to: database) }
        }
        #expect(written(1_200))
        #expect(fixture.stop(loop).rowsLeft == 0)
        try expectOnce(600)
        try expectUsage(600)
    }

    @Test func `a connection that ends in the middle of a transaction leaves nothing of it`() throws {
        let loop = fixture.start(open: try open(server.url(database: database))) { $0.rowsInBatch = 100 }
        loop.store(session(0))
        #expect(written(1))
        // The rows of the next batch wait for this lock, with their transaction open.
        let blocker = try open(server.url(database: database))()
        try blocker.begin(.write)
        _ = try blocker.run("UPDATE participant_activity_metrics SET session_count = session_count", [])
        for user in [1, 2, 0, 3] { loop.store(session(user)) }
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '\(database)'"
        #expect(try eventually { try server.query(waiting) != "0" })
        try server.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                + " AND datname = '\(database)'")
        #expect(failed("write"))
        blocker.rollBack()
        blocker.close()
        #expect(written(5))
        #expect(fixture.stop(loop).rowsLeft == 0)
        #expect(
            try server.query("SELECT SUM(session_count), COUNT(*) FROM participant_activity_metrics", in: database)
                == "5|4")
    }

    @Test func `a network that hangs delays rows, and lookups say so in time`() throws {
        let proxy = try StallingProxy(to: server.port)
        let url = server.url(database: database, port: proxy.port)
        let loop = fixture.start(open: try open(url, timeout: .seconds(2))) {
            $0.lookupPatience = .seconds(1)
        }
        loop.store(session(0))
        #expect(written(1))
        #expect(loop.lookUp(room: Self.room))
        #expect(try fixture.organization(of: Self.room)?.get().id == "org_r")
        proxy.change(to: .stalled)
        for user in 1..<50 { loop.store(session(user)) }
        // Rows or background work may notice it first. Either way the connection is closed.
        #expect(failed("open"))
        #expect(loop.lookUp(room: "another"))
        #expect(fixture.organization(of: "another") == .failure(.lookup_error))
        #expect(failed("open", 2))
        proxy.change(to: .passing(delay: .milliseconds(1)))
        #expect(written(50))
        #expect(fixture.stop(loop).rowsLeft == 0)
        try expectOnce(50)
    }

    @Test func `a server that may only be read answers, and takes the rows later`() throws {
        let loop = fixture.start(open: try open(server.url(database: database)), { _ in })
        loop.store(session(0))
        #expect(written(1))
        try server.query("ALTER DATABASE \(database) SET default_transaction_read_only = on")
        try server.terminateConnections(to: database)
        for user in 1..<10 { loop.store(session(user)) }
        #expect(failed("write", 2))
        #expect(loop.lookUp(room: Self.room))
        #expect(try fixture.organization(of: Self.room)?.get().id == "org_r")
        try server.query("ALTER DATABASE \(database) RESET default_transaction_read_only")
        #expect(written(10))
        #expect(fixture.stop(loop).rowsLeft == 0)
        try expectOnce(10)
    }

    @Test func `a server without a free connection is tried again`() throws {
        try server.query("ALTER DATABASE \(database) CONNECTION LIMIT 1")
        let other = try open(server.url(database: database))()
        let loop = fixture.start(open: try open(server.url(database: database)), { _ in })
        loop.store(session(0))
        #expect(failed("open", 2))
        other.close()
        #expect(written(1))
        #expect(fixture.stop(loop).rowsLeft == 0)
        try expectOnce(1)
    }

    @Test func `a stop does not wait for a server that hangs`() throws {
        let proxy = try StallingProxy(to: server.port)
        let interruption = Interruption()
        let location = try StoreDriver.location(
            of: server.url(database: database, port: proxy.port), interruption: interruption)
        let loop = fixture.start(open: location.open, interruption: interruption, { _ in })
        loop.store(session(0))
        #expect(written(1))
        proxy.change(to: .stalled)
        loop.store(session(1))
        let stopped = fixture.stop(loop, within: .milliseconds(300))
        #expect(stopped == StoreThread.Stopped(rowsLeft: 1, isFinished: true))
    }

    @Test func `the URL is read again from its file for each connection`() throws {
        let file = fixture.folder.file("url")
        func write(_ url: String) throws { try FileStore.replace(file, with: Array((url + "\n").utf8)) }
        try write("postgresql://guarded:wrong@127.0.0.1:\(server.port)/\(database)")
        var reader = SettingsReader(
            ["LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s", "DATABASE_URL_FILE": file])
        let settings = Settings(&reader)
        #expect(reader.problems.isEmpty)
        let loop = fixture.start(open: try StoreDriver.open(settings), { _ in })
        loop.store(session(0))
        #expect(failed("open"))
        try write("")
        #expect(failed("open", (fixture.metric("lkpush_database_errors_total", "open") ?? 0) + 2))
        try write(server.url(database: database))
        #expect(written(1))
        #expect(fixture.stop(loop).rowsLeft == 0)
        try expectOnce(1)
    }

    @Test(arguments: FailurePlan.Mode.allCases)
    func `every call may fail once and each row is applied once`(_ mode: FailurePlan.Mode) throws {
        let open = try open(server.url(database: database))
        var total = 0
        for failsAt in 1...45 {
            let fixture = StoreFixture()
            let plan = FailurePlan(failsAt: failsAt, mode)
            let loop = fixture.start(
                open: { () throws(StoreError) in FailingDatabase(try open(), plan) }, { $0.rowsInBatch = 3 })
            for _ in 0..<4 {
                loop.store(session(total))
                loop.store(usage())
                total += 1
            }
            #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 >= 8 }, "call \(failsAt)")
            #expect(fixture.stop(loop).rowsLeft == 0)
        }
        try expectOnce(total)
        try expectUsage(total)
    }
}
