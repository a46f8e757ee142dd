import Metrics

/// The kinds of entities that are compared. The raw value is the label value of `entity`.
package enum PolledEntity: String, Sendable, CaseIterable {
    case room, participant, track, egress, ingress
}

/// The metrics of the polls. The recorder counts the corrections itself, when it makes them.
struct PollMetrics: Sendable {
    let drift: Family<Gauge>
    let ghosts: Family<Gauge>
    let conflicts: Family<Counter>
    let untrusted: Family<Counter>
    let requests: Family<Counter>
    let lastSuccess: Family<Gauge>

    init(in registry: Registry) {
        drift = registry.gauge(
            "lkpush_reconcile_drift",
            "Entities that LiveKit's API has and lkpush has not (missing), or the other way round (extra).",
            labels: ["entity", "direction"])
        ghosts = registry.gauge(
            "lkpush_reconcile_ghosts", "Entities that only LiveKit's API has, though they have ended.",
            labels: ["entity"])
        conflicts = registry.counter(
            "lkpush_reconcile_conflicts_total",
            "Confirmed differences that were not corrected, because answers of LiveKit's API contradict each other.",
            labels: ["entity"])
        untrusted = registry.counter(
            "lkpush_reconcile_untrusted_total",
            "Polls of LiveKit's API that corrected nothing, or only later, because their lists are suspicious.",
            labels: ["reason"])
        requests = registry.counter(
            "lkpush_reconcile_requests_total", "Calls of LiveKit's API, by status or by the kind of failure.",
            labels: ["call", "code"])
        lastSuccess = registry.gauge(
            "lkpush_reconcile_last_success_timestamp_seconds",
            "Time of the last poll of LiveKit's API whose lists were all complete, in Unix seconds.")
    }
}
