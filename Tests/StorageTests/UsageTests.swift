import StoragePostgres
import TestSupport
import Testing
import Wire

@testable import Storage

/// Rows of usage, and the report of a month that is made of them.
@Suite struct UsageTests {
    private let owner = RowOwner.organization(id: "org_a", name: "A")
    private let november = CalendarMonth(CivilDate(year: 2026, month: 11, day: 30))

    private func usage(
        _ owner: RowOwner, _ usage: String = "connection:standard", day: Int, month: Int = 11, _ duration_ms: Int64,
        count: Int64 = 0, billed: Int64 = 0
    ) -> StoreRow {
        .usage(
            UsageRow(
                owner: owner, day: CivilDate(year: 2026, month: month, day: day), usage: usage,
                duration_ms: duration_ms, count: count, billed_minutes: billed))
    }

    private func time(_ day: Int, month: Int = 11, hour: Int = 0) -> Timestamp {
        Timestamp(
            seconds: Int64(CivilDate(year: 2026, month: month, day: day).daysSinceEpoch) * 86_400 + Int64(hour) * 3_600)
    }

    // MARK: Rows

    @Test(arguments: Adapter.allCases)
    func `rows of a day and usage add up, also below zero, and no other row changes`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let rows = [
            usage(owner, day: 1, 90_001, count: 1, billed: 2), usage(owner, day: 1, 0, count: 1, billed: 1),
            usage(owner, day: 2, 1), usage(owner, "track:camera", day: 1, 5),
            usage(.organization(id: "org_b", name: "B"), day: 1, 7), usage(owner, day: 1, -100_000, count: -1),
        ]
        #expect(try store.write(rows, at: noon).written == 6)
        let found = try database.rows(
            """
            SELECT workos_org_id, usage, CAST(usage_date AS text), CAST(ROUND(seconds * 1000) AS bigint), count,
                billed_minutes
            FROM lkpush_usage_daily JOIN organizations ON id = organization_id
            ORDER BY workos_org_id, usage, usage_date
            """, [])
        #expect(
            found.rows == [
                [.text("org_a"), .text("connection:standard"), .text("2026-11-01"), .integer(-9_999), .integer(1)]
                    + [.integer(3)],
                [.text("org_a"), .text("connection:standard"), .text("2026-11-02"), .integer(1), .integer(0)]
                    + [.integer(0)],
                [.text("org_a"), .text("track:camera"), .text("2026-11-01"), .integer(5), .integer(0), .integer(0)],
                [.text("org_b"), .text("connection:standard"), .text("2026-11-01"), .integer(7), .integer(0)]
                    + [.integer(0)],
            ])
    }

    /// `StorePostgresTests` does the same with a server, where each of the many connections takes its time.
    @Test(arguments: FailurePlan.Mode.allCases)
    func `whatever call fails, a row of usage is added once`(_ mode: FailurePlan.Mode) throws {
        let scratch = try ScratchDatabase(.sqlite)
        let (whole, database) = try scratch.open()
        let rows = [usage(owner, day: 1, 60_000, count: 1, billed: 1), Row.session(owner), usage(owner, day: 1, 500)]
        var first: Int64 = 1
        for failsAt in 1... {
            let plan = FailurePlan(failsAt: failsAt, mode)
            // A process is killed, the next one has the same rows, with the same numbers.
            for _ in 0..<2 {
                do throws(StoreError) {
                    let store = ApplicationStore(FailingDatabase(try scratch.connect(), plan))
                    defer { store.close() }
                    _ = try store.migrate(at: noon)
                    _ = try store.write(rows, from: RowOrigin(journal: "j", firstSequence: first), at: noon)
                } catch {
                    #expect(plan.hasFailed)
                }
            }
            first += Int64(rows.count)
            if !plan.hasFailed { break }
            try #require(failsAt < 200)
        }
        let rounds = (first - 1) / 3
        let amount = try #require(try whole.usage(of: november).organizations.first?.uses.first?.amount)
        #expect(amount == .init(duration_ms: 60_500 * rounds, count: rounds, billed_minutes: rounds))
        #expect(rounds > 20)
        database.close()
    }

    @Test(arguments: ["bigint", "uuid", "text"])
    func `organizations of every type of key have usage`(_ type: String) throws {
        let scratch = try ScratchDatabase(.postgres)
        let database = try scratch.connect()
        try database.runScript(
            """
            CREATE TABLE organizations (id \(type) PRIMARY KEY, workos_org_id text, name text);
            CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id \(type));
            """)
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        let key = ["bigint": "7", "uuid": "0f0e0d0c-0b0a-4908-8706-050403020100", "text": "acme é"][type] ?? ""
        _ = try database.run("INSERT INTO organizations VALUES ('\(key)', 'org_7', 'Seven')", [])
        let owner = RowOwner.key(type == "bigint" ? .integer(7) : .text(key))
        #expect(try store.write([usage(owner, day: 3, 1_500), usage(owner, day: 4, 500)], at: noon).written == 2)
        let found = try store.usage(of: november).organizations
        #expect(found.map(\.id) == ["org_7"] && found.first?.key == key)
        #expect(found.first?.uses.map(\.amount.duration_ms) == [2_000])
    }

    @Test(arguments: Adapter.allCases)
    func `the purge of activity leaves usage alone`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        _ = try store.write(
            [Row.session(owner, day: CivilDate(year: 2026, month: 1, day: 1)), usage(owner, day: 1, month: 1, 5)],
            at: noon)
        #expect(try store.purge(before: today) == 1)
        let january = try #require(CalendarMonth("2026-01"))
        #expect(try store.usage(of: january).organizations.first?.uses.count == 1)
    }

    // MARK: The month

    @Test func `a month is read and written as invoices do`() {
        #expect(CalendarMonth("2026-11")?.title == "November 2026")
        #expect(CalendarMonth("2026-12")?.next.description == "2027-01")
        #expect(CalendarMonth("2026-01")?.previous.description == "2025-12")
        #expect(CalendarMonth("2024-02")?.dayAfter == CivilDate(year: 2024, month: 3, day: 1))
        for text in [
            "", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "1969-12", "9999-01", "２０２６-11",
        ] {
            #expect(CalendarMonth(text) == nil, "\(text)")
        }
    }

    @Test(arguments: Adapter.allCases)
    func `a month has its own days, recordings and people, to the last millisecond`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        let key = try database.add(organization: "org_a", minutes: 90.5)
        try database.add(organization: "org_z")
        let last = time(1, month: 12) - .milliseconds(1)
        _ = try store.write(
            [
                usage(.key(key), day: 31, month: 10, 1), usage(.key(key), day: 1, 10, count: 1, billed: 1),
                usage(.key(key), day: 30, 100, count: 2, billed: 3), usage(.key(key), day: 1, month: 12, 1_000),
                usage(.key(key), "agent:café", day: 2, 1), usage(.key(key), "agent:cafe\u{301}", day: 2, 2),
                Row.recording(.key(key), "1", endedAt: time(1) - .milliseconds(1), 1, size: 1),
                Row.recording(.key(key), "2", endedAt: time(1), 10.0005, size: 10),
                Row.recording(.key(key), "3", endedAt: last, 100, size: .max / 2),
                Row.recording(.key(key), "4", endedAt: last, nil, size: 0),
                Row.recording(.key(key), "5", status: "failed", endedAt: last, 10_000, size: 10_000),
                Row.recording(.key(key), "6", endedAt: time(1, month: 12), 100_000, size: 100_000),
                Row.session(.key(key), user: 1, day: CivilDate(time(1))), Row.session(.key(key), user: 1, day: today),
                Row.session(.key(key), user: 1, day: CivilDate(last)),
                Row.session(.key(key), user: 2, day: CivilDate(last)),
                Row.session(.key(key), user: 3, day: CivilDate(time(1, month: 12))),
                // An organization whose row is gone, and one without a public id.
                usage(.key(.integer(99)), day: 1, 5), usage(.key(try database.add(organization: nil)), day: 1, 6),
            ], at: noon)
        _ = try database.run("UPDATE recordings SET organization_id = NULL WHERE egress_id = '4'", [])
        let found = try store.usage(of: november)
        #expect(found.month == november && found.guardedTables.isEmpty)
        #expect(found.firstUsageDay == CivilDate(year: 2026, month: 10, day: 31))
        #expect(found.firstActivityDay == today)
        #expect(found.organizations.map(\.id) == ["key:3", "key:99", "org_a", "org_z"])
        let a = found.organizations[2]
        #expect(a.name == "Name" && a.key == "1" && a.recordingLimit_minutes == 90.5 && a.uniquePeople == 2)
        #expect(a.recordings == .init(count: 2, duration_ms: 110_001, size_bytes: .max / 2 + 10))
        #expect(Set(a.uses.map { ExactText($0.usage) }).count == 3, "names of other bytes are other names")
        #expect(
            a.uses.last == .init("connection:standard", .init(duration_ms: 110, count: 3, billed_minutes: 4)))
        #expect(found.organizations[3].isEmpty && found.organizations[3].recordingLimit_minutes == nil)
        let empty = try store.usage(of: try #require(CalendarMonth("2025-01")))
        #expect(empty.organizations.filter { !$0.isEmpty }.isEmpty)
    }

    @Test(arguments: Adapter.allCases)
    func `many small amounts lose nothing`(_ adapter: Adapter) throws {
        let (store, _) = try ScratchDatabase(adapter).open()
        // As of 300 people who are online all day, written every 5 minutes.
        let rows = (0..<300).map { usage(owner, day: 1 + $0 % 30, 86_399_999 + Int64($0)) }
        for _ in 0..<3 { _ = try store.write(rows, at: noon) }
        let sum = rows.indices.reduce(Int64(0)) { $0 + 86_399_999 + Int64($1) }
        #expect(try store.usage(of: november).organizations.first?.uses.first?.amount.duration_ms == 3 * sum)
    }

    // MARK: What is missing

    @Test(arguments: Adapter.allCases)
    func `tables that are missing are named`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let store = ApplicationStore(try scratch.connect())
        #expect(try store.usageReportObstacles().missingTables.count == 5)
        let (whole, database) = try scratch.open()
        #expect(try whole.usageReportObstacles().isEmpty)
        try database.runScript("DROP TABLE lkpush_usage_daily")
        #expect(try whole.usageReportObstacles().missingTables == ["lkpush_usage_daily"])
    }

    @Test func `a role that may read, on a server that can only be read, makes the report`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let role = "reporter_of_\(name)"
        let owned = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        _ = try owned.migrate(at: noon)
        _ = try owned.write([usage(owner, day: 1, 5)], at: noon)
        try server.query("CREATE ROLE \(role) LOGIN; GRANT SELECT ON org_licenses, recordings TO \(role)", in: name)
        func open() throws -> ApplicationStore {
            ApplicationStore(try PostgresSchemas.connect(server.url(database: name, user: role)))
        }
        let missing = try open().usageReportObstacles()
        #expect(
            missing.grants
                == ["lkpush_usage_daily", "organizations", "participant_activity_metrics"].map {
                    "GRANT SELECT ON \($0) TO \(role);"
                })
        for grant in missing.grants { try server.query(grant, in: name) }
        try server.query("ALTER DATABASE \(name) SET default_transaction_read_only = on")
        let store = try open()
        #expect(try store.usageReportObstacles().isEmpty)
        #expect(try store.usage(of: november).organizations.map(\.id) == ["org_a"])
        try server.query("ALTER DATABASE \(name) RESET default_transaction_read_only")
        try server.query("ALTER TABLE recordings ENABLE ROW LEVEL SECURITY", in: name)
        #expect(try store.usage(of: november).guardedTables == ["recordings"])
    }

    @Test(arguments: Adapter.allCases)
    func `the report is of one moment, and keeps nobody from writing`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let (writer, _) = try scratch.open()
        _ = try writer.write([usage(owner, day: 1, 5)], at: noon)
        let reader = try scratch.connect()
        try reader.begin(.read)
        let sum = "SELECT SUM(count) + SUM(seconds) FROM lkpush_usage_daily"
        let before = try reader.first(sum)
        #expect(try writer.write([usage(owner, day: 1, 5, count: 1)], at: noon).written == 1)
        #expect(try reader.first(sum) == before)
        reader.rollBack()
        #expect(try reader.first(sum) != before)
    }
}
