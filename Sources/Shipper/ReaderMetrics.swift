import Metrics

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
