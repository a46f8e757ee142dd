import Glibc
import HTTPClient
import Metrics
import Pipeline
import Platform
import Reconciliation
import Shipper
import Status
import Synchronization
import Wire

/// Puts the status document together from what the parts tell. History and problems are the board's.
///
/// A new capability that has a status adds its section here.
struct StatusSource: Sendable {
    private let plan: Plan
    private let settings: Settings
    private let rows: [SettingsReader.Row]
    private let log: Log
    private let running: RunningParts
    private let reconciliation: @Sendable () -> ReconciliationStatus?

    /// - Parameters:
    ///   - rows: the table of settings.
    ///   - reconciliation: tells of the comparison with LiveKit's API, instead of the part that runs.
    init(
        _ plan: Plan, _ settings: Settings, rows: [SettingsReader.Row], running: RunningParts, log: Log,
        reconciliation: (@Sendable () -> ReconciliationStatus?)? = nil
    ) {
        self.plan = plan
        self.settings = settings
        self.rows = rows
        self.running = running
        self.log = log
        self.reconciliation = reconciliation ?? { running.tenure?.poller?.status }
    }

    func metrics() -> MetricReading { MetricReading(plan.registry) }

    /// - Parameter monotonic: the same time, by the clock that ages are measured with.
    func document(_ metrics: MetricReading, at now: Timestamp, _ monotonic: MonotonicTime) -> StatusDocument {
        var document = StatusDocument()
        document.now = now
        document.program = program(metrics)
        document.health.obstacles = plan.readiness.obstacles
        document.health.isReady = document.health.obstacles.isEmpty
        document.intake = intake(metrics)
        document.journal = journal(metrics)
        document.recorder = recorder(metrics)
        document.usage = usage(metrics)
        document.database = database(metrics)
        document.destinations = destinations
        document.replicas = plan.replica?.status(running, at: monotonic)
        document.replicas?.spillLost = metrics.count(.spillLost)
        document.reconciliation = reconciliation()
        document.organizations = OrganizationsStatus(metrics, limit: StatusBoard.Limits.organizations)
        document.routes = running.routes
        document.settings = rows.filter { !$0.isPattern && !$0.effective.isEmpty }.map {
            var setting = SettingStatus()
            (setting.name, setting.value, setting.isDefault) = ($0.name, $0.effective, $0.effective == $0.standard)
            return setting
        }
        document.messages = log.recent.map { line in
            var message = LogMessageStatus()
            message.at = line.at
            message.level = line.level.name
            message.message = line.message
            message.fields = line.fields
            message.hidden = line.hidden
            return message
        }
        return document
    }

    // MARK: Sections

    private var destinations: [DestinationStatus] {
        if let destinations = running.tenure?.destinations { return destinations.status + own }
        // A replica that does not lead pushes only what is its own.
        guard plan.replica == nil else { return own }
        return plan.destinations.map { settings in
            // Pushing begins when the state is restored.
            var destination = DestinationStatus()
            (destination.name, destination.url) = (settings.destination, settings.url.description)
            destination.state = .starting
            return destination
        }
    }

    private var own: [DestinationStatus] { running.ownDestinations?.status ?? [] }

    private func program(_ metrics: MetricReading) -> ProgramStatus {
        var program = ProgramStatus()
        program.version = Version.number
        program.instance = running.instance
        program.job = settings.job
        program.environment = settings.environment
        program.region = settings.regionLabel
        program.project = settings.project
        program.started = Timestamp(milliseconds: Int64((metrics.sum(.started) ?? 0) * 1_000))
        program.processID = Int(getpid())
        program.resident_bytes = metrics.count(.resident)
        program.openFiles = metrics.count(.openFiles)
        program.maxFiles = metrics.count(.maxFiles)
        program.logLevel = log.level.name
        program.logLinesDropped = metrics.count(.logLinesDropped)
        program.series = metrics.count(.series)
        program.maxSeries = settings.maxSeries
        program.seriesRefused = metrics.count(.seriesRefused)
        program.clocks = metrics.sums(.clockSkew, by: "against").sorted { $0.key < $1.key }.map {
            var clock = ClockStatus()
            (clock.peer, clock.ahead) = ($0.key, $0.value)
            return clock
        }
        return program
    }

    private func intake(_ metrics: MetricReading) -> IntakeStatus {
        var intake = IntakeStatus()
        intake.address = running.publicAddress
        intake.events = metrics.count(.events)
        intake.duplicates = metrics.count(.duplicates)
        intake.rejected = metrics.count(.rejected)
        intake.queue = metrics.count(.queue)
        intake.queueCapacity = metrics.count(.queueCapacity)
        intake.requestsWaiting = metrics.count(.requestsWaiting)
        intake.connections = metrics.count(.connections, where: ("listener", "public"))
        intake.rejections = plan.webhook.rejections.status
        return intake
    }

    private func journal(_ metrics: MetricReading) -> JournalStatus? {
        guard running.hasState else { return nil }
        let condition = running.tenurePlan?.journalInbox.condition ?? JournalCondition()
        var journal = JournalStatus()
        journal.durability = settings.durability.rawValue
        journal.isUp = condition.isUp
        journal.error = condition.error
        journal.action = condition.advice?.action ?? ""
        journal.events = metrics.count(.journalEvents)
        journal.size_bytes = metrics.count(.journalSize)
        journal.max_bytes = settings.journalMaxBytes.bytes
        let snapshot = metrics.sum(.snapshotTime) ?? 0
        journal.snapshot = snapshot > 0 ? Timestamp(milliseconds: Int64(snapshot * 1_000)) : nil
        journal.snapshotError = condition.snapshotError
        journal.snapshot_bytes = metrics.count(.snapshotSize)
        journal.diskFree_bytes = metrics.sum(.diskFree).map { Int($0) }
        journal.diskSize_bytes = metrics.sum(.diskSize).map { Int($0) }
        journal.directory = settings.stateDirectory
        return journal
    }

    private func recorder(_ metrics: MetricReading) -> RecorderStatus {
        var recorder = RecorderStatus()
        // MAX_SERIES may refuse the gauges of organizations. These gauges exist from the start.
        recorder.rooms = metrics.count(.entities, where: ("entity", "room"))
        recorder.participants = metrics.count(.participants)
        recorder.tracks = metrics.count(.entities, where: ("entity", "track"))
        recorder.egresses = metrics.count(.entities, where: ("entity", "egress"))
        recorder.ingresses = metrics.count(.entities, where: ("entity", "ingress"))
        recorder.waitingEvents = metrics.count(.waitingEvents)
        recorder.lookupFailures = metrics.count(.lookupFailures)
        let unknown = running.tenurePlan?.recorderInbox.unknownRooms ?? RecentUnknownRooms.Shown()
        (recorder.unknownRooms, recorder.unknownRoomsOmitted) = (unknown.rooms, unknown.omitted)
        return recorder
    }

    /// The minutes of today are the board's.
    private func usage(_ metrics: MetricReading) -> UsageStatus? {
        guard running.hasState else { return nil }
        var usage = UsageStatus()
        let kinds = metrics.sums(.connectionSeconds, by: "kind").mapValues { _ in 0.0 }
            .merging(metrics.sums(.connectionsActive, by: "kind")) { $1 }
        usage.connections = kinds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            var connections = ConnectionsStatus()
            (connections.kind, connections.active) = ($0.key, Int($0.value))
            return connections
        }
        usage.agentsRunning = metrics.count(.agentsRunning)
        usage.agentsPending = metrics.count(.agentsPending)
        usage.calls = metrics.count(.calls)
        usage.ahead_seconds = metrics.sum(.usageAhead) ?? 0
        usage.uncertain_seconds = metrics.sum(.usageUncertain) ?? 0
        usage.isTableWithheld = metrics.count(.tablesWithheld, where: ("table", "lkpush_usage_daily")) > 0
        usage.rowsWaiting = metrics.count(.usageRowsWaiting)
        usage.rowsLost = metrics.count(.usageRowsLost)
        return usage
    }

    private func database(_ metrics: MetricReading) -> DatabaseStatus {
        var database = DatabaseStatus()
        database.url = running.database
        database.engine = database.url.hasPrefix("sqlite") ? "sqlite" : "postgresql"
        let condition = running.tenurePlan?.storeInbox.condition ?? StoreCondition()
        database.isUp = condition.isConnected
        database.error = condition.error
        database.action = condition.advice?.action ?? ""
        database.failing = condition.failing
        database.since = condition.since
        database.rowsWaiting = metrics.count(.rowsWaiting)
        database.rowsWritten = metrics.count(.rows, where: ("result", "written"))
        database.rowsLost = metrics.count(.rows, where: ("result", "given_up"))
        database.errors = metrics.count(.databaseErrors)
        let letters = running.tenurePlan?.journalInbox.deadLetters ?? DeadLetters()
        database.deadLetters = letters.kept
        database.deadLettersDropped = letters.dropped
        database.lastDeadLetters = letters.last
        return database
    }
}

extension OrganizationsStatus {
    /// The organizations that have something now, those with the most participants first.
    init(_ metrics: MetricReading, limit: Int) {
        self.init()
        var all: [String: OrganizationStatus] = [:]
        func add(_ metric: StatusMetric, _ field: WritableKeyPath<OrganizationStatus, Int>) {
            for (id, value) in metrics.sums(metric, by: "org_id") where value > 0 {
                all[id, default: OrganizationStatus()][keyPath: field] = Int(value)
            }
        }
        add(.rooms, \.rooms)
        add(.participants, \.participants)
        add(.tracks, \.tracks)
        add(.egresses, \.egresses)
        add(.ingresses, \.ingresses)
        let names = metrics.series(.organizationInfo)
        if let id = names.place(of: "org_id"), let name = names.place(of: "org_name") {
            for series in names { all[series.labelValues[id]]?.name = series.labelValues[name] }
        }
        for id in all.keys { all[id]?.id = id }
        let sorted = all.values.sorted {
            ($1.participants, $1.rooms, $0.id) < ($0.participants, $0.rooms, $1.id)
        }
        total = sorted.count
        list = Array(sorted.prefix(limit))
        omitted = total - list.count
    }
}
