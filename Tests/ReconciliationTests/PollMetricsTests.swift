import Metrics
import Reconciliation
import Testing

@Suite struct PollMetricsTests {
    @Test func declaresTheFamiliesOfTheContract() {
        let registry = Registry(maxSeries: 1_000)
        PollerThread.declareMetrics(in: registry)
        #expect(
            registry.descriptors.map(\.name).filter { $0.hasPrefix("lkpush_reconcile") }.sorted() == [
                "lkpush_reconcile_conflicts_total", "lkpush_reconcile_drift", "lkpush_reconcile_ghosts",
                "lkpush_reconcile_last_success_timestamp_seconds", "lkpush_reconcile_requests_total",
                "lkpush_reconcile_untrusted_total",
            ])
    }
}
