import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Wire

/// The shipper's own metrics: lkpush's names, and the names that the customary alerts for Prometheus ask for.
/// https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
struct ShipperMetrics {
    private let enqueued: Counter?
    private let accepted: Counter?
    private let rejected: Family<Counter>
    private let ambiguous: Counter?
    private let dropped: [DropReason: Counter]
    private let pending: Gauge?
    private let samplesRetried: Counter?
    private let batches: Counter?
    private let deduplicated: Counter?
    private let written: Family<Counter>
    private let fallbacks: Family<Counter>
    private let message: [Message: Gauge]
    private let bytes: Counter?
    private let retries: Counter?
    private let requests: Family<Counter>
    private let errors: Family<Counter>
    private let holds: Counter?
    private let tooLarge: Counter?
    private let split: Counter?
    private let authPaused: Gauge?
    private let lag: Gauge?
    private let queueBytes: Gauge?
    private let oldestAge: Gauge?
    private let lastSuccess: Gauge?
    private let backoff: Gauge?
    private let readings: Counter?
    private let skipped: Family<Counter>
    private let markersGivenUp: Counter?
    private let prometheus: PrometheusMetrics

    init(in registry: Registry, remoteName: String, url: String) {
        func counter(_ name: String, _ help: String) -> Counter? {
            registry.counter("lkpush_remote_write_\(name)_total", help).series()
        }
        func gauge(_ name: String, _ help: String) -> Gauge? {
            registry.gauge("lkpush_remote_write_\(name)", help).series()
        }
        enqueued = counter("samples_enqueued", "Samples read and handed to the sender.")
        accepted = counter("samples_accepted", "Samples that the receiver confirmed.")
        rejected = registry.counter(
            "lkpush_remote_write_samples_rejected_total",
            "Samples that the receiver refused for good: they are lost. By status code.", labels: ["code"])
        ambiguous = counter("samples_ambiguous", "Samples of requests whose answer was lost.")
        let drops = registry.counter(
            "lkpush_remote_write_samples_dropped_total", "Samples given up before they were judged.",
            labels: ["reason"])
        var dropped: [DropReason: Counter] = [:]
        for reason in DropReason.allCases { dropped[reason] = drops.series([reason.rawValue]) }
        self.dropped = dropped
        pending = gauge("samples_pending", "Samples that wait or are under way.")
        samplesRetried = counter("samples_retried", "Samples sent again.")
        batches = counter("batches_enqueued", "Requests made ready.")
        deduplicated = counter(
            "samples_deduplicated", "Accepted samples that the receiver had from another replica (status 202).")
        written = registry.counter(
            "lkpush_remote_write_written_total", "What receivers of remote write 2.0 say that they wrote.",
            labels: ["kind"])
        fallbacks = registry.counter(
            "lkpush_remote_write_fallbacks_total", "Changes from remote write 2.0 to 1.0.", labels: ["why"])
        let messages = registry.gauge(
            "lkpush_remote_write_message", "1 for the message that is sent, 0 for the other.", labels: ["version"])
        var message: [Message: Gauge] = [:]
        for version in Message.allCases { message[version] = messages.series([version.rawValue]) }
        self.message = message
        bytes = counter("bytes_accepted", "Compressed bytes that the receiver confirmed.")
        retries = counter("retries", "Requests sent again.")
        requests = registry.counter(
            "lkpush_remote_write_requests_total", "Answers by status code.", labels: ["code"])
        errors = registry.counter(
            "lkpush_remote_write_errors_total", "Requests without an answer.", labels: ["kind"])
        holds = counter("credential_holds", "Answers that refused the credentials.")
        tooLarge = counter("batches_too_large", "Answers that found a request too large.")
        split = counter("split", "Requests split in two because the receiver found them too large.")
        authPaused = gauge("auth_paused", "1 while everything waits because the credentials were refused.")
        lag = gauge("lag_seconds", "The time between the newest sample read and the newest one confirmed.")
        queueBytes = gauge("queue_bytes", "Memory of the batches that wait.")
        oldestAge = gauge("queue_oldest_age_seconds", "Age of the oldest sample that waits.")
        lastSuccess = gauge("last_success_timestamp_seconds", "When the receiver last confirmed a request.")
        backoff = gauge("backoff_seconds", "The wait before the next request; 0 after a success.")
        readings = counter("readings", "Readings of the registry.")
        skipped = registry.counter(
            "lkpush_remote_write_readings_skipped_total", "Readings left out.", labels: ["reason"])
        markersGivenUp = counter(
            "stale_markers_given_up", "Stale markers that the receiver may never have got.")
        prometheus = PrometheusMetrics(in: registry, labels: [remoteName, url])
    }

    /// Takes over the counters of the delivery.
    func update(_ statistics: DeliveryStatistics, at now: Timestamp) {
        enqueued?.set(total: Double(statistics.enqueued))
        accepted?.set(total: Double(statistics.accepted))
        for (status, total) in statistics.rejectedByStatus {
            rejected.series([String(status)])?.set(total: Double(total))
        }
        ambiguous?.set(total: Double(statistics.ambiguous))
        for (reason, counter) in dropped { counter.set(total: Double(statistics.dropped[reason] ?? 0)) }
        pending?.set(Double(statistics.pending))
        samplesRetried?.set(total: Double(statistics.samplesRetried))
        batches?.set(total: Double(statistics.batchesEnqueued))
        deduplicated?.set(total: Double(statistics.deduplicated))
        let kinds = [
            ("samples", statistics.written.samples), ("histograms", statistics.written.histograms),
            ("exemplars", statistics.written.exemplars),
        ]
        for (kind, total) in kinds { if let total { written.series([kind])?.set(total: Double(total)) } }
        for (reason, total) in statistics.fallbacks { fallbacks.series([reason.rawValue])?.set(total: Double(total)) }
        for (version, gauge) in message { gauge.set(version == statistics.message ? 1 : 0) }
        bytes?.set(total: Double(statistics.bytesAccepted))
        retries?.set(total: Double(statistics.retries))
        for (status, total) in statistics.answers { requests.series([String(status)])?.set(total: Double(total)) }
        holds?.set(total: Double(statistics.holds))
        tooLarge?.set(total: Double(statistics.splits))
        split?.set(total: Double(statistics.batchesSplit))
        authPaused?.set(statistics.isHeld ? 1 : 0)
        if let newest = statistics.newestEnqueued {
            lag?.set(statistics.newestSent.map { max(0, newest.since($0).inSeconds) } ?? 0)
        }
        queueBytes?.set(statistics.queue_bytes)
        oldestAge?.set(statistics.oldestQueued.map { max(0, now.since($0).inSeconds) } ?? 0)
        if let time = statistics.lastSuccess { lastSuccess?.set(time.seconds) }
        backoff?.set(statistics.backoff.inSeconds)
        prometheus.update(statistics)
    }

    func note(markersGivenUp total: UInt64) { markersGivenUp?.set(total: Double(total)) }
    func noteReading() { readings?.increment() }
    func noteSkipped(_ reason: String) { skipped.series([reason])?.increment() }

    func noteCompletion(_ completion: Completion) {
        prometheus.duration?.observe(completion.duration.inSeconds)
        if case .failure(let failure) = completion.outcome {
            errors.series([failure.kind.rawValue])?.increment()
        }
    }

    func note(limits: BatchLimits, maxShards: Int) {
        prometheus.maxSamples?.set(limits.samples)
        prometheus.shardsMax?.set(maxShards)
    }
}

/// The metrics of Prometheus' own sender. Each sample counts once here, however often it is sent.
private struct PrometheusMetrics {
    let sent: Counter?
    let failed: Counter?
    let dropped: Family<Counter>
    let labels: [String]
    let retried: Counter?
    let pending: Gauge?
    let bytes: Counter?
    let duration: Histogram?
    let highest: Gauge?
    let queueHighest: Gauge?
    let highestSent: Gauge?
    let maxSamples: Gauge?
    let shards: Gauge?
    let shardsDesired: Gauge?
    let shardsMax: Gauge?

    init(in registry: Registry, labels values: [String]) {
        let names = ["remote_name", "url"]
        let prefix = "prometheus_remote_storage_"
        func counter(_ name: String, _ help: String) -> Counter? {
            registry.counter(prefix + name, help, labels: names).series(values)
        }
        func gauge(_ name: String, _ help: String) -> Gauge? {
            registry.gauge(prefix + name, help, labels: names).series(values)
        }
        labels = values
        sent = counter("samples_total", "Samples that the receiver took.")
        failed = counter("samples_failed_total", "Samples that the receiver refused for good.")
        dropped = registry.counter(
            prefix + "samples_dropped_total", "Samples given up before they were judged.", labels: names + ["reason"])
        retried = counter("samples_retried_total", "Samples sent again.")
        pending = gauge("samples_pending", "Samples that wait or are under way.")
        bytes = counter("bytes_total", "Compressed bytes that the receiver confirmed.")
        duration = registry.histogram(
            prefix + "sent_batch_duration_seconds", "Duration of requests.", labels: names,
            bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60]
        ).series(values)
        highest = registry.gauge(
            prefix + "highest_timestamp_in_seconds", "Time of the newest sample read."
        ).series()
        queueHighest = gauge("queue_highest_timestamp_seconds", "Time of the newest sample handed to the sender.")
        highestSent = gauge("queue_highest_sent_timestamp_seconds", "Time of the newest sample sent.")
        maxSamples = gauge("max_samples_per_send", "Most samples in one request.")
        shards = gauge("shards", "Requests that may run at once.")
        shardsDesired = gauge(
            "shards_desired", "Requests at once that would send everything that waits within a push interval.")
        shardsMax = gauge("shards_max", "Most requests that may run at once: REMOTE_WRITE_MAX_SHARDS.")
        gauge("shards_min", "Fewest requests that may run at once.")?.set(1)
    }

    func update(_ statistics: DeliveryStatistics) {
        sent?.set(total: Double(statistics.accepted + statistics.ambiguous))
        failed?.set(total: Double(statistics.rejected))
        for (reason, total) in statistics.dropped {
            dropped.series(labels + [reason.rawValue])?.set(total: Double(total))
        }
        retried?.set(total: Double(statistics.samplesRetried))
        pending?.set(Double(statistics.pending))
        bytes?.set(total: Double(statistics.bytesAccepted))
        shards?.set(statistics.shards)
        shardsDesired?.set(statistics.shardsDesired)
        if let newest = statistics.newestEnqueued {
            highest?.set(newest.seconds)
            queueHighest?.set(newest.seconds)
        }
        if let newest = statistics.newestSent { highestSent?.set(newest.seconds) }
    }
}
