import Metrics

/// The metrics that the status documents show. A test fails if one of them is not declared.
package enum StatusMetric: String, CaseIterable {
    case rooms = "lk_room_active"
    case participants = "lk_participants_active"
    case tracks = "lk_tracks_active"
    case egresses = "lk_egress_active"
    case ingresses = "lk_ingress_active"
    case organizationInfo = "lk_org_info"
    case events = "lk_webhook_events_total"
    case duplicates = "lk_webhook_duplicates_total"
    case lag = "lk_webhook_delivery_lag_seconds"
    case lookupFailures = "lk_org_lookup_failures_total"

    case connectionsActive = "lk_connections_active"
    case connectionSeconds = "lk_connection_seconds_total"
    case agentsRunning = "lk_agent_jobs_active"
    case agentsPending = "lk_agent_jobs_pending"
    case calls = "lk_sip_calls_active"
    case usageAhead = "lkpush_usage_ahead_seconds"
    case usageUncertain = "lkpush_uncertain_seconds_total"
    case usageRowsWaiting = "lkpush_usage_rows_waiting"
    case usageRowsLost = "lkpush_usage_rows_lost_total"
    case tablesWithheld = "lkpush_database_table_withheld"

    case rejected = "lkpush_webhook_rejected_total"
    case queue = "lkpush_webhook_queue_events"
    case queueCapacity = "lkpush_webhook_queue_capacity_events"
    case requestsWaiting = "lkpush_webhook_requests_waiting"
    case connections = "lkpush_http_connections"
    case entities = "lkpush_entities"
    case waitingEvents = "lkpush_waiting_events"

    case journalEvents = "lkpush_journal_events_total"
    case journalCommit = "lkpush_journal_commit_seconds"
    case journalSize = "lkpush_journal_size_bytes"
    case snapshotSize = "lkpush_snapshot_size_bytes"
    case snapshotTime = "lkpush_snapshot_timestamp_seconds"
    case diskFree = "lkpush_state_disk_free_bytes"
    case diskSize = "lkpush_state_disk_size_bytes"

    case databaseErrors = "lkpush_database_errors_total"
    case rows = "lkpush_database_rows_total"
    case rowsWaiting = "lkpush_database_rows_waiting"

    case spillLost = "lkpush_spill_lost_events_total"

    case clockSkew = "lkpush_clock_skew_seconds"
    case series = "lkpush_series"
    case seriesRefused = "lkpush_series_refused_total"
    case logLinesDropped = "lkpush_log_lines_dropped_total"
    case cpu = "process_cpu_seconds_total"
    case resident = "process_resident_memory_bytes"
    case openFiles = "process_open_fds"
    case maxFiles = "process_max_fds"
    case started = "process_start_time_seconds"
}

/// Reads the values of metrics by their labels.
struct MetricReading {
    private let registry: Registry

    /// Makes all mirrored values current.
    init(_ registry: Registry) {
        self.registry = registry
        registry.collect()
    }

    /// The sum of all series with this label value, or of all series. Nil if there is no such series.
    func sum(_ metric: StatusMetric, where label: (name: String, value: String)? = nil) -> Double? {
        let all = series(metric)
        let place = label.flatMap { all.place(of: $0.name) }
        var sum: Double?
        for series in all {
            if let label, place.map({ series.labelValues[$0] }) != label.value { continue }
            sum = (sum ?? 0) + series.value
        }
        return sum
    }

    /// The same, as a whole number; 0 if there is no such series.
    func count(_ metric: StatusMetric, where label: (name: String, value: String)? = nil) -> Int {
        Int(clamping: sum(metric, where: label) ?? 0)
    }

    /// The sums of the series by the value of one label.
    func sums(_ metric: StatusMetric, by label: String) -> [String: Double] {
        let all = series(metric)
        guard let place = all.place(of: label) else { return [:] }
        var sums: [String: Double] = [:]
        for series in all { sums[series.labelValues[place], default: 0] += series.value }
        return sums
    }

    /// All observations of a histogram together.
    func observations(_ metric: StatusMetric) -> Observations {
        var all = Observations()
        for series in registry.series(of: metric.rawValue) {
            guard case .histogram(let histogram) = series.instrument else { continue }
            let state = histogram.current
            all.sum += state.sum
            all.count += Double(state.counts.reduce(0, +))
        }
        return all
    }

    /// All series of a metric.
    func series(_ metric: StatusMetric) -> [Series] { registry.series(of: metric.rawValue) }
}

/// The sum and the number of what was observed.
struct Observations: Equatable {
    var sum = 0.0
    var count = 0.0

    /// The mean of what was observed since `earlier`. Nil if nothing was.
    func mean(since earlier: Observations) -> Double? {
        let count = count - earlier.count
        return count > 0 ? max(0, (sum - earlier.sum) / count) : nil
    }
}

extension Series {
    /// The value of a counter or gauge; 0 for a histogram.
    fileprivate var value: Double {
        switch instrument {
        case .counter(let counter): counter.value
        case .gauge(let gauge): gauge.value
        case .histogram: 0
        }
    }
}

extension [Series] {
    /// The place of a label among those of a family, which all of these series share. Nil if it has no such label.
    func place(of label: String) -> Int? { first?.family.labelNames.firstIndex(of: label) }
}

extension Int {
    /// The nearest whole number; 0 for what is no number.
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? 0 : Int(Swift.max(-9e18, Swift.min(9e18, value.rounded())))
    }
}
