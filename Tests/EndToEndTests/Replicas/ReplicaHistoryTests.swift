import TestSupport
import Testing

/// The tests' own look at what was pushed: each kind of problem is seen.
@Suite struct ReplicaHistoryTests {
    @Test func `a fall, a stranger, a second series and a refused write are seen in Prometheus`() throws {
        let prometheus = try PrometheusServer()
        let folder = TemporaryFolder()
        // Two programs that know nothing of each other, with one name: what two leaders at once would do.
        let settings = [
            "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "PUSH_INTERVAL": "100ms",
            "IDLE_PUSH_INTERVAL": "100ms", "ORG_SOURCE": "fixed", "INSTANCE": "one", "STALE_ON_STOP": "false",
        ]
        let programs = ["a", "b"].map { name in
            MortalExporter(folder, name: name, settings.merging(["STATE_DIR": folder.file(name)]) { $1 })
        }
        for program in programs { try program.startAndWait() }
        let flow = WebhookFlow(to: programs[0].webhooks, .init(room: "r", identity: "Ann"))
        #expect(flow.wait(for: 20, 200))
        let other = WebhookFlow(to: programs[1].webhooks, .init(room: "r", identity: "Ann"))
        #expect(other.wait(for: 1, 200))
        let history = ReplicaHistory(prometheus: prometheus, name: "one")
        var problems: [String] = []
        let areSeen = try eventually {
            problems = try history.problems(endingWith: [:])
            return problems.contains { $0.contains(" fell from ") } && problems.contains { $0.contains("pushed:") }
        }
        #expect(areSeen, "\(problems.prefix(5))")
        let isRefused = try eventually {
            problems = try ReplicaHistory.problems(in: prometheus, names: ["another"])
            return problems.contains { $0.contains("Prometheus refused") }
        }
        #expect(isRefused, "\(problems.prefix(5))")
        #expect(problems.contains { $0.contains("resets") } && problems.contains { $0.contains("nobody's") })
    }
}
