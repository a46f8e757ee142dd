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
    let harness = StoreHarness()
    let owner = RowOwner.organization(id: "org_a", name: "A")

    private func session(_ duration_seconds: Double, owner: RowOwner? = nil, day: CivilDate? = nil) -> StoreRow {
        .session(
            SessionRow(
                owner: owner ?? self.owner, userID: 1, day: day ?? CivilDate(StoreHarness.now),
                duration_seconds: duration_seconds))
    }

    @Test func `rows arrive, lookups are answered, and reports come at the start`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let loop = harness.start()
        for _ in 0..<1_200 { loop.store(session(1)) }
        #expect(loop.lookUp(room: "room"))
        #expect(loop.lookUp(room: "unknown"))
        let known = try #require(harness.organization(of: "room"))
        #expect(try known.get().id == "org_r")
        #expect(harness.organization(of: "unknown") == .failure(.room_not_found))
        let reports = harness.waitForReports { $0.count >= 8 }
        #expect(reports.contains { if case .licenses(let all) = $0 { !all.isEmpty } else { false } })
        for window in [Report.Window.week, .month] {
            #expect(reports.contains { if case .activity(window, _) = $0 { true } else { false } })
        }
        for window in Report.Window.allCases {
            #expect(reports.contains { if case .recordings(window, _) = $0 { true } else { false } })
        }
        #expect(reports.contains { if case .presence = $0 { true } else { false } })
        #expect(reports.contains { if case .recent = $0 { true } else { false } })
        #expect(harness.stop(loop) == StoreThread.Stopped(rowsLeft: 0, isFinished: true))
        #expect(try harness.sessions() == 1_200)
        #expect(harness.metric("lkpush_database_rows_total", "written") == 1_200)
        #expect(harness.metric("lkpush_database_errors_total", "write") == 0)
    }

    @Test func `a lookup that is asked twice meanwhile is answered once`() throws {
        try harness.seed(room: "room", organization: "org_r")
        harness.gate.change { $0 = false }
        let loop = harness.start()
        for _ in 0..<5 { #expect(loop.lookUp(room: "room")) }
        #expect(loop.lookUp(room: "other"))
        harness.gate.change { $0 = true }
        _ = harness.organization(of: "other")
        #expect(harness.answers.withLock { $0.organizations.count } == 2)
        #expect(loop.lookUp(room: "room"))
        #expect(harness.waitForAnswers { $0.organizations.count == 3 })
        _ = harness.stop(loop)
    }

    @Test func `nobody waits for a database that does not answer`() {
        harness.gate.change { $0 = false }
        let loop = harness.start { $0.rowsWaiting = 1_000 }
        for _ in 0..<1_000 { loop.store(session(1)) }
        #expect(loop.rowsWaiting == 1_000)
        harness.gate.change { $0 = true }
        #expect(harness.stop(loop).rowsLeft == 0)
    }

    @Test func `a locked database delays rows and loses none`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let blocker = try Connection(path: harness.path)
        try blocker.begin(.immediate)
        let loop = harness.start()
        for _ in 0..<10 { loop.store(session(1)) }
        #expect(harness.waitForMetric("lkpush_database_errors_total", "write") { $0 >= 2 })
        #expect(loop.lookUp(room: "room"), "a reader is not blocked by a writer")
        #expect(try harness.organization(of: "room")?.get().id == "org_r")
        blocker.rollBack()
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 10 })
        #expect(harness.stop(loop).rowsLeft == 0)
        #expect(try harness.sessions() == 10)
    }

    @Test func `a database that is read-only answers, and takes the rows when it may be written`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let isReadOnly = Monitor(true)
        let path = harness.path
        let loop = harness.start(
            open: { () throws(StoreError) in
                try SQLiteDatabase(path: path, isReadOnly: isReadOnly.withLock { $0 })
            }, { _ in })
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_errors_total", "write") { $0 >= 2 })
        #expect(loop.lookUp(room: "room"))
        #expect(try harness.organization(of: "room")?.get().id == "org_r")
        isReadOnly.change { $0 = false }
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        _ = harness.stop(loop)
        #expect(try harness.sessions() == 1)
    }

    @Test func `a file that was removed is made again`() throws {
        let loop = harness.start()
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        // When every job has had its turn the thread is idle, and the next call is the write.
        let reports = harness.waitForReports { $0.count >= 8 }
        #expect(reports.count >= 8)
        // The database last: as soon as it is gone, a new one with new logs may be there.
        for suffix in ["-wal", "-shm", ""] { unlink(harness.path + suffix) }
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 2 })
        let errors = StoreOperation.allCases.compactMap {
            harness.metric("lkpush_database_errors_total", $0.rawValue)
        }
        #expect(errors.reduce(0, +) == 1)
        _ = harness.stop(loop)
        #expect(try harness.sessions() == 1)
    }

    @Test func `a database that cannot be opened yet is opened later`() throws {
        let loop = harness.start(path: harness.folder.file("later/office.db"))
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 2 })
        #expect(harness.metric("lkpush_database_up") == 0)
        try FileStore.makeDirectory(harness.folder.file("later"))
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        #expect(harness.metric("lkpush_database_up") == 1)
        _ = harness.stop(loop)
    }

    /// One error where it went, and one line where it was back, with how many rows were written.
    private func expectTold(_ times: Int, rows: Int? = nil) throws {
        let errors = try harness.log.lines("\"level\":\"error\"")
        #expect(errors.count == times && errors.allSatisfy { $0.contains("the database does not work: rows") })
        #expect(errors.allSatisfy { $0.contains("\"rows_waiting\":") && $0.contains("\"error\":") })
        let returns = try harness.log.lines("\"msg\":\"the database works again\"")
        #expect(returns.count == times && returns.allSatisfy { $0.contains("\"away_ms\":") })
        if let rows { #expect(returns.last?.contains("\"rows_written\":\(rows),") == true) }
    }

    @Test func `a database that is away at the start is told once, and its return once`() throws {
        let loop = harness.start(path: harness.folder.file("later/office.db"))
        for _ in 0..<700 { loop.store(session(1)) }
        #expect(harness.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 10 })
        #expect(try harness.log.lines("works again").isEmpty)
        try FileStore.makeDirectory(harness.folder.file("later"))
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 700 })
        _ = harness.stop(loop)
        try expectTold(1, rows: 700)
    }

    @Test func `one that nobody needs for a while is known to be back all the same`() throws {
        let loop = harness.start(path: harness.folder.file("later/office.db")) { $0.lookupPatience = .zero }
        #expect(loop.lookUp(room: "room"))
        #expect(harness.organization(of: "room") == .failure(.lookup_error))
        try FileStore.makeDirectory(harness.folder.file("later"))
        #expect(harness.waitFor { try !harness.log.lines("works again").isEmpty })
        _ = harness.stop(loop)
        try expectTold(1, rows: 0)
    }

    @Test func `statements that take too long are one trouble, not one of each`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let path = harness.path
        let hangs = Monitor(true)
        let loop = harness.start(
            open: { () throws(StoreError) in HangingDatabase(try SQLiteDatabase(path: path), hangs) }, { _ in })
        loop.store(session(1))
        #expect(loop.lookUp(room: "room"))
        for operation in ["write", "lookup", "licenses", "presence"] {
            #expect(harness.waitForMetric("lkpush_database_errors_total", operation) { $0 >= 2 })
        }
        hangs.change { $0 = false }
        #expect(harness.waitFor { try !harness.log.lines("works again").isEmpty })
        _ = harness.stop(loop)
        try expectTold(1, rows: 1)
    }

    @Test func `one that comes and goes again and again makes no flood, and all rows arrive`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let path = harness.path
        let opened = Monitor(0)
        let loop = harness.start(
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
        #expect(harness.waitFor { opened.withLock { $0 } >= 60 })
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 20 })
        _ = harness.stop(loop)
        let errors = try harness.log.lines("\"level\":\"error\"").count
        #expect(errors >= 1 && errors < 10, "\(errors) of some 30")
        #expect(try harness.log.lines("works again").count <= errors)
    }

    @Test func `lookups of a dead database fail, at once when it has been dead for a while`() {
        let loop = harness.start(path: "/nowhere/office.db") { $0.lookupPatience = .milliseconds(50) }
        #expect(loop.lookUp(room: "one"))
        #expect(harness.organization(of: "one") == .failure(.lookup_error))
        #expect(loop.lookUp(room: "two"))
        #expect(harness.organization(of: "two") == .failure(.lookup_error))
        _ = harness.stop(loop)
    }

    @Test func `lookups outlast a short trouble`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let loop = harness.start(path: harness.folder.file("later/office.db")) { $0.lookupPatience = .seconds(50) }
        #expect(loop.lookUp(room: "room"))
        #expect(harness.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 2 })
        #expect(rename(harness.folder.path + "/data", harness.folder.path + "/later") == 0)
        #expect(try harness.organization(of: "room")?.get().id == "org_r")
        _ = harness.stop(loop)
    }

    @Test func `a schema that does not fit is an error of migrate, and tried again`() throws {
        let database = try Connection(path: harness.path)
        try database.execute("CREATE TABLE rooms (x)")
        let loop = harness.start()
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_errors_total", "migrate") { $0 >= 2 })
        try database.execute("DROP TABLE rooms")
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 1 })
        _ = harness.stop(loop)
    }

    @Test func `when too many rows wait the oldest are given up and counted`() throws {
        let loop = harness.start(path: harness.folder.file("later/office.db")) {
            $0.rowsWaiting = 3
            $0.rowsInBatch = 1
        }
        // The first row is on its way; three may wait.
        loop.store(session(1))
        #expect(harness.waitForMetric("lkpush_database_errors_total", "open") { $0 >= 1 })
        for seconds in [2.0, 4, 8, 16, 32] { loop.store(session(seconds)) }
        #expect(loop.rowsWaiting <= 4)
        let givenUp = try #require(harness.metric("lkpush_database_rows_total", "given_up"))
        #expect(givenUp >= 2)
        try FileStore.makeDirectory(harness.folder.file("later"))
        #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 == 6 - givenUp })
        _ = harness.stop(loop)
    }

    @Test func `a stop leaves a dead database alone and says what is left`() {
        let loop = harness.start(path: "/nowhere/office.db") { $0.lookupPatience = .seconds(100) }
        for _ in 0..<5 { loop.store(session(1)) }
        #expect(loop.lookUp(room: "room"))
        let before = SystemTime().monotonic()
        #expect(harness.stop(loop) == StoreThread.Stopped(rowsLeft: 5, isFinished: true))
        #expect(SystemTime().monotonic().since(before) < Waits.limit, "it had more time, and did not use it")
        #expect(harness.organization(of: "room") == .failure(.lookup_error), "nobody is left waiting")
        #expect(harness.metric("lkpush_database_rows_total", "given_up") == 5)
    }

    @Test func `a stop ends in time though the database is locked`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let blocker = try Connection(path: harness.path)
        try blocker.begin(.immediate)
        let loop = harness.start()
        loop.store(session(1))
        #expect(harness.stop(loop, within: .milliseconds(300)) == StoreThread.Stopped(rowsLeft: 1, isFinished: true))
    }

    @Test func `each row has one result`() throws {
        try harness.seed(room: "room", organization: "org_r")
        let loop = harness.start()
        loop.store(session(1))
        loop.store(session(1, owner: .room(name: "room")))
        loop.store(session(1, owner: .room(name: "unknown")))
        loop.store(session(.nan))
        #expect(harness.stop(loop).rowsLeft == 0)
        #expect(harness.metric("lkpush_database_rows_total", "written") == 2)
        #expect(harness.metric("lkpush_database_rows_total", "room_not_found") == 1)
        #expect(harness.metric("lkpush_database_rows_total", "refused") == 1)
    }

    @Test(arguments: FailurePlan.Mode.allCases)
    func `every call may fail once and each row is applied once`(_ mode: FailurePlan.Mode) throws {
        for failsAt in 1...60 {
            let harness = StoreHarness()
            try harness.seed(room: "room", organization: "org_r")
            let plan = FailurePlan(failsAt: failsAt, mode)
            let path = harness.path
            let loop = harness.start(
                open: { () throws(StoreError) in
                    FailingDatabase(try SQLiteDatabase(path: path, busyTimeout: .seconds(5)), plan)
                }, { $0.rowsInBatch = 3 })
            for _ in 0..<7 { loop.store(session(1)) }
            loop.store(session(1, owner: .room(name: "room")))
            #expect(harness.waitForMetric("lkpush_database_rows_total", "written") { $0 >= 8 }, "call \(failsAt)")
            #expect(harness.stop(loop).rowsLeft == 0)
            #expect(try harness.sessions() == 8, "call \(failsAt)")
        }
    }

    @Test func `old activity of lkpush's own table is purged`() throws {
        try harness.seed(room: "room", organization: "org_r")
        try harness.seedActivity(ages: [90, 91])
        let loop = harness.start()
        #expect(harness.waitFor { try harness.sessions() == 1 })
        _ = harness.stop(loop)
    }

    @Test func `activity that was there before lkpush is kept unless a setting says otherwise`() throws {
        let database = try SQLiteDatabase(path: harness.path)
        try database.runScript(
            """
            CREATE TABLE participant_activity_metrics (user_id bigint, organization_id bigint, activity_date date,
                total_duration_seconds double precision, session_count bigint);
            INSERT INTO participant_activity_metrics VALUES (1, 1, '2020-01-01', 1, 1), (1, 1, '2026-09-20', 1, 1);
            """)
        database.close()
        let keeping = harness.start { $0.presenceRefresh = .milliseconds(1) }
        // The job that has waited longest is next: before the third presence the purge had its turn.
        let reports = harness.waitForReports { reports in
            reports.count { if case .presence = $0 { true } else { false } } >= 3
        }
        #expect(reports.count >= 10)
        #expect(harness.stop(keeping).isFinished)
        #expect(try harness.sessions() == 2)
        let setting = StoreHarness()
        #expect(rename(harness.path, setting.path) == 0)
        let purging = setting.start { $0.activityRetention = .seconds(30 * 86_400) }
        #expect(setting.waitFor { try setting.sessions() == 1 })
        _ = setting.stop(purging)
    }

    @Test func `reports come again at their interval`() {
        let loop = harness.start { $0.presenceRefresh = .milliseconds(5) }
        let reports = harness.waitForReports { reports in
            reports.count { if case .presence = $0 { true } else { false } } >= 5
        }
        #expect(reports.count { if case .licenses = $0 { true } else { false } } == 1)
        _ = harness.stop(loop)
    }
}
