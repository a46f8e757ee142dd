import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The alerts about remote write of the Prometheus mixin, evaluated by a real Prometheus that scrapes lkpush's metrics.
/// Their expressions are used as they stand there, with the mixin's own selector.
/// https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
@Suite struct MixinAlertTests {
    /// `PrometheusRemoteStorageFailures`
    private static let failures = """
        (
          (
            rate(prometheus_remote_storage_failed_samples_total{job="prometheus"}[5m])
            or rate(prometheus_remote_storage_samples_failed_total{job="prometheus"}[5m])
          )
        /
          (
            (
              rate(prometheus_remote_storage_failed_samples_total{job="prometheus"}[5m])
              or rate(prometheus_remote_storage_samples_failed_total{job="prometheus"}[5m])
            )
          +
            (
              rate(prometheus_remote_storage_succeeded_samples_total{job="prometheus"}[5m])
              or rate(prometheus_remote_storage_samples_total{job="prometheus"}[5m])
            )
          )
        )
        * 100 > 1
        """

    /// `PrometheusRemoteWriteBehind`, and below its newer form.
    private static let behind = """
        (
          max_over_time(prometheus_remote_storage_highest_timestamp_in_seconds{job="prometheus"}[5m])
        - ignoring(remote_name, url) group_right
          max_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds{job="prometheus"}[5m])
        )
        > 120
        """
    private static let queueBehind = """
        (
          max_over_time(prometheus_remote_storage_queue_highest_timestamp_seconds{job="prometheus"}[5m])
        -
          max_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds{job="prometheus"}[5m])
        )
        > 120
        """

    /// `PrometheusRemoteWriteDesiredShards`
    private static let desiredShards = """
        (
          max_over_time(prometheus_remote_storage_shards_desired{job="prometheus"}[5m])
        >
          max_over_time(prometheus_remote_storage_shards_max{job="prometheus"}[5m])
        )
        """

    private static let all = [failures, behind, queueBehind, desiredShards]

    /// lkpush's shipper, and a Prometheus that scrapes its metrics.
    private struct Setup {
        let fixture: ShipperFixture
        let prometheus: PrometheusServer
        private let server: ExpositionServer

        init(
            _ url: String, time: any TimeSource = SystemTime(),
            _ change: (inout ShipperSettings) throws -> Void = { _ in }
        ) throws {
            fixture = try ShipperFixture(url, time: time) { settings in
                // A machine that is busy answers within this interval.
                settings.schedule = .init(pushInterval: .seconds(1), idleInterval: .seconds(1))
                settings.delivery.maxShards = 8
                try change(&settings)
            }
            server = try ExpositionServer(fixture.registry)
            prometheus = try PrometheusServer(
                configuration: """
                    global: {scrape_interval: 200ms, scrape_timeout: 200ms}
                    scrape_configs:
                    - job_name: prometheus
                      static_configs: [{targets: ["127.0.0.1:\(server.port)"]}]
                    """)
            try fixture.shipper.makeFirstReading()
        }

        /// The alerts whose expressions have a result now.
        func firing() throws -> [String] { try all.filter { try !prometheus.query($0).isEmpty } }

        /// Waits until some samples were taken, and Prometheus has seen that.
        func beHealthy() throws -> Bool {
            fixture.events.increment()
            return try !prometheus.wait(for: "increase(prometheus_remote_storage_samples_total[5m]) > 0") {
                !$0.isEmpty
            }.isEmpty
        }

        /// Waits until this alert fires. Returns the labels of its series.
        func labels(of expression: String) throws -> [[String: String]] {
            try prometheus.wait(for: expression) { !$0.isEmpty }.map(\.labels)
        }
    }

    private func expectOne(_ labels: [[String: String]], _ url: String) {
        #expect(labels.count == 1)
        #expect(labels.first?["remote_name"] == "lkpush")
        #expect(labels.first?["url"] == url)
    }

    @Test func `no alert fires while samples are taken`() throws {
        let receiver = try ScriptedReceiver()
        let setup = try Setup(receiver.url)
        #expect(try setup.beHealthy())
        #expect(setup.fixture.run(readings: 5))
        // Every expression has its series: without them it could never fire.
        for name in [
            "samples_failed_total", "samples_total", "highest_timestamp_in_seconds", "queue_highest_timestamp_seconds",
            "queue_highest_sent_timestamp_seconds", "shards_desired", "shards_max",
        ] {
            #expect(try setup.prometheus.wait(for: "prometheus_remote_storage_\(name)") { $0.count == 1 }.count == 1)
        }
        #expect(try setup.firing() == [])
        _ = setup.fixture.stop()
        #expect(try setup.firing() == [])
    }

    @Test func `refused samples raise PrometheusRemoteStorageFailures`() throws {
        let receiver = try ScriptedReceiver()
        let setup = try Setup(receiver.url)
        #expect(try setup.beHealthy())
        #expect(try setup.firing() == [])
        receiver.answer(.init(400))
        expectOne(try setup.labels(of: Self.failures), receiver.url)
        #expect(try setup.firing() == [Self.failures])
        receiver.answer(.init())
        _ = setup.fixture.stop()
    }

    @Test func `samples that wait for two minutes raise PrometheusRemoteWriteBehind`() throws {
        let receiver = try ScriptedReceiver()
        let time = ShiftedTime()
        let setup = try Setup(receiver.url, time: time)
        #expect(try setup.beHealthy())
        #expect(try setup.firing() == [])
        receiver.answer(.init(503))
        #expect(receiver.wait { $0.contains { $0.answer.status == 503 } })
        // The clock of lkpush goes on, so that what is read from now on is newer by two minutes than what was sent.
        time.shift(.seconds(130))
        expectOne(try setup.labels(of: Self.behind), receiver.url)
        expectOne(try setup.labels(of: Self.queueBehind), receiver.url)
        let firing = try setup.firing()
        #expect(firing.contains(Self.behind) && firing.contains(Self.queueBehind))
        #expect(!firing.contains(Self.failures))
        receiver.answer(.init())
        _ = setup.fixture.stop()
    }

    @Test func `a receiver that is too slow for all allowed requests raises PrometheusRemoteWriteDesiredShards`() throws
    {
        let receiver = try ScriptedReceiver()
        let setup = try Setup(receiver.url) { settings in
            settings.delivery.maxShards = 1
            // Several requests for each reading.
            settings.batches = BatchLimits(samples: 20)
        }
        #expect(try setup.beHealthy())
        #expect(try setup.firing() == [])
        receiver.answer(.init(204, delay: .milliseconds(300)))
        expectOne(try setup.labels(of: Self.desiredShards), receiver.url)
        #expect(try !setup.firing().contains(Self.failures))
        receiver.answer(.init())
        _ = setup.fixture.stop()
    }
}
