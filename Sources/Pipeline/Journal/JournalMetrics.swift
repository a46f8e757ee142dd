package import Metrics
import Platform
import Wire

/// The journal's own metrics. Every counter is there from the start, so that its first increment is seen.
struct JournalMetrics: Sendable {
    private let commits: Family<Counter>
    private let commit_seconds: Histogram?
    private let events: Counter?
    private let damaged: Counter?
    private let copies: Counter?
    private let snapshots: Family<Counter>
    private let snapshot_seconds: Histogram?
    private let replayed: Counter?
    private let deadLetters: Counter?
    private let eventDeaths: Counter?
    private let eventsSetAside: Counter?
    private let size: Gauge?
    private let snapshotSize: Gauge?
    private let snapshotTime: Gauge?
    private let isUp: Family<Gauge>
    private let diskFree: Family<Gauge>
    private let diskSize: Family<Gauge>

    init(in registry: Registry) {
        commits = registry.counter(
            "lkpush_journal_commits_total", "Commits of the journal, each one write to the disk.", labels: ["result"])
        commit_seconds =
            registry.histogram(
                "lkpush_journal_commit_seconds", "How long commits of the journal took, in seconds.",
                bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
            ).series()
        events = registry.counter("lkpush_journal_events_total", "Events committed to the journal.").series()
        damaged =
            registry.counter("lkpush_state_damaged_total", "Files and parts of the state that were found damaged.")
            .series()
        copies =
            registry.counter(
                "lkpush_state_copies_total",
                "Times that another copy of the state was found to write to the database."
            ).series()
        snapshots = registry.counter(
            "lkpush_snapshots_total", "Snapshots of the state by what became of them.", labels: ["result"])
        snapshot_seconds =
            registry.histogram(
                "lkpush_snapshot_pause_seconds", "How long snapshots kept the recorder from events, in seconds.",
                bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
            ).series()
        replayed =
            registry.counter("lkpush_journal_replayed_total", "Entries of the journal replayed at the start.").series()
        deadLetters =
            registry.counter(
                "lkpush_rows_set_aside_total", "Rows kept in the journal because the database refused them."
            )
            .series()
        eventDeaths = Self.deathCounter(in: registry)
        eventsSetAside =
            registry.counter(
                "lkpush_events_set_aside_total", "Events that are not counted because processes died of them."
            ).series()
        size = registry.gauge("lkpush_journal_size_bytes", "What the journal takes on disk.").series()
        snapshotSize = registry.gauge("lkpush_snapshot_size_bytes", "The size of the last snapshot.").series()
        snapshotTime =
            registry.gauge("lkpush_snapshot_timestamp_seconds", "When the last snapshot was made, in Unix seconds.")
            .series()
        isUp = registry.gauge(
            "lkpush_journal_up", "Whether the journal can be written; absent while there is none.")
        diskFree = registry.gauge(
            "lkpush_state_disk_free_bytes", "What lkpush may still write to the file system of STATE_DIR.")
        diskSize = registry.gauge("lkpush_state_disk_size_bytes", "The size of the file system of STATE_DIR.")
        for result in ["done", "failed"] {
            _ = commits.series([result])
            _ = snapshots.series([result])
        }
    }

    func noteCommit(took: Duration, events count: Int) {
        commits.series(["done"])?.increment()
        commit_seconds?.observe(took.inSeconds)
        if count > 0 { events?.increment(by: Double(count)) }
    }

    func noteFailedCommit() {
        commits.series(["failed"])?.increment()
        noteDown()
    }

    func noteUp() { isUp.series()?.set(1) }
    func noteDown() { isUp.series()?.set(0) }
    /// Notes that lkpush runs without a journal: nothing has failed.
    func noteAbsent() { isUp.end([]) }
    func note(size_bytes: Int) { size?.set(size_bytes) }

    /// Notes the room on the file system of the state. Nil ends the series: an old number would hide a trouble.
    func note(disk space: Folder.Space?) {
        guard let space else {
            diskFree.end([])
            return diskSize.end([])
        }
        diskFree.series()?.set(space.free_bytes)
        diskSize.series()?.set(space.size_bytes)
    }

    func noteSnapshot(of time: Timestamp, size_bytes: Int) {
        snapshotSize?.set(size_bytes)
        snapshotTime?.set(time.seconds)
    }

    func noteDamage(_ count: Int = 1) { damaged?.increment(by: Double(count)) }
    func noteCopy() { copies?.increment() }
    func noteEncoded(took: Duration) { snapshot_seconds?.observe(took.inSeconds) }
    func noteReplayed(_ count: Int) { replayed?.increment(by: Double(count)) }
    /// Declares the counter of deaths. Whoever finds one counts it: this thread, or that of the lease of a shared log.
    static func deathCounter(in registry: Registry) -> Counter? {
        registry.counter(
            "lkpush_event_deaths_total",
            "Deaths of the process before, found at the start, while it applied an event."
        ).series()
    }

    func noteEventDeath() { eventDeaths?.increment() }
    func noteEventSetAside() { eventsSetAside?.increment() }
    func noteDeadLetters(_ count: Int) { deadLetters?.increment(by: Double(count)) }
    func noteSnapshot(isSaved: Bool) { snapshots.series([isSaved ? "done" : "failed"])?.increment() }
}

extension JournalThread {
    /// Declares the counter of deaths. Whoever finds one counts it: this thread, or that of the lease of a shared log.
    static func deathCounter(in registry: Registry) -> Counter? {
        registry.counter(
            "lkpush_event_deaths_total",
            "Deaths of the process before, found at the start, while it applied an event."
        ).series()
    }

    /// Declares the metrics of a journal that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) { _ = JournalMetrics(in: registry) }
}
