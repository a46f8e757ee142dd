import Journal
import Metrics
import Pipeline
import Platform
import Recording
import Status
import Storage

/// The doors of the parts that count: the store, the journal and the recorder, with the metrics that they share.
///
/// A process with a journal of its own has one tenure, as long as it runs. A replica has one for each time that it leads
/// the log. Its doors are used once.
struct TenurePlan: Sendable {
    /// The readings of it have LiveKit's metrics. In a process with a journal of its own, they have all metrics.
    let registry: Registry
    let catalog: Catalog
    let restoration: JournalThread.Restoration
    let storeInbox: StoreInbox
    let openDatabase: OpenDatabase
    let journalInbox: JournalInbox
    let recorderInbox: RecorderInbox
    let journalSettings: JournalSettings
    /// The obstacles to counting. In a process with a journal of its own, they keep webhooks out.
    let readiness: Readiness
    /// Ends the waits for the database and for the journal.
    let interruption: Interruption

    init(
        _ settings: Settings, store: StoreSettings, recorder: RecorderSettings, journal: JournalSettings,
        _ journalInbox: JournalInbox, registry: Registry, readiness: Readiness,
        interruption: Interruption = Interruption(), log: Log, time: any TimeSource
    ) throws {
        self.interruption = interruption
        self.registry = registry
        self.readiness = readiness
        self.journalInbox = journalInbox
        catalog = Catalog(
            in: registry, longBuckets: settings.longBuckets, project: settings.project, region: settings.regionLabel)
        restoration = JournalThread.Restoration(recorder, catalog)
        storeInbox = StoreInbox(store, registry: registry, log: log)
        openDatabase = try StoreDriver.open(settings, interruption: interruption)
        recorderInbox = RecorderInbox(capacity: settings.queueSize, time: time)
        journalSettings = journal
    }

    /// The sizes of the inboxes.
    var tables: [TableMemory] { recorderInbox.tables + storeInbox.tables + journalInbox.tables }

    /// Has threads that wait for the state or the database give up. Any thread may call it.
    func cancelStart() {
        journalInbox.cancelStart()
        storeInbox.endFirstAttempt()
    }
}
