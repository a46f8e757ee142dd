import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Wire

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
    init(_ families: ShipperFamilies, destination: String, remoteName: String, url: String) {
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
        prometheus = PrometheusMetrics(families.prometheus, [remoteName, url])
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

    /// The family of the samples that were lost from spools, of any destination.
    var spoolDropped: Family<Counter> { families.spool.dropped }

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
