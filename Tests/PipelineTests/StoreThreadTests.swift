import Glibc
import Metrics
import Pipeline
import Platform
import SQLite
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

@Suite struct StoreThreadTests {
    let fixture = StoreFixture()
    let owner = RowOwner.organization(id: "org_a", name: "A")

    private func session(_ duration_seconds: Double, owner: RowOwner? = nil, day: CivilDate? = nil) -> StoreRow {
        .session(
            SessionRow(
                owner: owner ?? self.owner, userID: 1, day: day ?? CivilDate(StoreFixture.now),
                duration_seconds: duration_seconds))
    }

    private func usage(_ owner: RowOwner) -> StoreRow {
        .usage(
            UsageRow(
                owner: owner, day: CivilDate(StoreFixture.now), usage: "connection:standard", duration_ms: 1, count: 1))
    }

    @Test func `rows arrive, lookups are answered, and reports come at the start`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let loop = fixture.start()
        for _ in 0..<1_200 { loop.store(session(1)) }
        #expect(loop.lookUp(room: "room"))
        #expect(loop.lookUp(room: "unknown"))
        let known = try #require(fixture.organization(of: "room"))
        #expect(try known.get().id == "org_r")
        #expect(fixture.organization(of: "unknown") == .failure(.room_not_found))
        let reports = fixture.waitForReports { $0.count >= 11 }
        #expect(reports.contains { if case .licenses(let all) = $0 { !all.isEmpty } else { false } })
        for window in Report.Window.ofActivity {
            #expect(reports.contains { if case .activity(window, _) = $0 { true } else { false } })
        }
        for window in Report.Window.allCases {
            #expect(reports.contains { if case .recordings(window, _) = $0 { true } else { false } })
        }
        #expect(reports.contains { if case .presence = $0 { true } else { false } })
        #expect(reports.contains { if case .recent = $0 { true } else { false } })
        #expect(fixture.stop(loop) == StoreThread.Stopped(rowsLeft: 0, isFinished: true))
        #expect(try fixture.sessions() == 1_200)
        #expect(fixture.metric("lkpush_database_rows_total", "written") == 1_200)
        #expect(fixture.metric("lkpush_database_errors_total", "write") == 0)
    }

    @Test func `a lookup that is asked twice meanwhile is answered once`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        fixture.gate.change { $0 = false }
        let loop = fixture.start()
        for _ in 0..<5 { #expect(loop.lookUp(room: "room")) }
        #expect(loop.lookUp(room: "other"))
        fixture.gate.change { $0 = true }
        _ = fixture.organization(of: "other")
        #expect(fixture.answers.withLock { $0.organizations.count } == 2)
        #expect(loop.lookUp(room: "room"))
        #expect(fixture.waitForAnswers { $0.organizations.count == 3 })
        _ = fixture.stop(loop)
    }

    @Test func `nobody waits for a database that does not answer`() {
        fixture.gate.change { $0 = false }
        let loop = fixture.start { $0.rowsWaiting = 1_000 }
        for _ in 0..<1_000 { loop.store(session(1)) }
        #expect(loop.rowsWaiting == 1_000)
        fixture.gate.change { $0 = true }
        #expect(fixture.stop(loop).rowsLeft == 0)
    }

    @Test func `a locked database delays rows and loses none`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let blocker = try Connection(path: fixture.path)
        try blocker.begin(.immediate)
        let loop = fixture.start()
        for _ in 0..<10 { loop.store(session(1)) }
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "write") { $0 >= 2 })
        #expect(loop.lookUp(room: "room"), "a reader is not blocked by a writer")
        #expect(try fixture.organization(of: "room")?.get().id == "org_r")
        blocker.rollBack()
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 10 })
        #expect(fixture.stop(loop).rowsLeft == 0)
        #expect(try fixture.sessions() == 10)
    }

    @Test func `a database that is read-only answers, and takes the rows when it may be written`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let isReadOnly = Monitor(true)
        let path = fixture.path
        let loop = fixture.start(
            open: { () throws(StoreError) in
                try SQLiteDatabase(path: path, isReadOnly: isReadOnly.withLock { $0 })
            }, { _ in })
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "write") { $0 >= 2 })
        #expect(loop.lookUp(room: "room"))
        #expect(try fixture.organization(of: "room")?.get().id == "org_r")
        isReadOnly.change { $0 = false }
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        _ = fixture.stop(loop)
        #expect(try fixture.sessions() == 1)
    }

    @Test func `a file that was removed is made again`() throws {
        let loop = fixture.start()
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        // When every job has run, the thread is idle, and its next call is the write.
        let reports = fixture.waitForReports { $0.count >= 11 }
        #expect(reports.count >= 11)
        // The database goes last: as soon as it is gone, a new one with new logs may be there.
        for suffix in ["-wal", "-shm", ""] { unlink(fixture.path + suffix) }
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 2 })
        let errors = StoreOperation.allCases.compactMap {
            fixture.metric("lkpush_database_errors_total", $0.rawValue)
        }
        #expect(errors.reduce(0, +) == 1)
        _ = fixture.stop(loop)
        #expect(try fixture.sessions() == 1)
    }

    @Test func `a database that cannot be opened yet is opened later`() throws {
        let loop = fixture.start(path: fixture.folder.file("later/office.db"))
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 2 })
        #expect(fixture.metric("lkpush_database_up") == 0)
        try FileStore.makeDirectory(fixture.folder.file("later"))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        #expect(fixture.metric("lkpush_database_up") == 1)
        _ = fixture.stop(loop)
    }

    /// Expects one error for each time that the database went, and one line with the number of rows for each return.
    private func expectTold(_ times: Int, rows: Int? = nil) throws {
        let errors = try fixture.log.lines("\"level\":\"error\"")
        #expect(errors.count == times && errors.allSatisfy { $0.contains("the database does not work: rows") })
        #expect(errors.allSatisfy { $0.contains("\"rows_waiting\":") && $0.contains("\"error\":") })
        let returns = try fixture.log.lines("\"msg\":\"the database works again\"")
        #expect(returns.count == times && returns.allSatisfy { $0.contains("\"away_ms\":") })
        if let rows { #expect(returns.last?.contains("\"rows_written\":\(rows),") == true) }
    }

    @Test func `a database that is away at the start is told once, and its return once`() throws {
        let loop = fixture.start(path: fixture.folder.file("later/office.db"))
        for _ in 0..<700 { loop.store(session(1)) }
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 10 })
        #expect(try fixture.log.lines("works again").isEmpty)
        try FileStore.makeDirectory(fixture.folder.file("later"))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 700 })
        _ = fixture.stop(loop)
        try expectTold(1, rows: 700)
    }

    @Test func `one that nobody needs for a while is known to be back all the same`() throws {
        let loop = fixture.start(path: fixture.folder.file("later/office.db")) { $0.lookupPatience = .zero }
        #expect(loop.lookUp(room: "room"))
        #expect(fixture.organization(of: "room") == .failure(.lookup_error))
        try FileStore.makeDirectory(fixture.folder.file("later"))
        #expect(fixture.waitFor { try !fixture.log.lines("works again").isEmpty })
        _ = fixture.stop(loop)
        try expectTold(1, rows: 0)
    }

    @Test func `statements that take too long are one trouble, not one of each`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let path = fixture.path
        let hangs = Monitor(true)
        let loop = fixture.start(
            open: { () throws(StoreError) in HangingDatabase(try SQLiteDatabase(path: path), hangs) }, { _ in })
        loop.store(session(1))
        #expect(loop.lookUp(room: "room"))
        for operation in ["write", "lookup", "licenses", "presence"] {
            #expect(fixture.waitForMetric("lkpush_database_errors_total", operation) { $0 >= 2 })
        }
        hangs.change { $0 = false }
        #expect(fixture.waitFor { try !fixture.log.lines("works again").isEmpty })
        _ = fixture.stop(loop)
        try expectTold(1, rows: 1)
    }

    @Test func `one that comes and goes again and again makes no flood, and all rows arrive`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let path = fixture.path
        let opened = Monitor(0)
        let loop = fixture.start(
            open: { () throws(StoreError) in
                let number = opened.change { count -> Int in
                    count += 1
                    return count
                }
                if number % 2 == 1 && number < 60 {
                    throw StoreError(.connectionLost, operation: "connect", text: "connection refused")
                }
                let plan = FailurePlan(failsAt: number < 60 ? 25 : .max, .lostBefore)
                return FailingDatabase(try SQLiteDatabase(path: path, busyTimeout: .seconds(5)), plan)
            }, { $0.presenceRefresh = .milliseconds(1) })
        for _ in 0..<20 { loop.store(session(1)) }
        #expect(fixture.waitFor { opened.withLock { $0 } >= 60 })
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 20 })
        _ = fixture.stop(loop)
        let errors = try fixture.log.lines("\"level\":\"error\"").count
        #expect(errors >= 1 && errors < 10, "\(errors) of some 30")
        #expect(try fixture.log.lines("works again").count <= errors)
    }

    @Test func `lookups of a dead database fail, at once when it has been dead for a while`() {
        let loop = fixture.start(path: "/nowhere/office.db") { $0.lookupPatience = .milliseconds(50) }
        #expect(loop.lookUp(room: "one"))
        #expect(fixture.organization(of: "one") == .failure(.lookup_error))
        #expect(loop.lookUp(room: "two"))
        #expect(fixture.organization(of: "two") == .failure(.lookup_error))
        _ = fixture.stop(loop)
    }

    @Test func `lookups outlast a short trouble`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let loop = fixture.start(path: fixture.folder.file("later/office.db")) { $0.lookupPatience = .seconds(50) }
        #expect(loop.lookUp(room: "room"))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 2 })
        #expect(rename(fixture.folder.path + "/data", fixture.folder.path + "/later") == 0)
        #expect(try fixture.organization(of: "room")?.get().id == "org_r")
        _ = fixture.stop(loop)
    }

    @Test func `a schema that does not fit is an error of migrate, and tried again`() throws {
        let database = try Connection(path: fixture.path)
        try database.execute("CREATE TABLE rooms (x)")
        let loop = fixture.start()
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "migrate") { $0 >= 2 })
        try database.execute("DROP TABLE rooms")
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        _ = fixture.stop(loop)
    }

    @Test func `when too many rows wait the oldest are given up and counted`() throws {
        let loop = fixture.start(path: fixture.folder.file("later/office.db")) {
            $0.rowsWaiting = 3
            $0.rowsInBatch = 1
        }
        // The first row is in the batch, and three others may wait.
        loop.store(session(1))
        #expect(fixture.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 1 })
        for seconds in [2.0, 4, 8, 16, 32] { loop.store(session(seconds)) }
        #expect(loop.rowsWaiting <= 4)
        let givenUp = try #require(fixture.metric("lkpush_database_rows_total", "given_up"))
        #expect(givenUp >= 2)
        try FileStore.makeDirectory(fixture.folder.file("later"))
        #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 == 6 - givenUp })
        _ = fixture.stop(loop)
    }

    @Test func `a stop leaves a dead database alone and says what is left`() {
        let loop = fixture.start(path: "/nowhere/office.db") { $0.lookupPatience = .seconds(100) }
        for _ in 0..<5 { loop.store(session(1)) }
        #expect(loop.lookUp(room: "room"))
        let before = SystemTime().monotonic()
        #expect(fixture.stop(loop) == StoreThread.Stopped(rowsLeft: 5, isFinished: true))
        #expect(SystemTime().monotonic().since(before) < Waits.limit, "it had more time, and did not use it")
        #expect(fixture.organization(of: "room") == .failure(.lookup_error), "nobody is left waiting")
        #expect(fixture.metric("lkpush_database_rows_total", "given_up") == 5)
    }

    @Test func `a stop ends in time though the database is locked`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let blocker = try Connection(path: fixture.path)
        try blocker.begin(.immediate)
        let loop = fixture.start()
        loop.store(session(1))
        #expect(fixture.stop(loop, within: .milliseconds(300)) == StoreThread.Stopped(rowsLeft: 1, isFinished: true))
    }

    @Test func `each row has one result`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        let loop = fixture.start()
        loop.store(session(1))
        loop.store(session(1, owner: .room(name: "room")))
        loop.store(session(1, owner: .room(name: "unknown")))
        loop.store(session(.nan))
        #expect(fixture.stop(loop).rowsLeft == 0)
        #expect(fixture.metric("lkpush_database_rows_total", "written") == 2)
        #expect(fixture.metric("lkpush_database_rows_total", "room_not_found") == 1)
        #expect(fixture.metric("lkpush_database_rows_total", "refused") == 1)
    }

    @Test(arguments: FailurePlan.Mode.allCases)
    func `every call may fail once and each row is applied once`(_ mode: FailurePlan.Mode) throws {
        for failsAt in 1...60 {
            let fixture = StoreFixture()
            try fixture.seed(room: "room", organization: "org_r")
            let plan = FailurePlan(failsAt: failsAt, mode)
            let path = fixture.path
            let loop = fixture.start(
                open: { () throws(StoreError) in
                    FailingDatabase(try SQLiteDatabase(path: path, busyTimeout: .seconds(5)), plan)
                }, { $0.rowsInBatch = 3 })
            for _ in 0..<7 { loop.store(session(1)) }
            for owner in [owner, .room(name: "room")] { loop.store(usage(owner)) }
            loop.store(session(1, owner: .room(name: "room")))
            #expect(fixture.waitForMetric("lkpush_database_rows_total", "written") { $0 >= 10 }, "call \(failsAt)")
            #expect(fixture.stop(loop).rowsLeft == 0)
            #expect(try fixture.sessions() == 8, "call \(failsAt)")
            #expect(try fixture.usages() == 2, "call \(failsAt)")
        }
    }

    @Test func `old activity of lkpush's own table is purged`() throws {
        try fixture.seed(room: "room", organization: "org_r")
        try fixture.seedActivity(ages: [90, 91])
        let loop = fixture.start()
        #expect(fixture.waitFor { try fixture.sessions() == 1 })
        _ = fixture.stop(loop)
    }

    @Test func `activity that was there before lkpush is kept unless a setting says otherwise`() throws {
        let database = try SQLiteDatabase(path: fixture.path)
        try database.runScript(
            """
            CREATE TABLE participant_activity_metrics (user_id bigint, organization_id bigint, activity_date date,
                total_duration_seconds double precision, session_count bigint);
            INSERT INTO participant_activity_metrics VALUES (1, 1, '2020-01-01', 1, 1), (1, 1, '2026-09-20', 1, 1);
            """)
        database.close()
        let keeping = fixture.start { $0.presenceRefresh = .milliseconds(1) }
        // The job that has waited longest is next. So the purge has run before the third presence report.
        let reports = fixture.waitForReports { reports in
            reports.count { if case .presence = $0 { true } else { false } } >= 3
        }
        #expect(reports.count >= 11)
        #expect(fixture.stop(keeping).isFinished)
        #expect(try fixture.sessions() == 2)
        let setting = StoreFixture()
        #expect(rename(fixture.path, setting.path) == 0)
        let purging = setting.start {
            $0.activityRetention = .seconds(30 * 86_400)
            $0.isRetentionSet = true
        }
        #expect(setting.waitFor { try setting.sessions() == 1 })
        _ = setting.stop(purging)
    }

    @Test func `reports come again at their interval`() {
        let loop = fixture.start { $0.presenceRefresh = .milliseconds(5) }
        let reports = fixture.waitForReports { reports in
            reports.count { if case .presence = $0 { true } else { false } } >= 5
        }
        #expect(reports.count { if case .licenses = $0 { true } else { false } } == 1)
        _ = fixture.stop(loop)
    }
}
