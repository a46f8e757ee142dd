import Enforcement
import HTTPClient
package import HTTPServing
import LiveKit
package import Metrics
package import Pipeline
package import Platform
import Reconciliation
import Recording
import RemoteWrite
import Shipper
package import Status

/// The running exporter. It starts all parts from the bottom up, and stops them from the top down.
///
/// One thread starts, reloads and stops it.
package final class Service {
    /// Bounds of the start and the stop, each with its reason.
    package enum Limits {
        /// Connections of the private listener: a scraper or two, probes, and people.
        package static let privateConnections = 64
        /// The longest wait of a start for the database. A start within half a second is promised.
        package static let databasePatience = Duration.milliseconds(250)
        /// The time for stopping the parts that were started when another part cannot start.
        package static let farewell = Duration.seconds(1)
    }

    private let settings: Settings
    private let plan: Plan
    private let running: RunningParts
    private let board: StatusBoard
    private let log: Log
    private let time: any TimeSource

    private var status: StatusThread?
    private var privateServer: Server?
    private var publicServer: Server?
    /// Nil if all keys come from the environment.
    private var keys: KeyThread?
    /// The parts that count. Nil for a replica.
    private let tenure: Tenure?
    /// Nil for a process with a journal of its own.
    private let replica: Replica?

    /// Makes everything from the settings that must be right before anything starts.
    ///
    /// - Parameter rows: the table of settings, for the status page.
    package init(
        _ settings: Settings, rows: [SettingsReader.Row] = [], log: Log, time: any TimeSource = SystemTime()
    ) throws(StartError) {
        self.settings = settings
        self.log = log
        self.time = time
        plan = try Plan(settings, log: log, time: time)
        running = RunningParts(instance: plan.instance, database: plan.database)
        running.tenurePlan = plan.tenure
        tenure = plan.tenure.map { [plan, running] in
            Tenure($0, of: plan, running: running, reservations: plan.intake, log: log, time: time)
        }
        replica = plan.replica.map { [plan, running] in
            Replica($0, of: plan, settings, running: running, log: log, time: time)
        }
        board = StatusBoard(
            StatusSource(plan, settings, rows: rows, running: running, log: log), time: time)
    }

    /// The status as it is now.
    package var statusDocument: StatusDocument { board.document }

    /// All metrics.
    package var registry: Registry { plan.registry }

    /// The recorder's inbox. Traps in a replica that does not lead.
    package var recorderInbox: RecorderInbox {
        guard let plan = running.tenurePlan else { preconditionFailure("a replica that does not lead has no recorder") }
        return plan.recorderInbox
    }

    /// The address of the public listener, after the start.
    package var publicAddress: ListenAddress { Self.address(of: publicServer) }

    /// The address of the private listener, after the start.
    package var metricsAddress: ListenAddress { Self.address(of: privateServer) }

    private static func address(of server: Server?) -> ListenAddress {
        guard let server else { preconditionFailure("a listener has an address when it has started") }
        return server.address
    }

    // MARK: Starting

    /// Cancels a start that waits for the state, for example for a folder that another process has locked. Any thread
    /// may call it.
    package var cancelStart: @Sendable () -> Void { { [plan] in plan.tenure?.cancelStart() } }

    /// Starts all parts, and returns when webhooks are taken. Call it once.
    ///
    /// If a part fails to start, the parts that were started are stopped again.
    package func start() throws(StartError) {
        let begin = time.monotonic()
        do throws(StartError) {
            try tenure?.prepare()
            if let tenure { running.tenure = tenure }
            // The listeners start first, so that health can be asked for while the state is restored.
            try startListeners()
            status = StatusThread(board, time: time)
            startKeys()
            try tenure?.start(until: Limits.databasePatience)
            try replica?.start()
        } catch {
            if error != .stopped { _ = stop(by: time.monotonic() + Limits.farewell, isAnnounced: false) }
            throw error
        }
        // A replica knows all metrics when it leads.
        if tenure != nil { warnOfUnusedGlobs() }
        plan.intake.open()
        plan.readiness.clear(.starting)
        log.info("ready", ["took_ms": .milliseconds(time.monotonic().since(begin))])
    }

    /// Tells who leads, in one line. Nil in a process with a journal of its own.
    private var leaderLine: (@Sendable () -> String)? {
        guard let replica = plan.replica else { return nil }
        return { [running, time] in replica.status(running, at: time.monotonic()).leaderLine }
    }

    private func startListeners() throws(StartError) {
        let routes = Routes.private(
            registry: registry, readiness: plan.readiness,
            status: StatusRoutes(
                board, MemoryReport(plan, running: running, time: time),
                hosts: AllowedHosts(settings.metricsAllowedHosts + [plan.metricsListen.host])),
            leader: leaderLine)
        running.routes = routes.map(\.status)
        do {
            privateServer = try Server(
                listen: plan.metricsListen, routes: routes.map(\.route),
                settings: ServerSettings(maxBody: .mebibytes(4), maxConnections: Limits.privateConnections),
                onStray: plan.webhook.strays(on: .private))
            publicServer = try Server(
                listen: plan.listen, routes: Routes.public(webhook: plan.webhook, readiness: plan.readiness),
                settings: plan.publicServerSettings, onStray: plan.webhook.strays(on: .public))
        } catch {
            throw StartError.unavailable("\(error)")
        }
        running.publicAddress = publicAddress.description
        let listeners = ListenerMetrics(in: registry)
        if let publicServer, publicServer.maxConnections < plan.publicServerSettings.maxConnections {
            log.warning(
                "the system has no descriptors for MAX_CONNECTIONS: see ulimit -n",
                ["connections": .int(publicServer.maxConnections)])
        }
        for (server, name) in [(privateServer, "metrics"), (publicServer, "public")] {
            guard let server else { continue }
            listeners.show(server, as: name, in: registry)
            log.info("listening", ["listener": .string(name), "address": .text(server.address)])
        }
    }

    /// If keys are in files, starts the thread that passes on new ones, for verifying and for signing.
    private func startKeys() {
        guard settings.liveKitKeys.isInFile else { return }
        let (webhook, running, leeway) = (plan.webhook, running, settings.webhookClockLeeway)
        keys = KeyThread(settings.liveKitKeys, from: plan.keyPairs, log: log, time: time) { ring in
            webhook.use(TokenVerifier(secrets: ring.secrets, leeway: leeway))
            if let first = ring.pairs.first {
                running.signer = first.signer
                running.tenure?.use(first.signer)
            }
        }
    }

    /// Every part has declared its metrics by now.
    private func warnOfUnusedGlobs() {
        for (variable, globs) in settings.globsWithoutMatch(in: DeclaredFamilies.names(in: registry)) {
            log.warning(
                "globs match no metric, so they select nothing: correct them",
                ["setting": .string(variable), "globs": .string(globs.joined(separator: ","))])
        }
    }

    // MARK: Running

    /// Reads the files of keys and secrets again, without waiting for the next regular look.
    package func reload() {
        if let keys {
            if !keys.lookNow() { log.warning("the files of keys cannot be read for so long: the old keys stay") }
        } else {
            log.info("no keys are in files: there is nothing to read again")
        }
        running.tenure?.destinations?.reloadCredentials()
        running.ownDestinations?.reloadCredentials()
    }

    // MARK: Stopping

    /// Stops the parts from the top down: webhooks are refused, accepted events are counted, rows are written, the last
    /// samples are pushed.
    ///
    /// Returns true if every stage ended within `SHUTDOWN_TIMEOUT`. Unfinished work, such as rows for a database that
    /// is down, is counted and logged.
    package func stop() -> Bool { stop(by: time.monotonic() + settings.shutdownTimeout) }

    /// The same, for a stop that was asked for before now and must have ended by `deadline`.
    package func stop(by deadline: MonotonicTime) -> Bool { stop(by: deadline, isAnnounced: true) }

    /// - Parameter isAnnounced: the log says that the program stops, and how that ended.
    private func stop(by end: MonotonicTime, isAnnounced: Bool) -> Bool {
        let start = time.monotonic()
        let timeout = max(.zero, end.since(start))
        plan.readiness.block(.stopping, because: "stopping")
        publicServer?.stopAccepting()
        if isAnnounced { log.info("stopping") }
        let deadline = StopTime(begin: start, length: timeout)
        let served = publicServer?.stop(deadline: deadline(0.2)) ?? .finished
        plan.intake.close()
        let ended = tenure?.stop(deadline) ?? replica?.stop(deadline)
        // The thread owns nothing. If its file system hangs, it ends with the process.
        _ = keys?.stop(by: deadline(0.95))
        privateServer?.stop(deadline: deadline(0.98))
        status?.stop()
        let isInTime = served != .abandoned && ended?.isInTime ?? true
        guard isAnnounced else { return isInTime }
        let rowsLeft = ended?.rowsLeft ?? 0
        let fields: Log.Fields = [
            "took_ms": .milliseconds(time.monotonic().since(start)), "rows_left": .int(rowsLeft),
            "samples_dropped": .int(Int(ended?.shipped?.dropped ?? 0)),
            "samples_kept": .int(Int(ended?.shipped?.kept ?? 0)),
        ]
        if isInTime && served == .finished {
            log.info(
                rowsLeft == 0 ? "stopped" : "stopped; rows wait in STATE_DIR for the database and the next start",
                fields)
        } else {
            log.warning("stopped, not everything was finished", fields)
        }
        return isInTime
    }
}
