import Metrics
import RemoteWrite
import Wire

/// The metrics of Prometheus' own sender, for all destinations.
struct PrometheusFamilies {
    static let prefix = "prometheus_remote_storage_"
    static let labels = ["remote_name", "url"]

    let sent: Family<Counter>
    let failed: Family<Counter>
    let dropped: Family<Counter>
    let retried: Family<Counter>
    let pending: Family<Gauge>
    let bytes: Family<Counter>
    let duration: Family<Histogram>
    /// Prometheus has this one without labels, for all its queues.
    let highest: Gauge?
    let queueHighest: Family<Gauge>
    let highestSent: Family<Gauge>
    let maxSamples: Family<Gauge>
    let shards: Family<Gauge>
    let shardsDesired: Family<Gauge>
    let shardsMax: Family<Gauge>
    let shardsMin: Family<Gauge>

    init(in registry: Registry) {
        func counter(_ name: String, _ help: String, _ label: String? = nil) -> Family<Counter> {
            registry.counter(Self.prefix + name, help, labels: Self.labels + (label.map { [$0] } ?? []))
        }
        func gauge(_ name: String, _ help: String) -> Family<Gauge> {
            registry.gauge(Self.prefix + name, help, labels: Self.labels)
        }
        sent = counter("samples_total", "Samples that the receiver took.")
        failed = counter("samples_failed_total", "Samples that the receiver refused for good.")
        dropped = counter("samples_dropped_total", "Samples given up before they were judged.", "reason")
        retried = counter("samples_retried_total", "Samples sent again.")
        pending = gauge("samples_pending", "Samples that wait or are under way.")
        bytes = counter("bytes_total", "Compressed bytes that the receiver confirmed.")
        duration = registry.histogram(
            Self.prefix + "sent_batch_duration_seconds", "Duration of requests.", labels: Self.labels,
            bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60])
        highest = registry.gauge(
            Self.prefix + "highest_timestamp_in_seconds", "Time of the newest sample read."
        ).series()
        queueHighest = gauge("queue_highest_timestamp_seconds", "Time of the newest sample handed to the sender.")
        highestSent = gauge("queue_highest_sent_timestamp_seconds", "Time of the newest sample sent.")
        maxSamples = gauge("max_samples_per_send", "Most samples in one request.")
        shards = gauge("shards", "Requests that may run at once.")
        shardsDesired = gauge(
            "shards_desired", "Requests at once that would send everything that waits within a push interval.")
        shardsMax = gauge("shards_max", "Most requests that may run at once: REMOTE_WRITE_MAX_SHARDS.")
        shardsMin = gauge("shards_min", "Fewest requests that may run at once.")
    }
}

/// The metrics of Prometheus' own sender, for one destination. Each sample counts once here, however often it is sent.
struct PrometheusMetrics {
    private let dropped: Family<Counter>
    private let labels: [String]
    private let sent: Counter?
    private let failed: Counter?
    private let retried: Counter?
    private let pending: Gauge?
    private let bytes: Counter?
    private let highest: Gauge?
    private let queueHighest: Gauge?
    private let highestSent: Gauge?
    private let shards: Gauge?
    private let shardsDesired: Gauge?
    let duration: Histogram?
    let maxSamples: Gauge?
    let shardsMax: Gauge?

    init(_ families: PrometheusFamilies, _ labels: [String]) {
        self.labels = labels
        dropped = families.dropped
        sent = families.sent.series(labels)
        failed = families.failed.series(labels)
        retried = families.retried.series(labels)
        pending = families.pending.series(labels)
        bytes = families.bytes.series(labels)
        duration = families.duration.series(labels)
        highest = families.highest
        queueHighest = families.queueHighest.series(labels)
        highestSent = families.highestSent.series(labels)
        maxSamples = families.maxSamples.series(labels)
        shards = families.shards.series(labels)
        shardsDesired = families.shardsDesired.series(labels)
        shardsMax = families.shardsMax.series(labels)
        families.shardsMin.series(labels)?.set(1)
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
