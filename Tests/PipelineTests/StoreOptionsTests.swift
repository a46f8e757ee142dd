import Pipeline
import Platform
import Postgres
import Storage
import StoragePostgres
import StorageSQLite
import TestSupport
import Testing
import Wire

/// The store thread where a table that lkpush can do without is missing, comes, and goes.
@Suite struct StoreOptionsTests {
    private let fixture = StoreFixture()
    private let owner = RowOwner.organization(id: "org_a", name: "A")

    private func told(_ answers: StoreFixture.Answers) -> [Bool] {
        answers.reports.compactMap { if case .usageTable(let isUsable) = $0 { isUsable } else { nil } }
    }

    private func waitUntilTold(_ expected: [Bool]) -> Bool { fixture.waitForAnswers { told($0) == expected } }

    private func isWithheld() -> Double? { fixture.metric("lkpush_database_table_withheld", "lkpush_usage_daily") }

    private func usage(_ duration_ms: Int64) -> StoreRow {
        .usage(
            UsageRow(
                owner: owner, day: CivilDate(StoreFixture.now), usage: "connection:standard", duration_ms: duration_ms))
    }

    private func warnings() throws -> [String] {
        try fixture.log.lines("\"level\":\"warning\"").filter { $0.contains("lkpush_usage_daily cannot be used") }
    }

    @Test func `a table that fits is told once, and takes rows`() throws {
        let loop = fixture.start { $0.egressRefresh = .milliseconds(5) }
        for _ in 0..<10 { loop.store(usage(100)) }
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 10 })
        // It is looked at again and again, and told once.
        let reports = fixture.waitForReports { reports in
            reports.count { if case .recordings(.day, _) = $0 { true } else { false } } >= 3
        }
        #expect(reports.contains(.usageTable(isUsable: true)))
        #expect(told(fixture.answers.withLock { $0 }) == [true])
        #expect(isWithheld() == 0 && loop.thread.inbox.condition.withheldTables == [])
        #expect(fixture.stop(loop).rowsLeft == 0)
        #expect(try warnings().isEmpty)
        let database = try SQLiteDatabase(path: fixture.path)
        defer { database.close() }
        #expect(try database.rows("SELECT ROUND(seconds, 3) FROM lkpush_usage_daily", []).rows == [[.double(1)]])
    }

    @Test func `a table that does not fit is told once, costs no other row, and is used when it is mended`() throws {
        let database = try SQLiteDatabase(path: fixture.path)
        try database.runScript("CREATE TABLE lkpush_usage_daily (usage text)")
        let loop = fixture.start { $0.egressRefresh = .milliseconds(5) }
        #expect(waitUntilTold([false]))
        #expect(fixture.waitFor { isWithheld() == 1 })
        #expect(loop.thread.inbox.condition.withheldTables == ["lkpush_usage_daily"])
        loop.store(.absent(participantSID: "PA"))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        #expect(fixture.metric("lkpush_database_up") == 1)
        try database.runScript("DROP TABLE lkpush_usage_daily")
        database.close()
        #expect(waitUntilTold([false, true]))
        #expect(fixture.waitFor { isWithheld() == 0 })
        loop.store(usage(1))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 2 })
        #expect(fixture.stop(loop).rowsLeft == 0)
        let lines = try warnings()
        #expect(lines.count == 1 && lines[0].contains("lacks organization_id"), "\(lines)")
        #expect(try fixture.log.lines("a table that was withheld can be used now").count == 1)
    }

    @Test func `a right that is given, taken and given again is noticed without a restart`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let role = "store_of_\(name)"
        let made = ApplicationStore(try PostgresDatabase(try PostgresURL(server.url(database: name))))
        _ = try made.migrate(at: StoreFixture.now)
        made.close()
        try server.query(
            """
            CREATE ROLE \(role) LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role);
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(role); REVOKE ALL ON lkpush_usage_daily FROM \(role)
            """, in: name)
        let url = try PostgresURL(server.url(database: name, user: role))
        let loop = fixture.start(
            open: { () throws(StoreError) in try PostgresDatabase(url) }, { $0.egressRefresh = .milliseconds(5) })
        #expect(waitUntilTold([false]))
        try server.query("GRANT SELECT, INSERT, UPDATE ON lkpush_usage_daily TO \(role)", in: name)
        #expect(waitUntilTold([false, true]))
        loop.store(usage(1_500))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        try server.query("REVOKE UPDATE ON lkpush_usage_daily FROM \(role)", in: name)
        #expect(waitUntilTold([false, true, false]))
        // Rows that were made before wait, as for any right: none is lost.
        loop.store(usage(500))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "write") { $0 >= 1 })
        try server.query("GRANT UPDATE ON lkpush_usage_daily TO \(role)", in: name)
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 2 })
        #expect(waitUntilTold([false, true, false, true]))
        // Each opening of the database tells it anew.
        try server.terminateConnections(to: name)
        #expect(waitUntilTold([false, true, false, true, true]))
        #expect(fixture.stop(loop).rowsLeft == 0)
        #expect(try server.query("SELECT seconds FROM lkpush_usage_daily", in: name) == "2")
        #expect(try warnings().first?.contains("SELECT, INSERT, UPDATE on table lkpush_usage_daily (42501)") == true)
    }
}
