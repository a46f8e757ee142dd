import Enforcement
import HTTPClient
import HTTPServing
import Journal
import JournalSQLite
import LiveKit
import Matching
import Metrics
import Pipeline
import Platform
import Recording
import RemoteWrite
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
    let shipperSettings: ShipperSettings?
    /// The key pairs as they were read now.
    let keyPairs: [KeyPair]
    /// Nil if sessions are not enforced.
    let enforcer: (settings: EnforcerSettings, signer: TokenSigner)?

    init(_ settings: Settings, log: Log, time: any TimeSource) throws(StartError) {
        // A failure is ignored here: the parts that need the folder report it, and try again.
        try? FileStore.makeDirectory(settings.stateDirectory)
        do {
            registry = Registry(
                maxSeries: settings.maxSeries,
                onFirstRefusal: { family in
                    log.error("MAX_SERIES is reached: new series are refused", ["metric": .string(family)])
                }, clock: { time.now() })
            ProcessMetrics.declare(in: registry, version: Version.number, log: log)
            catalog = Catalog(
                in: registry, longBuckets: settings.longBuckets, project: settings.project,
                region: settings.regionLabel)
            readiness = Readiness()
            storeSettings = try Self.store(settings)
            storeInbox = StoreInbox(storeSettings, registry: registry, log: log)
            let webhookMetrics = WebhookMetrics(in: registry)
            let answers = WebhookRoute.answers(metrics: webhookMetrics, log: log)
            journalInbox = JournalInbox(answers: answers, time: time)
            recorderInbox = RecorderInbox(capacity: settings.queueSize, time: time)
            intake = WebhookIntake(
                answers: answers, journal: settings.durability == .commit ? journalInbox : nil,
                recorder: recorderInbox, isOpen: false)
            WebhookMetrics.show(intake, in: registry)
            listen = try ListenAddress(settings.listen)
            metricsListen = try ListenAddress(settings.metricsListen)
            publicServerSettings = ServerSettings(
                maxBody: settings.webhookMaxBody, maxConnections: settings.maxConnections)
            let metadataKey = settings.organizationSource == .metadata ? settings.organizationMetadataKey : nil
            let keyPairs = try settings.liveKitKeys.read()
            self.keyPairs = keyPairs
            webhook = WebhookRoute(
                verifier: TokenVerifier(secrets: KeyRing(keyPairs).secrets, leeway: settings.webhookClockLeeway),
                decoder: EventDecoder(metadataKey: metadataKey), intake: intake, answers: answers,
                metrics: webhookMetrics, time: time, log: log)
            recorderSettings = try Self.recorder(settings)
            restoration = JournalThread.Restoration(recorderSettings, catalog)
            journalSettings = JournalSettings(
                open: Self.openJournal(settings.stateDirectory), durability: settings.durability,
                maxBytes: settings.journalMaxBytes,
                snapshotInterval: settings.snapshotInterval)
            openDatabase = try StoreDriver.open(settings, interruption: databaseInterruption)
            shipperSettings = try Self.shipper(settings, log: log)
            enforcer = Self.enforcer(settings, keyPairs)
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

    private static func recorder(_ settings: Settings) throws(PatternFault) -> RecorderSettings {
        let source: Recording.OrganizationSource =
            switch settings.organizationSource {
            case .fixed: .fixed(id: settings.organizationID, name: settings.organizationID)
            case .roomName: .roomName(try Pattern(settings.organizationPattern))
            case .metadata: .metadata
            case .database: .database
            }
        return RecorderSettings(
            organizationSource: source, dedupTTL: settings.dedupTTL, seriesTTL: settings.seriesTTL,
            stateMaxSilence: settings.stateMaxSilence, organizationCacheTTL: settings.organizationCacheTTL,
            recordingRetention: settings.recordingRetention, waitingEvents: settings.queueSize,
            isSingleSession: settings.singleSession, digest: { Digest(of: Array($0.utf8).span).prefix })
    }

    private static func enforcer(
        _ settings: Settings, _ keyPairs: [KeyPair]
    ) -> (settings: EnforcerSettings, signer: TokenSigner)? {
        guard settings.singleSession, let url = settings.liveKitURL,
            let enforcer = EnforcerSettings(serverURL: url, userAgent: Version.userAgent),
            let first = keyPairs.first
        else { return nil }
        return (enforcer, first.signer)
    }

    private static func store(_ settings: Settings) throws(LookupQuery.QueryFault) -> StoreSettings {
        var store = StoreSettings()
        store.licenseRefresh = settings.licenseRefresh
        store.activityRefresh = settings.activityRefresh
        store.egressRefresh = settings.egressRefresh
        store.presenceRefresh = settings.presenceRefresh
        store.purgeInterval = settings.purgeInterval
        store.activityRetention = settings.activityRetention
        store.lookup = try lookup(settings)
        store.asksForRooms = settings.organizationSource == .database
        return store
    }

    /// The query for the organization of a room.
    static func lookup(_ settings: Settings) throws(LookupQuery.QueryFault) -> LookupQuery {
        settings.organizationLookupSQL.isEmpty ? .standard : try LookupQuery(sql: settings.organizationLookupSQL)
    }

    /// The settings of the shipper. Nil if no receiver is configured.
    static func shipper(_ settings: Settings, log: Log) throws -> ShipperSettings? {
        guard let text = settings.remoteWriteURL, let url = EndpointURL(text) else { return nil }
        let instance = InstanceName.resolve(
            configured: settings.instance, stateDirectory: settings.stateDirectory, log: log)
        let external =
            [("environment", settings.environment), ("region", settings.region), ("service", settings.service)]
            + settings.externalLabels.map { ($0.name, $0.value) }
        var shipper = ShipperSettings(
            url: url,
            labels: try CommonLabels(
                job: settings.job, instance: instance, external: external.map { (name: $0.0, value: $0.1) }),
            userAgent: Version.userAgent)
        shipper.schedule = SeriesTable.Schedule(
            pushInterval: settings.pushInterval, idleInterval: settings.idlePushInterval)
        shipper.batches.samples = settings.maxSamplesPerSend
        shipper.delivery.queue = settings.queueBytes
        shipper.delivery.minBackoff = settings.minBackoff
        shipper.delivery.maxBackoff = settings.maxBackoff
        shipper.delivery.retriesOnTooManyRequests = settings.retryOnHTTP429
        shipper.timeout = settings.timeout
        if let key = settings.apiKey { shipper.credentials = .basic(user: settings.username, password: key) }
        if let token = settings.bearerToken { shipper.credentials = .bearer(token) }
        switch settings.headers {
        case .value(let pairs)?: shipper.headers = try ShipperSettings.headers(pairs)
        case let file: shipper.headersFile = file
        }
        shipper.authorityFile = settings.tlsCAFile.isEmpty ? nil : settings.tlsCAFile
        shipper.certificateFile = settings.tlsCertificateFile.isEmpty ? nil : settings.tlsCertificateFile
        shipper.keyFile = settings.tlsKeyFile.isEmpty ? nil : settings.tlsKeyFile
        shipper.staleOnStop = settings.staleOnStop
        return shipper
    }
}
