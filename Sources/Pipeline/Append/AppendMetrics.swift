import Metrics
import Platform
import Wire

/// The metrics of what appends to a shared log.
struct AppendMetrics: Sendable {
    private let appended: Counter?
    private let seconds: Histogram?
    private let failures: Counter?
    private let waiting: Gauge?
    private let spilled: Counter?
    private let forwarded: Counter?
    private let lost: Counter?
    private let size: Gauge?

    init(in registry: Registry) {
        appended = registry.counter(
            "lkpush_log_appended_events_total", "Events that this replica appended to the shared log."
        ).series()
        seconds = registry.histogram(
            "lkpush_log_append_duration_seconds", "How long appends to the shared log took, in seconds.",
            bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
        ).series()
        failures = registry.counter(
            "lkpush_log_append_failures_total", "Appends to the shared log that failed, or whose outcome is unknown."
        ).series()
        waiting = registry.gauge(
            "lkpush_spill_events", "Events that wait in STATE_DIR until the shared log can be reached."
        ).series()
        spilled = registry.counter(
            "lkpush_spilled_events_total", "Events written to STATE_DIR because the shared log could not be reached."
        ).series()
        forwarded = registry.counter(
            "lkpush_spill_forwarded_events_total", "Events of STATE_DIR that were appended to the shared log later."
        ).series()
        lost = registry.counter(
            "lkpush_spill_lost_events_total", "Events of STATE_DIR that could not be read any more."
        ).series()
        size = registry.gauge("lkpush_spill_size_bytes", "What the events that wait in STATE_DIR take.").series()
    }

    func noteAppended(_ events: Int, took: Duration) {
        appended?.increment(by: Double(events))
        seconds?.observe(took.inSeconds)
    }
    func noteFailure() { failures?.increment() }
    func noteSpilled(_ events: Int) { spilled?.increment(by: Double(events)) }
    func noteForwarded(_ events: Int) { forwarded?.increment(by: Double(events)) }
    func noteLost(_ events: Int) { lost?.increment(by: Double(events)) }
    func note(waiting events: Int, size_bytes: Int) {
        waiting?.set(events)
        size?.set(size_bytes)
    }
}
