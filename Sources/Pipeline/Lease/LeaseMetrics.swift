import Journal
import Metrics
import Platform
import Synchronization
import Wire

/// The metrics of the lease of a log.
struct LeaseMetrics: Sendable {
    private let begun: Counter?
    private let lost: Counter?
    private let losses: Counter?
    private let deaths: Counter?

    init(in registry: Registry) {
        begun = registry.counter("lkpush_leaderships_total", "Times that this replica began to lead the shared log.")
            .series()
        lost = registry.counter(
            "lkpush_leaderships_lost_total", "Times that another replica took over because this one was silent."
        ).series()
        losses = registry.counter(
            "lkpush_log_losses_total", "Times that the shared log was found to have lost its end."
        ).series()
        deaths = JournalMetrics.deathCounter(in: registry)
    }

    func noteLoss() { losses?.increment() }
    func noteEventDeath() { deaths?.increment() }
    func noteBegun() { begun?.increment() }
    func noteLost() { lost?.increment() }

    /// Declares the gauges that show the lease.
    static func show(_ published: PublishedLease, in registry: Registry, time: any TimeSource) {
        let leads = registry.gauge("lkpush_leader", "1 while this replica leads the shared log, else 0.").series()
        let last = registry.gauge("lkpush_log_last_event", "The number of the last event in the shared log.").series()
        let behind = registry.gauge(
            "lkpush_log_events_behind", "Events in the shared log that no leader has applied, as this replica saw it."
        ).series()
        let age = registry.gauge(
            "lkpush_log_contact_age_seconds", "The time since this replica last read the lease of the shared log."
        )
        let begin = time.monotonic()
        registry.onRead {
            let condition = published.state.withLock { $0 }
            leads?.set(condition.epoch == nil ? 0 : 1)
            age.series()?.set(time.monotonic().since(condition.readAt ?? begin).inSeconds)
            guard let record = condition.record else { return }
            last?.set(Int(record.lastEvent))
            behind?.set(Int(max(0, record.lastEvent - record.applied)))
        }
    }
}
