import Glibc
import Platform
import Simulation
import TestSupport
import Testing

/// Starts, stops, kills, and wrong configurations.
@Suite struct LifeTests {
    private static let metadata = ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id"]

    private func reduction(_ posts: ArraySlice<Day.Post>) throws -> Reduction {
        var reduction = Reduction(region: "here")
        for post in posts where !post.isForged { try reduction.take(post.body) }
        return reduction
    }

    @Test func `SIGTERM ends it quickly and well, and the last sample arrives`() throws {
        let folder = TemporaryFolder()
        let day = try Day("small")
        let prometheus = try PrometheusServer()
        let exporter = try RunningExporter(
            folder,
            Self.metadata.merging([
                "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "PUSH_INTERVAL": "60s",
                "IDLE_PUSH_INTERVAL": "60s", "STALE_ON_STOP": "false",
            ]) { $1 })
        let ports = try exporter.ready()
        let repeats = day.send(to: ports.webhooks)

        let start = SystemTime().monotonic()
        // Status 1 would be an end by the guard of SHUTDOWN_TIMEOUT, and 130 one by a second signal.
        #expect(exporter.process.end(with: SIGTERM) == 0)
        #expect(Promptness.holds(since: start, within: .seconds(8)))

        let expected = Comparison.driven(try reduction(day.posts[...]).all)
        let found = try Pushed.samples(in: prometheus)
        let differences = Comparison.differences(
            expected: expected, found: Comparison.driven(found), repeats: repeats)
        #expect(differences.isEmpty, "\(differences)")
    }

    @Test func `two processes push side by side and do not disturb each other`() throws {
        let day = try Day("small")
        let prometheus = try PrometheusServer()
        let folders = [TemporaryFolder(), TemporaryFolder()]
        let exporters = try folders.enumerated().map { number, folder in
            try RunningExporter(
                folder,
                Self.metadata.merging([
                    "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "PUSH_INTERVAL": "1s",
                    "IDLE_PUSH_INTERVAL": "1s", "INSTANCE": "exporter-\(number)",
                ]) { $1 })
        }
        let ports = try exporters.map { try $0.ready() }
        let half = day.posts.count / 2
        let repeats = [
            day.send(to: ports[0].webhooks, 0..<half), day.send(to: ports[1].webhooks, 0..<day.posts.count),
        ]
        let expected = [try reduction(day.posts[..<half]), try reduction(day.posts[...])]
        for (number, reduction) in expected.enumerated() {
            RunningExporter.expect(reduction.all, at: ports[number].metrics, repeats: repeats[number])
            let isThere = Waiting.until("Prometheus") {
                let query = "sum(lk_participant_sessions_total{instance=\"exporter-\(number)\"})"
                let sum = reduction.all.filter { $0.key.hasPrefix("lk_participant_sessions_total") }.values.reduce(0, +)
                return (try? prometheus.query(query))?.first?.value == sum
            }
            #expect(isThere)
        }
        for exporter in exporters { #expect(exporter.process.end(with: SIGTERM) == 0) }
    }

    @Test func `a bad configuration ends with 78 and names every problem`() throws {
        let (status, output) = ChildProcess.run(
            BuiltProgram.executable, [],
            environment: [
                "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": "key", "LISTEN": "nowhere", "PUSH_INTERVAL": "5 parsecs",
                "ORG_SOURCE": "stars", "MAX_SERIES": "many", "LIVEKIT_API_SECRT": "tell-no-one",
                "GRAFANA_PROM_REMOTE_WRITE_URL": "gopher://x", "STATE_DIR": TemporaryFolder().file("state"),
            ])
        #expect(status == 78, "\(output)")
        for name in [
            "LIVEKIT_API_SECRET", "LISTEN", "PUSH_INTERVAL", "ORG_SOURCE", "MAX_SERIES", "LIVEKIT_API_SECRT",
            "GRAFANA_PROM_REMOTE_WRITE_URL",
        ] {
            #expect(output.contains(name), "\(name) is not named in \(output)")
        }
        #expect(!output.contains("tell-no-one"))
    }

    @Test func `metrics are not on the public listener, webhooks not on the private one`() throws {
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(folder, [:])
        let ports = try exporter.ready()
        #expect(LoopbackClient.get("/metrics", port: ports.webhooks)?.status == 404)
        #expect(LoopbackClient.get("/healthz", port: ports.webhooks)?.status == 200)
        #expect(LoopbackClient.get("/webhook", port: ports.webhooks)?.status == 405)
        #expect(try LoopbackClient(port: ports.metrics).post("/webhook", [:], [])?.status == 404)
        #expect(LoopbackClient.get("/metrics", port: ports.metrics)?.status == 200)
        #expect(exporter.process.end(with: SIGINT) == 0)
    }
}
