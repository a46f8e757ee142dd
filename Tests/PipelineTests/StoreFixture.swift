import Journal
import Metrics
import Pipeline
import Platform
import Storage
import StorageSQLite
import TestSupport
import Wire

/// A store thread with a database file, and everything that the thread says.
struct StoreFixture {
    struct Answers {
        var organizations: [(room: String, answer: Result<Organization, LookupError>)] = []
        var reports: [Report] = []
        var presence: [OpenPresence]?
    }

    /// A clock whose wall time is always 2026-09-28T12:00:00Z. Its monotonic time is real, because waits are.
    struct FixedWall: TimeSource {
        func now() -> Timestamp { StoreFixture.now }
        func monotonic() -> MonotonicTime { SystemTime().monotonic() }
    }

    static let now = Timestamp(seconds: 20_724 * 86_400 + 43_200)

    let folder = TemporaryFolder()
    let registry = Registry(maxSeries: 1_000)
    let answers = Monitor(Answers())
    let log = LogFile(.info)
    let clocks = ClockSkew()
    /// The database can be opened only while this is true.
    let gate = Monitor(true)
    let path: String

    init() {
        path = folder.file("data/office.db")
        try? FileStore.makeDirectory(folder.file("data"))
    }

    func start(path: String? = nil, _ change: (inout StoreSettings) -> Void = { _ in }) -> Store {
        let path = path ?? self.path
        return start(
            open: { () throws(StoreError) in
                _ = gate.wait(until: nil) { $0 ? true : nil }
                return try SQLiteDatabase(path: path, busyTimeout: .milliseconds(20))
            }, change)
    }

    func start(
        open: @escaping OpenDatabase, interruption: Interruption = Interruption(),
        _ change: (inout StoreSettings) -> Void
    ) -> Store {
        var settings = StoreSettings()
        settings.minBackoff = .milliseconds(2)
        settings.maxBackoff = .milliseconds(20)
        change(&settings)
        let inbox = StoreInbox(settings, registry: registry, log: log.log)
        let thread = StoreThread(
            inbox, settings: settings, open: open, clocks: clocks, log: log.log, time: FixedWall(),
            interruption: interruption
        ) { [answers] answer in
            answers.change { answers in
                switch answer {
                case .organization(let room, let result): answers.organizations.append((room, result))
                case .report(let report): answers.reports.append(report)
                case .presence(let people): answers.presence = people
                }
            }
        }
        return Store(thread)
    }

    func stop(_ store: Store, within time: Duration = Waits.limit) -> StoreThread.Stopped {
        store.thread.stop(by: SystemTime().monotonic() + time)
    }

    /// A store thread. The test stands in the place of the recorder and the journal.
    final class Store: Sendable {
        let thread: StoreThread
        private let lastNumber = Monitor<Int64>(0)

        init(_ thread: StoreThread) { self.thread = thread }

        /// Passes on a row with the number after the newest one.
        func store(_ row: StoreRow) {
            let number = lastNumber.change { number in
                number += 1
                return number
            }
            thread.inbox.store(Committed([NumberedRow(number: number, row: row)], by: .withoutJournal), onDisk: 0)
        }

        func lookUp(room: String) -> Bool { thread.inbox.lookUp(room: room) }

        var rowsWaiting: Int { thread.inbox.rowsWaiting }
    }

    // MARK: Waiting

    func waitForAnswers(_ condition: (Answers) -> Bool) -> Bool {
        answers.wait(until: Waits.end) { condition($0) ? true : nil } ?? false
    }

    /// Waits for the first answer for a room.
    func organization(of room: String) -> Result<Organization, LookupError>? {
        answers.wait(until: Waits.end) { answers in answers.organizations.first { $0.room == room }?.answer }
    }

    /// Waits until the reports meet the condition. Returns the reports that there are then.
    func waitForReports(_ condition: ([Report]) -> Bool) -> [Report] {
        _ = waitForAnswers { condition($0.reports) }
        return answers.withLock { $0.reports }
    }

    /// Checks the condition again and again, with a short pause between.
    func waitFor(_ condition: () throws -> Bool) -> Bool {
        // A database that is being made may not be readable yet.
        eventually { (try? condition()) ?? false }
    }

    func waitForMetric(_ name: String, _ label: String? = nil, _ condition: (Double) -> Bool) -> Bool {
        waitFor { metric(name, label).map(condition) ?? false }
    }

    func metric(_ name: String, _ label: String? = nil) -> Double? {
        registry.collect()
        let series = registry.snapshot().first { $0.family.name == name }?.series
        let found = series?.first { label == nil || $0.labelValues == [label] }
        switch found?.instrument {
        case .counter(let counter): return counter.value
        case .gauge(let gauge): return gauge.value
        case .histogram, nil: return nil
        }
    }

    // MARK: The database, seen from outside

    func seed(room: String, organization: String) throws {
        let database = try SQLiteDatabase(path: path)
        _ = try ApplicationStore(database).migrate(at: Self.now)
        _ = try database.run("INSERT INTO organizations (id, workos_org_id) VALUES (1, $1)", [.text(organization)])
        _ = try database.run("INSERT INTO rooms (id, organization_id) VALUES ($1, 1)", [.text(room)])
        database.close()
    }

    func seedActivity(ages: [Int]) throws {
        let database = try SQLiteDatabase(path: path)
        for age in ages {
            _ = try database.run(
                "INSERT INTO participant_activity_metrics VALUES (1, 1, $1, 1, 1)",
                [.day(CivilDate(Self.now).before(days: age))])
        }
        database.close()
    }

    /// The number of sessions in the table.
    func sessions() throws -> Int64? { try number("SELECT SUM(session_count) FROM participant_activity_metrics") }

    /// The number of uses in the table.
    func usages() throws -> Int64? { try number("SELECT SUM(count) FROM lkpush_usage_daily") }

    private func number(_ query: String) throws -> Int64? {
        let database = try SQLiteDatabase(path: path)
        defer { database.close() }
        return try database.rows(query, []).rows.first?.first?.asInteger
    }
}
