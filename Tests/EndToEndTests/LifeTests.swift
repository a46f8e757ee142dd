import Glibc
import Platform
import Simulation
import TestSupport
import Testing

/// Starting, stopping, dying, and being configured wrongly.
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
        day.send(to: ports.webhooks)

        let time = SystemTime()
        let start = time.monotonic()
        #expect(exporter.process.end(with: SIGTERM) == 0)
        #expect(time.monotonic().since(start) < .seconds(8))

        let expected = Comparison.driven(try reduction(day.posts[...]).all)
        var found: [String: Double] = [:]
        for series in try prometheus.query("{__name__=~\"lk_.+\"}") {
            var labels = series.labels
            let name = labels.removeValue(forKey: "__name__") ?? ""
            for external in ["job", "instance", "environment", "service"] { labels[external] = nil }
            if labels["project"] == nil { labels["region"] = nil }
            found[Exposition.key(name, labels)] = series.value
        }
        #expect(Comparison.differences(expected: expected, found: Comparison.driven(found)).isEmpty)
    }

    @Test func `a restart forgets nothing, and duplicates across it are still duplicates`() throws {
        let folder = TemporaryFolder()
        let day = try Day("small")
        let half = day.posts.count / 2
        let first = try RunningExporter(folder, Self.metadata)
        try day.send(to: first.ready().webhooks, 0..<half)
        #expect(first.process.end(with: SIGTERM) == 0)

        let second = try RunningExporter(folder, Self.metadata)
        let ports = try second.ready()
        RunningExporter.expect(try reduction(day.posts[..<half]).all, at: ports.metrics)
        day.send(to: ports.webhooks, (half - 20)..<day.posts.count)
        let all = day.posts[..<half] + day.posts[(half - 20)...]
        RunningExporter.expect(try reduction(ArraySlice(Array(all))).all, at: ports.metrics)
        #expect(second.process.end(with: SIGTERM) == 0)
    }

    @Test(arguments: [10, 90, 200])
    func `what was answered before a kill is counted once after it`(count: Int) throws {
        let folder = TemporaryFolder()
        let day = try Day("small")
        let first = try RunningExporter(folder, Self.metadata)
        try day.send(to: first.ready().webhooks, 0..<count)
        #expect(first.process.end(with: SIGKILL) == 128 + SIGKILL)

        let second = try RunningExporter(folder, Self.metadata)
        let ports = try second.ready()
        RunningExporter.expect(try reduction(day.posts[..<count]).all, at: ports.metrics)
        day.send(to: ports.webhooks, count..<day.posts.count)
        let expected = try reduction(day.posts[...])
        RunningExporter.expect(expected.all, at: ports.metrics)
        #expect(second.process.end(with: SIGTERM) == 0)
        let tables = try OfficeTables(folder.file("state/office.db"))
        #expect(
            tables.sessions.values.reduce(0) { $0 + $1.count }
                == Int64(expected.sessions.values.reduce(0) { $0 + $1.count }))
        #expect(Set(tables.recordings.keys) == Set(expected.recordings.keys))
    }

    @Test func `a second process on the same folder waits, says for what, and takes over`() throws {
        let folder = TemporaryFolder()
        let day = try Day("small")
        let first = try RunningExporter(folder, name: "first", Self.metadata)
        let ports = try first.ready()
        let second = try RunningExporter(folder, name: "second", Self.metadata)
        let waiting = Waiting.value(for: "the second to say that it waits") { () -> String? in
            guard let port = second.port("metrics"), let answer = LoopbackClient.get("/readyz", port: port) else {
                return nil
            }
            return answer.status == 503 && answer.body.contains("lock") ? answer.body : nil
        }
        #expect(waiting != nil, "\(second.output.suffix(2_000))")
        #expect(second.output.contains("lock"))
        #expect(second.process.poll() == nil)

        day.send(to: ports.webhooks, 0..<100)
        #expect(first.process.end(with: SIGTERM) == 0)
        let taken = try second.ready()
        day.send(to: taken.webhooks, 100..<day.posts.count)
        RunningExporter.expect(try reduction(day.posts[...]).all, at: taken.metrics)
        #expect(second.process.end(with: SIGTERM) == 0)
    }

    @Test func `a bad configuration ends with 78 and names every problem`() throws {
        let (status, output) = ChildProcess.run(
            RunningExporter.executable, [],
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
