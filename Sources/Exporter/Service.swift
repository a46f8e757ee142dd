package import Platform
import HTTPClient
package import HTTPServing
import LiveKit
package import Metrics
import Recording
import RemoteWrite
import Storage
import Wire

/// The running exporter: everything it is made of, started bottom up and stopped top down.
package final class Service {
    /// The bounds of the composition, each with its reason.
    package enum Limits {
        /// Connections of the private listener: a scraper or two, probes, and people.
        package static let privateConnections = 64
    }

    /// Why it could not start.
    package struct StartFailure: Error, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    /// How long a start waits for the database; ready within half a second is promised.
    private static let patience = Duration.milliseconds(250)

    /// Every metric there is.
    package let registry: Registry
    private let log: Log
    private let settings: Settings
    private let time: any TimeSource
    private let readiness: Readiness
    private let intake: WebhookIntake
    private let store: StoreLoop
    private let journal: JournalLoop
    private let enforcer: SessionEnforcer?
    /// Nil where the keys come from the environment alone.
    private let keyWatch: KeyWatch?
    private let recorder: RecorderLoop
    private let shipper: Shipper?
    private let privateServer: Server
    private let publicServer: Server
    /// Why it could not begin after it had started.
    private let failure: Monitor<StartFailure?>

    /// Starts everything; webhooks are taken when the state is restored, see `waitUntilReady`. What was started is
    /// stopped again where it fails.
    package init(_ settings: Settings, log: Log, time: any TimeSource = SystemTime()) throws(StartFailure) {
        self.settings = settings
        self.log = log
        self.time = time
        let plan = try Plan(settings, log: log, time: time)
        let (registry, intake, readiness) = (plan.registry, plan.intake, plan.readiness)
        self.registry = registry
        self.intake = intake
        self.readiness = readiness
        let webhook = plan.webhook
        let failure = Monitor<StartFailure?>(nil)
        self.failure = failure

        let enforcer = try plan.startEnforcer(log: log, time: time)
        self.enforcer = enforcer
        // The listeners come first, so that health can be asked for while the state is restored.
        var started: [Server] = []
        do {
            privateServer = try Server(
                listen: plan.metricsListen, routes: Routes.private(registry: registry, readiness: readiness),
                settings: ServerSettings(maxConnections: Limits.privateConnections),
                onStray: webhook.strays(on: .private))
            started.append(privateServer)
            publicServer = try Server(
                listen: plan.listen, routes: Routes.public(webhook: webhook, readiness: readiness),
                settings: plan.publicServerSettings, onStray: webhook.strays(on: .public))
        } catch {
            let deadline = time.monotonic() + .seconds(1)
            for server in started { server.stop(deadline: deadline) }
            _ = enforcer?.stop(by: deadline)
            throw StartFailure("\(error)")
        }
        Self.announce(privateServer, publicServer, plan, registry, log)

        keyWatch = Self.watchKeys(settings, plan, enforcer, log, time)
        let mailbox = RecorderLoop.Mailbox(wakes: intake)
        let store = StoreLoop(
            settings: plan.storeSettings, open: plan.openDatabase, journal: plan.commits, registry: registry, log: log,
            time: time, interruption: plan.databaseInterruption
        ) { mailbox.leave($0) }
        let journal = JournalLoop(
            settings: plan.journalSettings, queue: plan.commits, intake: intake, store: store,
            restoration: plan.restoration, registry: registry, readiness: readiness, log: log, time: time)
        let shipper = plan.shipperSettings.map {
            Shipper($0, registry: registry, journal: journal, log: log, time: time)
        }
        (self.store, self.journal, self.shipper) = (store, journal, shipper)
        let start = time.monotonic()
        recorder = RecorderLoop(
            intake: intake, mailbox: mailbox, store: store, journal: journal, enforcer: enforcer,
            unknownRooms: UnknownRoomsLog(source: settings.organizationSource, log: log),
            snapshotInterval: settings.snapshotInterval, time: time
        ) { begin in
            if begin.isFresh { store.askForPresence() }
            // The first webhooks come in a crowd after a restart: they should not have to wait for a database that is
            // only just being opened. One that does not answer does not keep them out.
            store.awaitFirstAttempt(until: start + Self.patience)
            // The first reading comes before the first webhook: every counter is known to have been zero.
            do throws(TransportError) {
                try shipper?.makeFirstReading(restoring: begin.shipped)
            } catch {
                failure.change { $0 = StartFailure("\(error)") }
                Signals.stopThisProcess()
                return
            }
            if shipper == nil {
                log.info("no receiver is configured: metrics are served at /metrics and pushed nowhere")
            }
            intake.open()
            readiness.clear(.starting)
            log.info("ready", ["took_ms": .milliseconds(time.monotonic().since(start))])
        }
    }

    private static func announce(
        _ privateServer: Server, _ publicServer: Server, _ plan: Plan, _ registry: Registry, _ log: Log
    ) {
        let listeners = ListenerMetrics(in: registry)
        listeners.show(privateServer, as: "metrics", in: registry)
        listeners.show(publicServer, as: "public", in: registry)
        if publicServer.maxConnections < plan.publicServerSettings.maxConnections {
            log.warning(
                "the system has no descriptors for MAX_CONNECTIONS: see ulimit -n",
                ["connections": .int(publicServer.maxConnections)])
        }
        log.info("listening", ["listener": "metrics", "address": .text(privateServer.address)])
        log.info("listening", ["listener": "public", "address": .text(publicServer.address)])
    }

    /// Waits until webhooks are taken; false where that did not come in time, or never will.
    package func waitUntilReady(by deadline: MonotonicTime) -> Bool { readiness.wait(until: deadline) }

    /// Why it had to end after it had started; nil where it did not.
    package var startFailure: StartFailure? { failure.withLock { $0 } }

    /// Where webhooks are taken.
    package var publicAddress: ListenAddress { publicServer.address }

    /// Where `/metrics` is served.
    package var metricsAddress: ListenAddress { privateServer.address }

    /// Where the keys are in files: uses those that are good now for whatever is verified or signed.
    private static func watchKeys(
        _ settings: Settings, _ plan: Plan, _ enforcer: SessionEnforcer?, _ log: Log, _ time: any TimeSource
    ) -> KeyWatch? {
        guard settings.liveKitKeys.isInFile else { return nil }
        let (webhook, leeway) = (plan.webhook, settings.webhookClockLeeway)
        return KeyWatch(settings.liveKitKeys, from: plan.keyPairs, log: log, time: time) { ring in
            webhook.use(TokenVerifier(secrets: ring.secrets, leeway: leeway))
            if let first = ring.pairs.first { enforcer?.use(first.signer) }
        }
    }

    /// Reads the files that hold keys and secrets again, without waiting for the next look at them.
    package func reload() {
        if let keyWatch {
            if !keyWatch.lookNow() { log.warning("the files of keys cannot be read for so long: the old keys stay") }
        } else {
            log.info("no keys are in files: there is nothing to read again")
        }
        shipper?.reloadCredentials()
    }

    /// Stops from the top down: no new webhooks, the accepted ones counted, rows written, the last sample pushed.
    /// True when every stage ended within `SHUTDOWN_TIMEOUT`; what it could not finish, such as rows for a database that
    /// is down, is counted and logged.
    package func stop() -> Bool {
        let start = time.monotonic()
        readiness.block(.stopping, because: "stopping")
        publicServer.stopAccepting()
        log.info("stopping")
        // Each stage may take its share of what is left; what it does not need is the next one's.
        func deadline(_ share: Double) -> MonotonicTime { start + settings.shutdownTimeout * share }
        let served = publicServer.stop(deadline: deadline(0.2))
        intake.close()
        journal.close()
        let recorded = recorder.stop(by: deadline(0.4))
        let enforced = enforcer?.stop(by: deadline(0.5)) ?? true
        // It owns nothing: where its file system hangs, it ends with the process.
        _ = keyWatch?.stop(by: deadline(0.5))
        let stored = store.stop(by: deadline(0.6))
        let shipped = shipper?.stop(by: deadline(0.85))
        let isKept = journal.stop(by: deadline(0.95))
        privateServer.stop(deadline: deadline(0.98))
        let isInTime = served != .abandoned && recorded && enforced && stored.isFinished && isKept
        let fields: Log.Fields = [
            "took_ms": .milliseconds(time.monotonic().since(start)), "rows_left": .int(stored.rowsLeft),
            "samples_dropped": .int(Int(shipped?.dropped ?? 0)),
        ]
        if isInTime && served == .finished {
            let isAll = stored.rowsLeft == 0
            log.info(isAll ? "stopped" : "stopped; rows wait in STATE_DIR for the database and the next start", fields)
        } else {
            log.warning("stopped, not everything was finished", fields)
        }
        return isInTime
    }
}
