import Exporter
import HTTPServing
import Journal
import Pipeline
import Platform
import Recording
import Storage

extension Settings {
    /// The defaults of the program.
    static let standard: Settings = {
        var reader = SettingsReader([:])
        return Settings(&reader)
    }()
}

extension StoreSettings {
    /// The defaults of the program with a database.
    init() {
        let all = Settings.standard
        self.init(
            licenseRefresh: all.licenseRefresh, activityRefresh: all.activityRefresh, egressRefresh: all.egressRefresh,
            presenceRefresh: all.presenceRefresh, purgeInterval: all.purgeInterval,
            activityRetention: all.activityRetention, isRetentionSet: false, lookup: .standard, asksForRooms: true)
    }
}

extension JournalSettings {
    init(
        open: OpenJournal?, durability: Durability = Settings.standard.durability,
        destinations: Set<String> = ["default"], directory: String? = nil
    ) {
        let all = Settings.standard
        self.init(
            open: open, durability: durability, maxBytes: all.journalMaxBytes, snapshotInterval: all.snapshotInterval,
            destinations: destinations, directory: directory)
    }
}

extension RecorderSettings {
    init(
        organizationSource: OrganizationSource, waitingEvents: Int = Settings.standard.queueSize,
        digest: @escaping @Sendable (String) -> UInt64
    ) {
        let all = Settings.standard
        self.init(
            organizationSource: organizationSource, dedupTTL: all.dedupTTL,
            rememberedIDs: all.rememberedIDsMax, seriesTTL: all.seriesTTL,
            stateMaxSilence: all.stateMaxSilence, organizationCacheTTL: all.organizationCacheTTL,
            recordingRetention: all.recordingRetention, waitingEvents: waitingEvents, isSingleSession: false,
            digest: digest)
    }
}

extension ServerSettings {
    init(maxBody: ByteCount = Settings.standard.webhookMaxBody) {
        self.init(maxBody: maxBody, maxConnections: Settings.standard.maxConnections)
    }
}

extension Server {
    convenience init(
        listen: ListenAddress, routes: [Route], onStray: @escaping StrayHandler = { _ in }
    ) throws(ServingError) {
        try self.init(listen: listen, routes: routes, settings: ServerSettings(), onStray: onStray)
    }
}
