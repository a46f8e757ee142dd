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

    /// Nil if sessions are not enforced.
    private var enforcer: EnforcerThread?
    /// Nil if nothing is compared with LiveKit's API.
    private var poller: PollerThread?
    private var status: StatusThread?
    private var privateServer: Server?
    private var publicServer: Server?
    /// Nil if all keys come from the environment.
    private var keys: KeyThread?
    private var store: StoreThread?
    private var journal: JournalThread?
    /// Nil if no receiver is configured.
    private var destinations: Destinations?
    private var recorder: RecorderThread?

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
        board = StatusBoard(
            StatusSource(plan, settings, rows: rows, running: running, log: log), time: time)
    }

    /// The status as it is now.
    package var statusDocument: StatusDocument { board.document }

    /// All metrics.
    package var registry: Registry { plan.registry }

    /// The recorder's inbox.
    package var recorderInbox: RecorderInbox { plan.recorderInbox }

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
    package var cancelStart: @Sendable () -> Void {
        { [journal = plan.journalInbox, store = plan.storeInbox] in
            journal.cancelStart()
            store.endFirstAttempt()
        }
    }

    /// Starts all parts, and returns when webhooks are taken. Call it once.
    ///
    /// If a part fails to start, the parts that were started are stopped again.
    package func start() throws(StartError) {
        let begin = time.monotonic()
        do throws(StartError) {
            try startEnforcer()
            try startPoller()
            // The listeners start first, so that health can be asked for while the state is restored.
            try startListeners()
            status = StatusThread(board, time: time)
            startKeys()
            startStore()
            var state = try restoreState()
            running.hasState = true
            greetDatabase(state, until: begin + Limits.databasePatience)
            // The first reading comes before the first event, so every counter is known to have been zero.
            try startDestinations(restoring: state)
            // The recorder needs no list of every series that was pushed.
            state.shipped = ShippedStates()
            startRecorder(with: state)
            poller?.begin()
        } catch {
            if error != .stopped { _ = stop(by: time.monotonic() + Limits.farewell, isAnnounced: false) }
            throw error
        }
        warnOfUnusedGlobs()
        plan.intake.open()
        plan.readiness.clear(.starting)
        log.info("ready", ["took_ms": .milliseconds(time.monotonic().since(begin))])
    }

    private func startEnforcer() throws(StartError) {
        guard let (settings, signer) = plan.enforcer else { return }
        do throws(TransportError) {
            enforcer = try EnforcerThread(settings, signer: signer, registry: registry, log: log, time: time)
        } catch {
            throw StartError.unavailable("\(error)")
        }
    }

    /// Starts the poller. It polls when the recorder can answer.
    private func startPoller() throws(StartError) {
        guard let (settings, signer) = plan.poller else { return }
        do throws(TransportError) {
            let poller = try PollerThread(
                settings, signer: signer, recorder: plan.recorderInbox, registry: registry, log: log, time: time)
            self.poller = poller
            running.reconciliation = { poller.status }
        } catch {
            throw StartError.unavailable("\(error)")
        }
    }

    private func startListeners() throws(StartError) {
        let routes = Routes.private(
            registry: registry, readiness: plan.readiness,
            status: StatusRoutes(
                board, MemoryReport(plan, running: running, time: time),
                hosts: AllowedHosts(settings.metricsAllowedHosts + [plan.metricsListen.host])))
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
        let (webhook, enforcer, poller, leeway) = (plan.webhook, enforcer, poller, settings.webhookClockLeeway)
        keys = KeyThread(settings.liveKitKeys, from: plan.keyPairs, log: log, time: time) { ring in
            webhook.use(TokenVerifier(secrets: ring.secrets, leeway: leeway))
            if let first = ring.pairs.first {
                enforcer?.use(first.signer)
                poller?.use(first.signer)
            }
        }
    }

    private func startStore() {
        let (recorder, journal) = (plan.recorderInbox, plan.journalInbox)
        store = StoreThread(
            plan.storeInbox, settings: plan.storeSettings, open: plan.openDatabase, clocks: plan.clocks, log: log,
            time: time, interruption: plan.databaseInterruption, answer: { recorder.leave($0) },
            progress: { journal.note($0) })
    }

    /// Starts the journal, and waits for the state that it restores.
    private func restoreState() throws(StartError) -> RecorderStart {
        let journal = JournalThread(
            plan.journalInbox, settings: plan.journalSettings, store: plan.storeInbox, events: plan.recorderInbox,
            reservations: plan.intake, restoration: plan.restoration, registry: registry, readiness: plan.readiness,
            log: log,
            time: time)
        self.journal = journal
        guard let state = journal.awaitStart() else { throw StartError.stopped }
        return state
    }

    /// Waits for a moment for the database. After a restart many webhooks come at once, and their look-ups should not
    /// wait for a connection that is just being opened. A database that does not answer does not keep the webhooks out.
    private func greetDatabase(_ state: RecorderStart, until deadline: MonotonicTime) {
        if state.isFresh { plan.storeInbox.askForPresence() }
        plan.storeInbox.awaitFirstAttempt(until: deadline)
    }

    private func startDestinations(restoring state: RecorderStart) throws(StartError) {
        guard !plan.destinations.isEmpty else {
            log.info("no receiver is configured: metrics are served at /metrics and pushed nowhere")
            return
        }
        let destinations = Destinations(
            plan.destinations, registry: registry, journal: plan.journalInbox, clocks: plan.clocks,
            refresh: { [recorder = plan.recorderInbox] in recorder.requestUsage() }, log: log, time: time)
        do throws(TransportError) {
            try destinations.makeFirstReading(restoring: state.shipped)
        } catch {
            throw StartError.unavailable("\(error)")
        }
        self.destinations = destinations
        running.destinations = destinations
    }

    private func startRecorder(with state: RecorderStart) {
        recorder = RecorderThread(
            plan.recorderInbox, start: state, reservations: plan.intake, journal: plan.journalInbox,
            store: plan.storeInbox,
            removals: enforcer,
            unknownRooms: UnknownRoomsLog(source: plan.recorderSettings.organizationSource, log: log), log: log,
            time: time)
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
        destinations?.reloadCredentials()
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
        // Each stage has its share of the time. A stage may also use the time that earlier stages left.
        func deadline(_ share: Double) -> MonotonicTime { start + timeout * share }
        let served = publicServer?.stop(deadline: deadline(0.2)) ?? .finished
        plan.intake.close()
        plan.journalInbox.close()
        if recorder == nil { plan.journalInbox.noteRecorderDone() }
        let recorded = recorder?.stop(by: deadline(0.4)) ?? true
        let enforced = enforcer?.stop(by: deadline(0.5)) ?? true
        let polled = poller?.stop(by: deadline(0.5)) ?? true
        // The thread owns nothing. If its file system hangs, it ends with the process.
        _ = keys?.stop(by: deadline(0.5))
        let stored = store?.stop(by: deadline(0.6))
        // The last reading has what was counted up to the stop.
        if destinations != nil && recorder != nil && recorded {
            _ = plan.journalInbox.waitForUsage(until: deadline(0.65))
        }
        let shipped = destinations?.stop(by: deadline(0.85))
        let isKept = journal?.stop(by: deadline(0.95)) ?? true
        privateServer?.stop(deadline: deadline(0.98))
        status?.stop()
        let isInTime =
            served != .abandoned && recorded && enforced && polled && stored?.isFinished ?? true && isKept
        guard isAnnounced else { return isInTime }
        let rowsLeft = stored?.rowsLeft ?? 0
        let fields: Log.Fields = [
            "took_ms": .milliseconds(time.monotonic().since(start)), "rows_left": .int(rowsLeft),
            "samples_dropped": .int(Int(shipped?.dropped ?? 0)), "samples_kept": .int(Int(shipped?.kept ?? 0)),
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

extension EnforcerThread: SessionRemovals {}
