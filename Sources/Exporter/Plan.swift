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
    let catalog: Catalog
    let readiness: Readiness
    let storeInbox: StoreInbox
    let journalInbox: JournalInbox
    let recorderInbox: RecorderInbox
    let clocks = ClockSkew()
    /// The label `instance`. Nothing is remembered for it where nothing is pushed.
    let instance: String
    let intake: WebhookIntake
    let webhook: WebhookRoute
    let listen: ListenAddress
    let metricsListen: ListenAddress
    let publicServerSettings: ServerSettings
    let journalSettings: JournalSettings
    let recorderSettings: RecorderSettings
    let restoration: JournalThread.Restoration
    let storeSettings: StoreSettings
    let openDatabase: OpenDatabase
    let databaseInterruption = Interruption()
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
            catalog = Catalog(
                in: registry, longBuckets: settings.longBuckets, project: settings.project,
                region: settings.regionLabel)
            readiness = Readiness()
            instance = isTrial ? settings.instanceGlimpse : settings.instanceName(log: log)
            storeSettings = try settings.store()
            storeInbox = StoreInbox(storeSettings, registry: registry, log: log)
            let webhookMetrics = WebhookMetrics(in: registry)
            let answers = WebhookRoute.answers(metrics: webhookMetrics, log: log, time: time)
            journalInbox = JournalInbox(answers: answers, time: time)
            recorderInbox = RecorderInbox(capacity: settings.queueSize, time: time)
            intake = WebhookIntake(
                answers: answers, journal: settings.durability == .commit ? journalInbox : nil,
                recorder: recorderInbox, isOpen: false)
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
            recorderSettings = try settings.recorder()
            restoration = JournalThread.Restoration(recorderSettings, catalog)
            journalSettings = settings.journal(open: Self.openJournal(settings.stateDirectory))
            database = try StoreDriver.location(of: settings.databaseLocation()).description
            openDatabase = try StoreDriver.open(settings, interruption: databaseInterruption)
            destinations = try settings.destinations(instance: instance)
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
