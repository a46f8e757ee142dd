import HTTPClient
import HTTPServing
package import Journal
import LiveKit
package import Matching
package import Pipeline
package import Platform
package import Recording
import RemoteWrite
import Shipper
package import Storage

/// All settings, read and checked. Each setting is one property and one line of `init` with its default. A setting that
/// has no effect has no property. The end of this file makes the settings of each part of the program.
package struct Settings: Sendable {
    /// The source of a room's organization. The raw value is the text of `ORG_SOURCE`.
    package enum OrganizationSource: String, Sendable, CaseIterable {
        case fixed
        case roomName = "room-name"
        case metadata
        case database
    }

    // LiveKit
    package let liveKitKeys: LiveKitKeys
    /// The URL of the server API, with `http` or `https` and without a slash at its end. Nil if it is not set.
    package let liveKitURL: String?
    /// Zero if LiveKit's API is never polled.
    package let reconcileInterval: Duration
    package let project: String
    package let webhookMaxBody: ByteCount
    package let webhookClockLeeway: Duration

    // Serving
    package let listen: String
    package let metricsListen: String
    /// Host names under which the status may be asked for, besides `localhost`.
    package let metricsAllowedHosts: [String]
    package let maxConnections: Int
    package let queueSize: Int

    // Recording
    package let dedupTTL: Duration
    package let rememberedIDsMax: Int
    package let stateDirectory: String
    /// Nil if the journal is this process's own.
    package let sharedJournal: SharedJournal?
    package let durability: JournalSettings.Durability
    package let journalMaxBytes: ByteCount
    package let snapshotInterval: Duration
    package let stateMaxSilence: Duration
    package let singleSession: Bool
    package let seriesTTL: Duration
    package let maxSeries: Int
    package let longBuckets: Bool

    // Organizations
    package let organizationSource: OrganizationSource
    package let organizationID: String
    package let organizationPattern: String
    package let organizationMetadataKey: String
    package let organizationLookupSQL: String
    package let organizationCacheTTL: Duration

    // Database
    package let databaseURL: SecretSource?
    package let licenseRefresh: Duration
    package let activityRefresh: Duration
    package let egressRefresh: Duration
    package let presenceRefresh: Duration
    package let purgeInterval: Duration
    package let activityRetention: Duration
    /// If false, a table that is older than lkpush is not purged.
    package let isRetentionSet: Bool
    package let recordingRetention: Duration

    // Pushing
    /// Globs of families that no destination gets.
    package let metricsExclude: [String]
    /// Empty if lkpush pushes nowhere.
    package let destinations: [DestinationSettings]
    package let pushInterval: Duration
    package let idlePushInterval: Duration
    package let maxSamplesPerSend: Int
    package let maxShards: Int
    package let queueBytes: ByteCount
    /// 0 if nothing is kept on disk.
    package let spoolMaxBytes: ByteCount
    package let spoolMaxAge: Duration
    package let timeout: Duration
    package let minBackoff: Duration
    package let maxBackoff: Duration
    package let retryOnHTTP429: Bool
    /// What variables that are not lkpush's own say about connections, such as proxies.
    let network: NetworkEnvironment
    package let staleOnStop: Bool

    // Labels
    package let environment: String
    package let region: String
    package let service: String
    package let job: String
    /// Empty means the host name of the first start.
    package let instance: String
    package let externalLabels: [(name: String, value: String)]

    // Operating
    package let logLevel: Log.Level
    package let logFormat: Log.Format
    package let shutdownTimeout: Duration

    /// Reads all settings. They can be used only if `reader.problems` is empty.
    package init(_ reader: inout SettingsReader) {
        liveKitKeys = LiveKitKeys(&reader)
        liveKitURL = Self.liveKitURL(&reader)
        reconcileInterval = reader.duration(
            "RECONCILE_INTERVAL", "60s", in: .zero ... .seconds(3_600),
            "How often rooms and jobs are compared with LiveKit's API, where LIVEKIT_URL is set; 0 never.")
        project = reader.text("LIVEKIT_PROJECT", "default", "Label `project` of every metric.")
        webhookMaxBody = reader.size(
            "WEBHOOK_MAX_BODY", "4MiB", in: .kibibytes(1)...(.mebibytes(64)), "Larger webhooks are refused with 413.")
        webhookClockLeeway = reader.duration(
            "WEBHOOK_CLOCK_LEEWAY", "60s", in: .zero ... .seconds(300), "How far LiveKit's clock may be off.")

        listen = reader.text("LISTEN", "0.0.0.0:3001", "Public listener: webhooks and health. Port 0 picks one.")
        metricsListen = reader.text(
            "METRICS_LISTEN", "127.0.0.1:9464", "Private listener: `/metrics` names your tenants, keep it private.")
        metricsAllowedHosts = Self.hosts(
            &reader, "METRICS_ALLOWED_HOSTS",
            "Host names besides localhost and addresses under which the status page may be asked for: `lkpush.internal`."
        )
        maxConnections = reader.number(
            "MAX_CONNECTIONS", 4000, in: 8...65_000, "Connections of the public listener at one time.")
        queueSize = reader.number(
            "QUEUE_SIZE", 1000, in: 1...1_000_000, "Events between intake and recorder; full means 503.")

        dedupTTL = reader.duration(
            "DEDUP_TTL", "10m", in: .seconds(60) ... .seconds(86_400), "How long event ids are remembered.")
        rememberedIDsMax = reader.number(
            "REMEMBERED_IDS_MAX", 1_000_000, in: 10_000...Recording.Limits.mostRemembered,
            "Event ids, and ids of each kind of what has ended, that are remembered.")
        stateDirectory = DatabasePlace.stateDirectory(&reader)
        sharedJournal = SharedJournal(&reader)
        durability = reader.choice(
            "DURABILITY", .commit,
            "A webhook is answered when its event is on disk (`commit`), or at once (`memory`, for a pod without a disk)."
        )
        journalMaxBytes = reader.size(
            "JOURNAL_MAX_BYTES", "1GiB", in: .mebibytes(16)...(.mebibytes(1 << 20)),
            """
            Beyond it the oldest rows that wait for the database are given up. With JOURNAL_URL: the most that events on a \
            replica's own disk may take; rows wait in PostgreSQL then, and none is given up.
            """)
        snapshotInterval = reader.duration(
            "SNAPSHOT_INTERVAL", "30s", in: .milliseconds(50) ... .seconds(3_600),
            "How often the state is saved; a start replays at most twice as long.")
        stateMaxSilence = reader.duration(
            "STATE_MAX_SILENCE", "48h", in: .seconds(60) ... .seconds(365 * 86_400),
            "Open rooms without any event for so long are dropped.")
        singleSession = reader.flag(
            "SINGLE_SESSION", false,
            "Who joins a second room of an organization is removed from the first one. Needs LIVEKIT_URL.")
        seriesTTL = reader.duration(
            "SERIES_TTL", "24h", in: .seconds(60) ... .seconds(365 * 86_400),
            "Series of an organization without activity for so long end.")
        maxSeries = reader.number(
            "MAX_SERIES", 150_000, in: 1_000...10_000_000, "The most time series at one time; more are refused.")
        longBuckets = reader.flag(
            "HISTOGRAM_LONG_BUCKETS", true, "Adds 7200, 14400 and 28800 s to room and participant histograms.")

        let hasDatabase = reader.isSet("DATABASE_URL") || reader.isSet("DATABASE_URL_FILE")
        organizationSource = reader.choice(
            "ORG_SOURCE", hasDatabase ? .database : .fixed,
            "How a room's organization is found. Default `database` when DATABASE_URL is set, else `fixed`.")
        organizationID = reader.text("ORG_ID", "default", "The organization of all rooms, where ORG_SOURCE=fixed.")
        organizationPattern = reader.text(
            "ORG_ROOM_PATTERN", "", as: .lines,
            "Regular expression with groups `org` and optionally `name`, where ORG_SOURCE=room-name.")
        organizationMetadataKey = reader.text(
            "ORG_METADATA_KEY", "", "Key of the room's JSON metadata, where ORG_SOURCE=metadata.")
        organizationLookupSQL = reader.text(
            "ORG_LOOKUP_SQL", "", as: .lines,
            "Replaces the lookup query: parameter `:room`; columns org_id, org_name, monthly_recording_minutes, "
                + "organization_pk.")
        organizationCacheTTL = reader.duration(
            "ORG_CACHE_TTL", "10m", in: .seconds(10) ... .seconds(86_400), "How old a room's organization may grow.")

        databaseURL = DatabasePlace.databaseURL(&reader)
        licenseRefresh = reader.duration(
            "LICENSE_REFRESH", "1h", in: Self.refresh, "How often limits and names of organizations are read.")
        activityRefresh = reader.duration(
            "ACTIVITY_REFRESH", "5m", in: Self.refresh, "How often unique users and online time are read.")
        egressRefresh = reader.duration(
            "EGRESS_REFRESH", "5m", in: Self.refresh, "How often completed recordings are read.")
        presenceRefresh = reader.duration(
            "PRESENCE_REFRESH", "5m", in: Self.refresh, "How often connected people are read.")
        purgeInterval = reader.duration("PURGE_INTERVAL", "24h", in: Self.refresh, "How often old activity is deleted.")
        isRetentionSet = reader.isSet("ACTIVITY_RETENTION")
        activityRetention = reader.duration(
            "ACTIVITY_RETENTION", "90d", in: .zero ... .seconds(3_650 * 86_400),
            "Activity older than this is deleted; 0 never. A table that is older than lkpush is only purged when set.")
        recordingRetention = reader.duration(
            "RECORDING_RETENTION", "30d", in: .zero ... .seconds(3_650 * 86_400),
            "Written to `recordings.expires_at`: end of the recording plus this.")

        metricsExclude = DestinationSettings.globs(
            &reader, "METRICS_EXCLUDE",
            "Metrics that are not pushed, by globs: `lkpush_http_*,process_*`. They stay on `/metrics`.")
        destinations = Self.destinations(&reader)
        pushInterval = reader.duration(
            "PUSH_INTERVAL", "15s", in: .milliseconds(100) ... .seconds(240), "How often the metrics are pushed.")
        idlePushInterval = reader.duration(
            "IDLE_PUSH_INTERVAL", UnitText.text(pushInterval), in: .milliseconds(100) ... .seconds(240),
            "How often series that did not change are pushed. 60s suits Grafana Cloud. Default PUSH_INTERVAL.")
        maxSamplesPerSend = reader.number(
            "REMOTE_WRITE_MAX_SAMPLES_PER_SEND", 5000, in: 1...100_000, "The most samples in one request.")
        maxShards = reader.number(
            "REMOTE_WRITE_MAX_SHARDS", 8, in: 1...64,
            "The most requests at one time. There is one; more while a backlog is sent.")
        // This setting is only checked: lkpush sends at once, whatever its value.
        _ = reader.duration(
            "REMOTE_WRITE_BATCH_SEND_DEADLINE", "20s", in: .milliseconds(100) ... .seconds(300),
            "A sample leaves within this time while the receiver is healthy: lkpush sends at once.")
        queueBytes = reader.size(
            "REMOTE_WRITE_QUEUE_BYTES", "32MiB", in: .kibibytes(64)...(.mebibytes(4096)),
            "Memory of each destination for what waits during an outage; without a spool the oldest is dropped first.")
        spoolMaxBytes = Self.spoolMaxBytes(&reader)
        spoolMaxAge = reader.duration(
            "SPOOL_MAX_AGE", "2h", in: .seconds(60) ... .seconds(30 * 86_400),
            "What waits for longer is dropped: Grafana Cloud takes no samples that are older than 2h.")
        timeout = reader.duration(
            "REMOTE_WRITE_TIMEOUT", "30s", in: .milliseconds(100) ... .seconds(300), "For one request.")
        minBackoff = reader.duration(
            "REMOTE_WRITE_MIN_BACKOFF", "500ms", in: .milliseconds(10) ... .seconds(60), "First wait before a retry.")
        maxBackoff = reader.duration(
            "REMOTE_WRITE_MAX_BACKOFF", "30s", in: .milliseconds(10) ... .seconds(300), "Longest wait, doubled up to.")
        retryOnHTTP429 = reader.flag("REMOTE_WRITE_RETRY_ON_HTTP_429", true, "Retry what was refused as too much.")
        staleOnStop = reader.flag(
            "STALE_ON_STOP", true, "End all series at a stop; false for a quick restart.")

        environment = reader.text("ENVIRONMENT", "", "External label `environment`; required when pushing.")
        region = reader.text(
            "REGION", "", "External label and label `region`; required when pushing, else `local`.")
        service = reader.text("SERVICE", "lkpush", "External label `service`.")
        job = reader.text("JOB", service, "Label `job` of every pushed series. Default SERVICE.")
        instance = reader.text(
            "INSTANCE", "", "Label `instance`. Default: host name at the first start, kept in STATE_DIR.")
        externalLabels = reader.pairs(
            "EXTERNAL_LABELS", "More external labels: `k=v,k2=v2`.", check: Self.labelProblem)

        logLevel = Log.Level(reader.choice("LOG_LEVEL", LogLevel.info, "How much is logged.", also: ["warn": .warning]))
        logFormat = reader.choice(
            "LOG_FORMAT", reader.isTerminal ? Log.Format.text : .json,
            "`json`, or `text` for people: the default where standard error is a terminal.")
        shutdownTimeout = reader.duration(
            "SHUTDOWN_TIMEOUT", "10s", in: .milliseconds(100) ... .seconds(600), "The longest a stop may take.")

        network = NetworkEnvironment(reader.variables)
        checkTogether(&reader)
        reader.reportUnknown()
    }

    private static let refresh: ClosedRange<Duration> = .milliseconds(100) ... .seconds(30 * 86_400)

    var databasePlace: DatabasePlace { DatabasePlace(stateDirectory: stateDirectory, databaseURL: databaseURL) }

    /// The URL of the database in use.
    package func databaseLocation() throws(SecretSource.SecretError) -> String {
        try databasePlace.location()
    }

    /// LiveKit's API is polled.
    package var polls: Bool { liveKitURL != nil && reconcileInterval > .zero }

    /// The label `region` of LiveKit's metrics.
    package var regionLabel: String { region.isEmpty ? "local" : region }
}

// MARK: The settings of the parts

extension Settings {
    /// The settings of the public listener.
    var server: ServerSettings { ServerSettings(maxBody: webhookMaxBody, maxConnections: maxConnections) }

    /// Throws if the pattern for room names is no regular expression.
    package func recorder() throws(PatternFault) -> RecorderSettings {
        let source: Recording.OrganizationSource =
            switch organizationSource {
            case .fixed: .fixed(id: organizationID, name: organizationID)
            case .roomName: .roomName(try Pattern(organizationPattern))
            case .metadata: .metadata
            case .database: .database
            }
        return RecorderSettings(
            organizationSource: source, dedupTTL: dedupTTL, rememberedIDs: rememberedIDsMax, seriesTTL: seriesTTL,
            stateMaxSilence: stateMaxSilence,
            organizationCacheTTL: organizationCacheTTL, recordingRetention: recordingRetention,
            waitingEvents: queueSize, isSingleSession: singleSession, digest: Self.digest)
    }

    /// The number of an identity.
    private static let digest: @Sendable (String) -> UInt64 = { identity in
        #if DEBUG
            PlantedTrap.spring(identity)
        #endif
        return Digest(of: Array(identity.utf8).span).prefix
    }

    /// The settings of a journal that `open` opens.
    package func journal(open: OpenJournal?) -> JournalSettings {
        JournalSettings(
            open: open, durability: durability, maxBytes: journalMaxBytes, snapshotInterval: snapshotInterval,
            destinations: Set(destinations.map(\.name)), directory: stateDirectory)
    }

    /// Throws if the lookup query of the user cannot be used.
    package func store() throws(LookupQuery.QueryFault) -> StoreSettings {
        StoreSettings(
            licenseRefresh: licenseRefresh, activityRefresh: activityRefresh, egressRefresh: egressRefresh,
            presenceRefresh: presenceRefresh, purgeInterval: purgeInterval, activityRetention: activityRetention,
            isRetentionSet: isRetentionSet, lookup: try lookup(), asksForRooms: organizationSource == .database)
    }

    /// The query for the organization of a room.
    func lookup() throws(LookupQuery.QueryFault) -> LookupQuery {
        organizationLookupSQL.isEmpty ? .standard : try LookupQuery(sql: organizationLookupSQL)
    }
}

/// The names of the log levels.
private enum LogLevel: String, CaseIterable {
    case debug, info, warning, error
}

extension Log.Level {
    fileprivate init(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}
