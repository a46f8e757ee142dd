import Journal
import JournalPostgres
import JournalSQLite
import Metrics
import Pipeline
import Platform
import Postgres
import Shipper

/// The settings of what a replica has beside its tenures, made before anything starts.
struct ReplicaPlan: Sendable {
    enum Limits {
        /// The least time between two snapshots. A new leader applies the events of so long in seconds, and each snapshot
        /// goes through the log of the database.
        static let snapshotInterval = Duration.seconds(600)
        /// The end of the names of destinations of a replica's own metrics. No configured name has a hyphen.
        static let ownSuffix = "-own"
    }

    let journal: SharedJournal
    private let url: PostgresURL
    /// Ends the waits of appends, and those of the lease.
    let appendInterruption = Interruption()
    let leaseInterruption = Interruption()
    /// The label `instance` of what is counted, whoever leads.
    let instance: String
    let appendInbox: AppendInbox
    let appendSettings: AppendSettings
    let openSpill: OpenSpill?
    let lease: LeaseSettings
    private let marks: LogMarks?
    private let hand: EventInHand?
    /// One for each destination, for the metrics about this process.
    let ownDestinations: [ShipperSettings]

    init(
        _ journal: SharedJournal, _ settings: Settings, answers: WebhookAnswers, isTrial: Bool
    ) throws {
        self.journal = journal
        url = try PostgresURL(journal.url.read().exposed)
        instance = settings.instance.isEmpty ? journal.name : settings.instance
        appendInbox = AppendInbox(answers: answers)
        let directory = settings.stateDirectory
        let keeps = settings.durability == .commit && !isTrial
        // Without a folder of its own, a replica knows nothing of what was before. That is no reason not to start; the
        // spill says what is wrong with the folder.
        let lock = keeps ? Self.lock(directory) : nil
        let marks = lock == nil ? nil : try? LogMarks(path: "\(directory)/\(LogMarks.fileName)")
        let hand = lock == nil ? nil : try? EventInHand(path: "\(directory)/\(EventInHand.fileName)")
        self.marks = marks
        self.hand = hand
        appendSettings = AppendSettings(maxSpill: settings.journalMaxBytes, marks: marks)
        openSpill = keeps ? Self.spill(in: directory, lock) : nil
        lease = LeaseSettings(
            ttl: journal.leaseTTL, holder: InstanceName.host,
            configuration: settings.logConfiguration(instance: instance),
            marks: marks, hand: hand)
        ownDestinations = try settings.destinations(instance: InstanceName.host).map { destination in
            var own = destination
            own.destination += Limits.ownSuffix
            return own
        }
    }

    private static func lock(_ directory: String) -> StateLock? {
        guard case .taken(let lock) = try? StateLock.take(directory: directory) else { return nil }
        return lock
    }

    private static func spill(in directory: String, _ lock: StateLock?) -> OpenSpill {
        { () throws(JournalError) in try SQLiteSpill(directory: directory, lock: lock) }
    }

    private func log(_ interruption: Interruption) -> PostgresLog {
        // A password in a file may have changed.
        let now = (try? journal.url.read()).flatMap { try? PostgresURL($0.exposed) }
        return PostgresLog(url: now ?? url, name: journal.name, interruption: interruption)
    }

    /// Makes the end of the log.
    func eventLog() -> any EventLog { log(appendInterruption).eventLog() }

    /// Makes the lease of the log.
    func logLease() -> any LogLease { log(leaseInterruption).lease() }

    /// Looks whether commits of the log wait for a standby. Nil if it cannot be found out.
    func look(_ interruption: Interruption) -> Bool? { try? log(interruption).look().waitsForStandby }

    /// Makes the doors of a tenure.
    ///
    /// - Parameters:
    ///   - process: the parts that live with the process.
    ///   - registry: a part of the registry of the process.
    ///   - noteReplaced: is called on the journal thread when a commit was refused.
    func tenure(
        epoch: Int64, of process: Plan, _ settings: Settings, in registry: Registry, log: Log, time: any TimeSource,
        noteReplaced: @escaping @Sendable () -> Void
    ) throws -> TenurePlan {
        let heldReadings = Self.heldReadings(in: registry)
        let interruption = Interruption()
        var journal = settings.journal(
            open: self.log(interruption).journal(epoch: epoch, snapshotFormat: JournalThread.snapshotFormat))
        journal.share(
            room: settings.queueSize, snapshotInterval: Limits.snapshotInterval, marks: marks, hand: hand)
        return try TenurePlan(
            settings, store: process.storeSettings, recorder: process.recorderSettings, journal: journal,
            JournalInbox(
                answers: process.answers, noteHeld: { heldReadings?.increment() }, noteReplaced: noteReplaced,
                time: time),
            registry: registry, readiness: Readiness(), interruption: interruption, log: log, time: time)
    }

    private static func heldReadings(in registry: Registry) -> Counter? {
        registry.counter(
            "lkpush_readings_held_total",
            "Readings whose samples are held because the shared log could not be written in time."
        ).series()
    }

    /// Declares the metrics of a tenure that does not begin, for a list of all names.
    static func declareMetrics(in registry: Registry) { _ = heldReadings(in: registry) }
}
