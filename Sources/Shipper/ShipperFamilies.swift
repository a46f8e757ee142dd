import Metrics

/// The metrics of all destinations: lkpush's names, and the names that the customary alerts for Prometheus ask for.
/// https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
struct ShipperFamilies {
    private static let prefix = "lkpush_remote_write_"
    private static let label = "destination"

    let enqueued: Family<Counter>
    let accepted: Family<Counter>
    let rejected: Family<Counter>
    let ambiguous: Family<Counter>
    let dropped: Family<Counter>
    let pending: Family<Gauge>
    let samplesRetried: Family<Counter>
    let batches: Family<Counter>
    let deduplicated: Family<Counter>
    let written: Family<Counter>
    let fallbacks: Family<Counter>
    let message: Family<Gauge>
    let bytes: Family<Counter>
    let retries: Family<Counter>
    let requests: Family<Counter>
    let errors: Family<Counter>
    let holds: Family<Counter>
    let tooLarge: Family<Counter>
    let split: Family<Counter>
    let authPaused: Family<Gauge>
    let lag: Family<Gauge>
    let queueBytes: Family<Gauge>
    let oldestAge: Family<Gauge>
    let lastSuccess: Family<Gauge>
    let backoff: Family<Gauge>
    let merged: Family<Counter>
    let markersGivenUp: Family<Counter>
    let spool: SpoolFamilies
    let prometheus: PrometheusFamilies

    init(in registry: Registry) {
        func counter(_ name: String, _ help: String, _ label: String? = nil) -> Family<Counter> {
            registry.counter(Self.prefix + name + "_total", help, labels: [Self.label] + (label.map { [$0] } ?? []))
        }
        func gauge(_ name: String, _ help: String, _ label: String? = nil) -> Family<Gauge> {
            registry.gauge(Self.prefix + name, help, labels: [Self.label] + (label.map { [$0] } ?? []))
        }
        enqueued = counter(
            "samples_enqueued", "Samples read and handed to the sender, and those of an earlier process.")
        accepted = counter("samples_accepted", "Samples that the receiver confirmed.")
        rejected = counter(
            "samples_rejected", "Samples that the receiver refused for good: they are lost. By status code.", "code")
        ambiguous = counter("samples_ambiguous", "Samples of requests whose answer was lost.")
        dropped = counter("samples_dropped", "Samples given up before they were judged.", "reason")
        pending = gauge("samples_pending", "Samples that wait, in memory or in the spool, or are under way.")
        samplesRetried = counter("samples_retried", "Samples sent again.")
        batches = counter("batches_enqueued", "Requests made ready.")
        deduplicated = counter(
            "samples_deduplicated", "Accepted samples that the receiver had from another replica (status 202).")
        written = counter("written", "What receivers of remote write 2.0 say that they wrote.", "kind")
        fallbacks = counter("fallbacks", "Changes from remote write 2.0 to 1.0.", "why")
        message = gauge("message", "1 for the message that is sent, 0 for the other.", "version")
        bytes = counter("bytes_accepted", "Compressed bytes that the receiver confirmed.")
        retries = counter("retries", "Requests sent again.")
        requests = counter("requests", "Answers by status code.", "code")
        errors = counter("errors", "Requests without an answer.", "kind")
        holds = counter("credential_holds", "Answers that refused the credentials.")
        tooLarge = counter("batches_too_large", "Answers that found a request too large.")
        split = counter("split", "Requests split in two because the receiver found them too large.")
        authPaused = gauge("auth_paused", "1 while everything waits because the credentials were refused.")
        lag = gauge("lag_seconds", "The time between the newest sample read and the newest one confirmed.")
        queueBytes = gauge("queue_bytes", "Memory of the batches that wait.")
        oldestAge = gauge("queue_oldest_age_seconds", "Age of the oldest sample that waits.")
        lastSuccess = gauge("last_success_timestamp_seconds", "When the receiver last confirmed a request.")
        backoff = gauge("backoff_seconds", "The wait before the next request; 0 after a success.")
        merged = counter(
            "readings_merged", "Readings that were left out because the journal or the disk kept this destination busy."
        )
        markersGivenUp = counter("stale_markers_given_up", "Stale markers that the receiver may never have got.")
        spool = SpoolFamilies(in: registry, Self.prefix + "spool_", Self.label)
        prometheus = PrometheusFamilies(in: registry)
    }
}
