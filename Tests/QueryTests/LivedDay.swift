import Exporter
import Glibc
import Metrics
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

/// The simulated day, lived through by the whole program in this process, with a real Prometheus as its receiver.
///
/// The program's clock is the day's. Every two minutes of the day all events so far are counted, and a reading of them
/// is in Prometheus. So Prometheus holds the day with its own times, and can be asked about any time of it.
final class LivedDay {
    /// A time at which Prometheus has exactly what happened before a minute of the day.
    struct Look {
        let minute: Int
        /// In seconds.
        let time: Double
    }

    static let step_minutes = 2
    /// The last events are 35 minutes after the last minute of the truth's gauges.
    static let minutes = 638

    let day: SimulatedDay
    let prometheus: PrometheusServer
    let database: OfficeDatabase
    private(set) var looks: [Look] = []
    /// When the program was stopped and started again, in seconds.
    private(set) var restart = 0.0

    // What runs only during the day.
    let time: DayTime
    let poster: WebhookPoster
    let archive: ScriptedReceiver
    let folder = TemporaryFolder()
    private let port = FixedPorts.pick()
    private var service: Service
    private var next = 0
    private var knownRooms: Set<String> = []
    /// The troubles of the day are no news in the output of the tests.
    private let log: Log

    init() throws {
        let file = open(folder.file("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        log = Log(level: .warning, format: .text, file: file)
        day = try SimulatedDay()
        prometheus = try PrometheusServer()
        archive = try ScriptedReceiver()
        time = DayTime(day.start - .seconds(10))
        poster = WebhookPoster(time)
        database = try OfficeDatabase(folder.file("office.db"), day.truth)
        service = try Self.service(folder, port, prometheus, archive, log, time)
        try start()
        for minute in stride(from: Self.step_minutes, through: Self.minutes, by: Self.step_minutes) {
            try live(until: minute)
        }
        _ = service.stop()
        archive.stop()
        log.end()
        close(file)
    }

    /// The time of the last look, in seconds: the end of the day.
    var end: Double { looks.last?.time ?? 0 }
    /// The first look, in seconds.
    var begin: Double { looks.first?.time ?? 0 }

    // MARK: The program

    private static func service(
        _ folder: TemporaryFolder, _ port: UInt16, _ prometheus: PrometheusServer, _ archive: ScriptedReceiver,
        _ log: Log, _ time: DayTime
    ) throws -> Service {
        var reader = SettingsReader([
            "LIVEKIT_API_KEY": WebhookPoster.key, "LIVEKIT_API_SECRET": WebhookPoster.secret,
            "LISTEN": "127.0.0.1:\(port)", "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": folder.file("state"),
            "SHUTDOWN_TIMEOUT": Waits.setting, "REGION": "eu", "ENVIRONMENT": "prod", "INSTANCE": "exporter-1",
            "DATABASE_URL": "sqlite:\(folder.file("office.db"))", "no_proxy": "127.0.0.1",
            "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "REMOTE_WRITE_DESTINATIONS": "archive",
            "REMOTE_WRITE_DESTINATION_ARCHIVE_URL": archive.url,
            // It reads every body, so it gets little.
            "REMOTE_WRITE_DESTINATION_ARCHIVE_INCLUDE": "lk_room*",
            // Intervals are real time: what happens every 15 s and every 5 min in life happens at each reading here.
            "PUSH_INTERVAL": "100ms", "ACTIVITY_REFRESH": "100ms", "EGRESS_REFRESH": "100ms",
            "PRESENCE_REFRESH": "100ms", "LICENSE_REFRESH": "500ms", "REMOTE_WRITE_TIMEOUT": "5s",
            "REMOTE_WRITE_MIN_BACKOFF": "10ms", "REMOTE_WRITE_MAX_BACKOFF": "200ms",
        ])
        let settings = Settings(&reader)
        try #require(reader.problems.isEmpty, "\(reader.problems)")
        return try Service(settings, log: log, time: time)
    }

    private func start() throws {
        try service.start()
        poster.connect(to: port)
    }

    /// Stops the program in order, and starts it again on what it left.
    func restartService(between: () throws -> Void) throws {
        _ = service.stop()
        restart = time.now().seconds
        time.advance(to: time.now() + .seconds(20))
        try between()
        service = try Self.service(folder, port, prometheus, archive, log, time)
        try start()
    }

    /// Reads the credentials again, as an operator has it done.
    func reload() { service.reload() }

    /// The sum of all series of a counter or a gauge of the program.
    func sum(_ family: String, _ labels: [String] = []) -> Double {
        service.registry.snapshot().first { $0.family.name == family }?.series.reduce(0) { sum, series in
            guard labels.isEmpty || labels == series.labelValues else { return sum }
            switch series.instrument {
            case .counter(let counter): return sum + counter.value
            case .gauge(let gauge): return sum + gauge.value
            case .histogram: return sum
            }
        } ?? 0
    }

    // MARK: The day

    private func live(until minute: Int) throws {
        let end = day.start + .seconds(60 * minute)
        try troubles(at: minute)
        while next < day.posts.count, day.posts[next].deliveredAt < end {
            try post(next, at: day.posts[next].deliveredAt)
        }
        try hurry(until: end)
        if minute % 20 == 0, minute != Trouble.restart.rawValue { try waitForReports(minute) }
        try look(minute, at: end)
    }

    /// Lets time pass as a running program sees it: the recorder is told the time at least every 10 s. Otherwise the
    /// time without webhooks would be gaps, in which usage stands still. Returns the time that the clock shows then.
    @discardableResult
    private func pass(until end: Timestamp) throws -> Timestamp {
        let step = Duration.seconds(10)
        // The recorder is told the time of now also while events wait for it, which would be minutes of the day on a busy
        // machine.
        if counted + step < end {
            try waitUntilCounted()
            counted = time.now()
        }
        while time.now() + step < end {
            time.advance(to: time.now() + step)
            try countUsage()
        }
        return time.advance(to: end)
    }

    /// Has the recorder count the usage up to now, and waits until it has handed that to the journal.
    private func countUsage() throws {
        service.recorderInbox.requestUsage()
        // The first answer may come before the usage is counted, the second comes after it.
        for _ in 0..<2 {
            let answered = Monitor(false)
            service.recorderInbox.ask { _ in answered.change { $0 = true } }
            let isAnswered = answered.wait(until: Waits.end) { $0 ? true : nil }
            try #require(isAnswered == true, "the recorder answers nothing")
        }
    }

    /// Waits until the usage up to now is published. A busy disk may take long.
    private func waitForUsage() throws {
        try countUsage()
        let commits = sum("lkpush_journal_commits_total", ["done"])
        // One commit may have begun before, and one is counted a moment before its usage is published. Every reading
        // makes one, and there is none while the clock stands still.
        let isCommitted = eventually {
            time.advance(to: time.now())
            return sum("lkpush_journal_commits_total", ["done"]) >= commits + 3
        }
        try #require(isCommitted, "the journal commits nothing")
    }

    /// The recorder has every event up to this time.
    private var counted = Timestamp(seconds: 0)
    private var early: Set<Int> = []

    private func post(_ index: Int, at moment: Timestamp) throws {
        defer { next = max(next, index + 1) }
        if early.remove(index) != nil { return }
        try deliver(day.posts[index], at: moment)
    }

    private func deliver(_ post: SimulatedDay.Post, at moment: Timestamp) throws {
        try pass(until: moment)
        try poster.post(post.body, isForged: post.isForged)
        // The answer to the first question about a room must not be overtaken by the clock.
        if knownRooms.insert(post.room).inserted { try waitUntilCounted() }
    }

    /// Delivers what happened before this time and would come a moment after it, so that the time is a clean cut.
    private func hurry(until end: Timestamp) throws {
        var index = next
        while index < day.posts.count, day.posts[index].deliveredAt < end + .seconds(30) {
            let post = day.posts[index]
            if post.isNew, post.createdAt < end, early.insert(index).inserted { try deliver(post, at: end) }
            index += 1
        }
    }

    /// Waits until the recorder has counted every webhook that was answered 200.
    func waitUntilCounted() throws {
        let wanted = Double(poster.accepted)
        var counted = 0.0
        let isCounted = eventually {
            counted = sum("lk_webhook_events_total") + sum("lk_webhook_duplicates_total")
            return counted >= wanted
        }
        try #require(isCounted, "\(counted) of \(wanted) webhooks were counted")
    }

    /// Waits until the reports of the database show what happened.
    private func waitForReports(_ minute: Int) throws {
        try waitUntilCounted()
        guard minute < day.truth.gauges_each_minute.count else { return }
        let wanted = day.truth.orgs.reduce(0) { $0 + day.truth.gauge($1, "participants:standard", minute: minute) }
        var found = 0.0
        let isShown = eventually {
            found = sum("lk_participants_connected")
            return found == wanted && sum("lkpush_database_rows_waiting") == 0
        }
        try #require(isShown, "minute \(minute): \(found) people are connected, and not \(wanted)")
    }

    /// Waits until Prometheus has a reading of now.
    private func look(_ minute: Int, at end: Timestamp) throws {
        try waitUntilCounted()
        try pass(until: end)
        try waitForUsage()
        let mark = time.advance(to: time.now())
        var sent = 0.0
        let isSent = eventually {
            sent = sum(
                "prometheus_remote_storage_queue_highest_sent_timestamp_seconds", ["lkpush", prometheus.writeURL])
            return sent > mark.seconds
        }
        try #require(isSent, "minute \(minute): no reading reached Prometheus")
        looks.append(Look(minute: minute, time: sent))
    }
}
