import Glibc
import Pipeline
import Platform
import Postgres
import Storage
import StoragePostgres
import StorageSQLite
import TestSupport
import Testing
import Wire

/// What the store tells people about the database.
@Suite struct StoreConditionTests {
    let fixture = StoreFixture()

    private func condition(of loop: StoreFixture.Store) -> StoreCondition { loop.thread.inbox.condition }

    /// Has the database looked at when it is idle. No job comes due again: on a busy machine a test takes longer than the
    /// usual intervals, and the job would find the trouble before the look does.
    private static func isIdleSoon(_ settings: inout StoreSettings) {
        settings.idle = .milliseconds(50)
        let never = Duration.seconds(86_400)
        settings.licenseRefresh = never
        settings.activityRefresh = never
        settings.egressRefresh = never
        settings.presenceRefresh = never
        settings.purgeInterval = never
    }

    /// Waits until every job has run, so that nothing is asked of the database for minutes.
    ///
    /// - Parameter name: a word that no earlier call used.
    private func waitUntilIdle(_ loop: StoreFixture.Store, _ name: String = "room") {
        #expect(fixture.waitForReports { $0.count >= 8 }.count >= 8)
        // A job runs after at most `LookupBatch.Limits.turns` look-ups, and there are five jobs.
        for number in 1...50 {
            #expect(loop.lookUp(room: "\(name) \(number)"))
            #expect(fixture.organization(of: "\(name) \(number)") != nil)
        }
    }

    @Test func `a database that is away is named with its error and what to do, until it is back`() throws {
        let loop = fixture.start(path: fixture.folder.file("later/office.db"))
        #expect(fixture.waitFor { !condition(of: loop).isWorking })
        let away = condition(of: loop)
        #expect(!away.isConnected)
        #expect(away.failing == ["open"])
        #expect(away.error.contains("later/office.db"), "\(away.error)")
        #expect(away.advice?.action.contains("DATABASE_URL") == true)
        #expect(away.advice?.action.contains("lkpush check") == true)
        let since = try #require(away.since)
        #expect(since <= StoreFixture.now)
        let line = try #require(try fixture.log.lines("the database does not work: rows").first)
        #expect(line.contains(#""action":"\#(away.advice?.action ?? "?")""#), "\(line)")
        try FileStore.makeDirectory(fixture.folder.file("later"))
        #expect(fixture.waitFor { condition(of: loop).isWorking && condition(of: loop).isConnected })
        let back = condition(of: loop)
        #expect(back.error.isEmpty && back.since == nil && back.advice == nil)
        _ = fixture.stop(loop)
        #expect(!condition(of: loop).isConnected)
    }

    @Test func `an operation that fails alone is named beside a database that works`() throws {
        let hangs = Monitor(false)
        let path = fixture.path
        let loop = fixture.start(
            open: { () throws(StoreError) in HangingDatabase(try SQLiteDatabase(path: path), hangs) }
        ) { $0.lookupPatience = .zero }
        waitUntilIdle(loop)
        hangs.change { $0 = true }
        #expect(loop.lookUp(room: "room"))
        #expect(fixture.waitFor { condition(of: loop).failing.contains("lookup") })
        let failing = condition(of: loop)
        #expect(failing.error.contains("statement timeout"))
        hangs.change { $0 = false }
        // The room has its answer, so nobody asks for it again: the next success ends the trouble.
        #expect(loop.lookUp(room: "another"))
        #expect(fixture.waitFor { condition(of: loop).isWorking })
        _ = fixture.stop(loop)
    }

    @Test func `a file that goes while nobody needs it is noticed`() throws {
        let loop = fixture.start { Self.isIdleSoon(&$0) }
        waitUntilIdle(loop)
        for suffix in ["-wal", "-shm", ""] { unlink(fixture.path + suffix) }
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "open") { $0 == 1 })
        #expect(fixture.waitFor { condition(of: loop).isWorking && condition(of: loop).isConnected }, "made again")
        #expect(try fixture.log.lines("the database does not work: rows").count == 1)
        _ = fixture.stop(loop)
    }

    @Test func `a server that stops, or is silent, while nobody needs it is noticed`() throws {
        let server = try PostgresServer.shared()
        let database = try server.newDatabase()
        let proxy = try StallingProxy(to: server.port)
        let url = try PostgresURL(server.url(database: database, port: proxy.port))
        var settings = PostgresSettings()
        settings.connectTimeout = Waits.limit
        settings.statementTimeout = Waits.limit
        settings.pingTimeout = .seconds(3)
        let interruption = Interruption()
        let loop = fixture.start(
            open: { [settings] () throws(StoreError) in
                try PostgresDatabase(url, settings, interruption: interruption)
            }, interruption: interruption
        ) { Self.isIdleSoon(&$0) }
        waitUntilIdle(loop)
        #expect(fixture.waitFor { condition(of: loop).isConnected })
        proxy.change(to: .cut)
        #expect(fixture.waitFor { condition(of: loop).failing.contains("open") && !condition(of: loop).isConnected })
        proxy.change(to: .passing(delay: .zero))
        #expect(fixture.waitFor { condition(of: loop).isWorking && condition(of: loop).isConnected })
        #expect(fixture.waitFor { try !fixture.log.lines("works again").isEmpty })
        // A statement that is under way would wait for its own, long time-out.
        waitUntilIdle(loop, "later room")
        proxy.change(to: .stalled)
        #expect(fixture.waitFor { condition(of: loop).failing.contains("open") })
        #expect(condition(of: loop).error.contains("did not answer in time"), "\(condition(of: loop).error)")
        _ = fixture.stop(loop, within: .milliseconds(300))
    }
}
