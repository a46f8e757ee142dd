import Enforcement
import HTTPServing
import Journal
import JournalSQLite
import LiveKit
import Metrics
import Pipeline
import Platform
import Reconciliation
import Recording
import Shipper
import Storage

/// The settings of each part, made before anything starts, so that a mistake stops nothing halfway.
struct Plan {
    let registry: Registry
    let readiness: Readiness
    /// The parts that count, for as long as the process runs. Nil for a replica, which has them while it leads.
    let tenure: TenurePlan?
    /// The parts of a replica. Nil where the journal is this process's own.
    let replica: ReplicaPlan?
    let clocks = ClockSkew()
    /// The label `instance` of metrics about this process. Nothing is remembered for it where nothing is pushed.
    let instance: String
    /// The answers to webhooks.
    let answers: WebhookAnswers
    let intake: WebhookIntake
    let webhook: WebhookRoute
    let listen: ListenAddress
    let metricsListen: ListenAddress
    let publicServerSettings: ServerSettings
    let recorderSettings: RecorderSettings
    let storeSettings: StoreSettings
    /// The address of the database, without its secrets.
    let database: String
    /// One for each destination; empty if nothing is pushed.
    let destinations: [ShipperSettings]
    /// The key pairs as they were read now.
    let keyPairs: [KeyPair]
    /// Nil if sessions are not enforced.
    let enforcer: (settings: EnforcerSettings, signer: TokenSigner)?
    /// Nil if nothing is compared with LiveKit's API.
    let poller: (settings: PollerSettings, signer: TokenSigner)?

    /// - Parameter isTrial: nothing will be started, so nothing is written to the state folder.
    init(_ settings: Settings, log: Log, time: any TimeSource, isTrial: Bool = false) throws(StartError) {
        // A failure is ignored here: the parts that need the folder report it, and try again.
        if !isTrial { try? FileStore.makeDirectory(settings.stateDirectory) }
        do {
            registry = Registry(
                maxSeries: settings.maxSeries,
                onFirstRefusal: { family in
                    log.error("MAX_SERIES is reached: new series are refused", ["metric": .string(family)])
                }, clock: { time.now() })
            ProcessMetrics.declare(in: registry, version: Version.number, log: log)
            ClockMetrics.declare(in: registry, clocks, log: log, time: time)
            readiness = Readiness()
            instance =
                settings.sharedJournal != nil
                ? InstanceName.host : isTrial ? settings.instanceGlimpse : settings.instanceName(log: log)
            storeSettings = try settings.store()
            recorderSettings = try settings.recorder()
            let webhookMetrics = WebhookMetrics(in: registry)
            let answers = WebhookRoute.answers(metrics: webhookMetrics, log: log, time: time)
            self.answers = answers
            if let journal = settings.sharedJournal {
                let replica = try ReplicaPlan(journal, settings, answers: answers, isTrial: isTrial)
                self.replica = replica
                tenure = nil
                intake = WebhookIntake(answers: answers, journal: replica.appendInbox, capacity: settings.queueSize)
            } else {
                replica = nil
                let journalInbox = JournalInbox(answers: answers, time: time)
                let tenure = try TenurePlan(
                    settings, store: storeSettings, recorder: recorderSettings,
                    journal: settings.journal(open: Self.openJournal(settings.stateDirectory)), journalInbox,
                    registry: registry, readiness: readiness, log: log, time: time)
                self.tenure = tenure
                intake = WebhookIntake(
                    answers: answers, journal: settings.durability == .commit ? journalInbox : nil,
                    recorder: tenure.recorderInbox, isOpen: false)
            }
            WebhookMetrics.show(intake, in: registry)
            listen = try ListenAddress(settings.listen)
            metricsListen = try ListenAddress(settings.metricsListen)
            publicServerSettings = settings.server
            let metadataKey = settings.organizationSource == .metadata ? settings.organizationMetadataKey : nil
            let keyPairs = try settings.liveKitKeys.read()
            self.keyPairs = keyPairs
            webhook = WebhookRoute(
                verifier: TokenVerifier(secrets: KeyRing(keyPairs).secrets, leeway: settings.webhookClockLeeway),
                decoder: EventDecoder(metadataKey: metadataKey), intake: intake, answers: answers,
                metrics: webhookMetrics, clocks: clocks, time: time, log: log)
            database = try StoreDriver.location(of: settings.databaseLocation()).description
            destinations = try settings.destinations(instance: replica?.instance ?? instance).map { [replica] in
                var destination = $0
                // Another replica goes on with the series.
                if replica != nil { destination.staleOnStop = false }
                return destination
            }
            enforcer = Self.enforcer(settings, keyPairs)
            poller = Self.poller(settings, keyPairs, metadataKey: metadataKey)
        } catch {
            throw StartError.unavailable("\(error)")
        }
    }

    /// The one place that chooses the engine of the journal.
    private static func openJournal(_ directory: String) -> OpenJournal {
        { now throws(JournalError) in
            try SQLiteJournal.open(directory: directory, snapshotFormat: JournalThread.snapshotFormat, now: now)
        }
    }

    private static func enforcer(
        _ settings: Settings, _ keyPairs: [KeyPair]
    ) -> (settings: EnforcerSettings, signer: TokenSigner)? {
        guard settings.singleSession, let url = settings.liveKitURL,
            var enforcer = EnforcerSettings(serverURL: url, userAgent: Version.userAgent),
            let first = keyPairs.first
        else { return nil }
        enforcer.network = settings.network
        return (enforcer, first.signer)
    }

    private static func poller(
        _ settings: Settings, _ keyPairs: [KeyPair], metadataKey: String?
    ) -> (settings: PollerSettings, signer: TokenSigner)? {
        guard settings.polls, let url = settings.liveKitURL,
            var poller = PollerSettings(
                serverURL: url, userAgent: Version.userAgent, interval: settings.reconcileInterval),
            let first = keyPairs.first
        else { return nil }
        poller.metadataKey = metadataKey
        poller.network = settings.network
        return (poller, first.signer)
    }
}
