import Metrics
import RemoteWrite
import Wire

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

/// The metrics of the spool of one destination.
struct SpoolMetrics {
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
