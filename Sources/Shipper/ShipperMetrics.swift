import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Wire

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
        enqueued = counter("samples_enqueued", "Samples read and handed to the sender, and those of an earlier process.")
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
            "readings_merged", "Readings that were left out because the journal or the disk kept this destination busy.")
        markersGivenUp = counter("stale_markers_given_up", "Stale markers that the receiver may never have got.")
        spool = SpoolFamilies(in: registry, Self.prefix + "spool_", Self.label)
        prometheus = PrometheusFamilies(in: registry)
    }
}

/// The metrics of the spools.
struct SpoolFamilies {
    /// The reasons for which samples in a spool are dropped.
    static let reasons: [DropReason] = [.spoolFull, .diskReserve, .tooOld, .damaged]

    let bytes: Family<Gauge>
    let samples: Family<Gauge>
    let oldestAge: Family<Gauge>
    let lasts: Family<Gauge>
    let written: Family<Counter>
    let dropped: Family<Counter>
    let damaged: Family<Counter>
    let failures: Family<Counter>
    let reserveReached: Family<Gauge>

    init(in registry: Registry, _ prefix: String, _ label: String) {
        bytes = registry.gauge(prefix + "bytes", "Bytes of the samples in the spool.", labels: [label])
        samples = registry.gauge(prefix + "samples", "Samples in the spool.", labels: [label])
        oldestAge = registry.gauge(
            prefix + "oldest_age_seconds", "Age of the oldest sample in the spool; 0 if it is empty.", labels: [label])
        lasts = registry.gauge(
            prefix + "lasts_seconds",
            "The time for which an empty spool would hold all samples, at the rate of the last reading.",
            labels: [label])
        written = registry.counter(
            prefix + "samples_written_total", "Samples written to the spool.", labels: [label])
        dropped = registry.counter(
            prefix + "samples_dropped_total", "Samples lost from the spool, by reason.", labels: [label, "reason"])
        damaged = registry.counter(
            prefix + "damaged_rows_total", "Rows of the spool that could not be read.", labels: [label])
        failures = registry.counter(
            prefix + "failures_total", "Operations on the spool that failed: samples wait in memory only.",
            labels: [label])
        reserveReached = registry.gauge(
            prefix + "reserve_reached",
            "1 while the file system has no room for the spool: it keeps the last 10 %, at least 128 MiB, free.",
            labels: [label])
    }
}

/// The metrics of the readings, which all destinations share.
struct ReaderMetrics {
    private let readings: Counter?
    private let skipped: Family<Counter>

    init(in registry: Registry) {
        readings = registry.counter("lkpush_remote_write_readings_total", "Readings of the registry.").series()
        skipped = registry.counter(
            "lkpush_remote_write_readings_skipped_total", "Readings left out.", labels: ["reason"])
    }

    func noteReading() { readings?.increment() }
    func noteSkipped(_ reason: String) { skipped.series([reason])?.increment() }
}

/// The metrics of one destination.
struct ShipperMetrics {
    private let families: ShipperFamilies
    private let destination: String
    private let enqueued: Counter?
    private let accepted: Counter?
    private let ambiguous: Counter?
    private let dropped: [DropReason: Counter]
    private let pending: Gauge?
    private let samplesRetried: Counter?
    private let batches: Counter?
    private let deduplicated: Counter?
    private let message: [Message: Gauge]
    private let bytes: Counter?
    private let retries: Counter?
    private let holds: Counter?
    private let tooLarge: Counter?
    private let split: Counter?
    private let authPaused: Gauge?
    private let lag: Gauge?
    private let queueBytes: Gauge?
    private let oldestAge: Gauge?
    private let lastSuccess: Gauge?
    private let backoff: Gauge?
    private let merged: Counter?
    private let markersGivenUp: Counter?
    private let spool: SpoolMetrics
    private let prometheus: PrometheusMetrics

    /// - Parameter url: the address without its secret parts.
    init(_ families: ShipperFamilies, destination: String, url: String) {
        let own = [destination]
        self.families = families
        self.destination = destination
        enqueued = families.enqueued.series(own)
        accepted = families.accepted.series(own)
        ambiguous = families.ambiguous.series(own)
        var dropped: [DropReason: Counter] = [:]
        for reason in DropReason.allCases { dropped[reason] = families.dropped.series(own + [reason.rawValue]) }
        self.dropped = dropped
        pending = families.pending.series(own)
        samplesRetried = families.samplesRetried.series(own)
        batches = families.batches.series(own)
        deduplicated = families.deduplicated.series(own)
        var message: [Message: Gauge] = [:]
        for version in Message.allCases { message[version] = families.message.series(own + [version.rawValue]) }
        self.message = message
        bytes = families.bytes.series(own)
        retries = families.retries.series(own)
        holds = families.holds.series(own)
        tooLarge = families.tooLarge.series(own)
        split = families.split.series(own)
        authPaused = families.authPaused.series(own)
        lag = families.lag.series(own)
        queueBytes = families.queueBytes.series(own)
        oldestAge = families.oldestAge.series(own)
        lastSuccess = families.lastSuccess.series(own)
        backoff = families.backoff.series(own)
        merged = families.merged.series(own)
        markersGivenUp = families.markersGivenUp.series(own)
        spool = SpoolMetrics(families.spool, own)
        prometheus = PrometheusMetrics(families.prometheus, [destination, url])
    }

    /// Takes over the counters of the delivery.
    func update(_ statistics: DeliveryStatistics, at now: Timestamp) {
        let own = [destination]
        enqueued?.set(total: Double(statistics.enqueued))
        accepted?.set(total: Double(statistics.accepted))
        for (status, total) in statistics.rejectedByStatus {
            families.rejected.series(own + [String(status)])?.set(total: Double(total))
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
        for (kind, total) in kinds {
            if let total { families.written.series(own + [kind])?.set(total: Double(total)) }
        }
        for (reason, total) in statistics.fallbacks {
            families.fallbacks.series(own + [reason.rawValue])?.set(total: Double(total))
        }
        for (version, gauge) in message { gauge.set(version == statistics.message ? 1 : 0) }
        bytes?.set(total: Double(statistics.bytesAccepted))
        retries?.set(total: Double(statistics.retries))
        for (status, total) in statistics.answers {
            families.requests.series(own + [String(status)])?.set(total: Double(total))
        }
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
        spool.update(statistics, at: now)
        prometheus.update(statistics)
    }

    func note(markersGivenUp total: UInt64) { markersGivenUp?.set(total: Double(total)) }
    func note(merged total: UInt64) { merged?.set(total: Double(total)) }
    func note(damagedRows rows: Int) { spool.damaged?.increment(by: Double(rows)) }
    func note(spoolLasts lasts: Duration) { spool.lasts?.set(lasts.inSeconds) }
    func note(isReserveReached: Bool) { spool.reserveReached?.set(isReserveReached ? 1 : 0) }

    func noteCompletion(_ completion: Completion) {
        prometheus.duration?.observe(completion.duration.inSeconds)
        if case .failure(let failure) = completion.outcome {
            families.errors.series([destination, failure.kind.rawValue])?.increment()
        }
    }

    func note(limits: BatchLimits, maxShards: Int) {
        prometheus.maxSamples?.set(limits.samples)
        prometheus.shardsMax?.set(maxShards)
    }
}

/// The metrics of the spool of one destination.
private struct SpoolMetrics {
    private let bytes: Gauge?
    private let samples: Gauge?
    private let oldestAge: Gauge?
    private let written: Counter?
    private let dropped: [DropReason: Counter]
    private let failures: Counter?
    let lasts: Gauge?
    let damaged: Counter?
    let reserveReached: Gauge?

    init(_ families: SpoolFamilies, _ own: [String]) {
        bytes = families.bytes.series(own)
        samples = families.samples.series(own)
        oldestAge = families.oldestAge.series(own)
        written = families.written.series(own)
        var dropped: [DropReason: Counter] = [:]
        for reason in SpoolFamilies.reasons { dropped[reason] = families.dropped.series(own + [reason.rawValue]) }
        self.dropped = dropped
        failures = families.failures.series(own)
        lasts = families.lasts.series(own)
        damaged = families.damaged.series(own)
        reserveReached = families.reserveReached.series(own)
    }

    func update(_ statistics: DeliveryStatistics, at now: Timestamp) {
        bytes?.set(statistics.spool_bytes)
        samples?.set(statistics.spoolSamples)
        oldestAge?.set(statistics.oldestSpooled.map { max(0, now.since($0).inSeconds) } ?? 0)
        written?.set(total: Double(statistics.samplesSpooled))
        for (reason, counter) in dropped { counter.set(total: Double(statistics.dropped[reason] ?? 0)) }
        failures?.set(total: Double(statistics.spoolFailures))
    }
}

/// The metrics of Prometheus' own sender, for all destinations.
struct PrometheusFamilies {
    static let prefix = "prometheus_remote_storage_"
    /// The label `remote_name` is the name of the destination.
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
private struct PrometheusMetrics {
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
