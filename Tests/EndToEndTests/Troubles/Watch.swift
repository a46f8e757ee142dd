import Platform
import TestSupport
import Testing

/// A real Prometheus that evaluates the shipped rules, with time compressed.
struct Watch {
    let prometheus: PrometheusServer

    /// - Parameters:
    ///   - divisor: of this many seconds in the rules one is left. With 100 the shortest range of a counter, 5 min, is
    ///     3 s: six readings.
    ///   - scope: `fields` for samples whose times are far from now. The look-back is then 5 min, as usual.
    ///   - scraped: the ports of `/metrics` that it scrapes, by the name of their job.
    init(divisor: Int = 100, _ scope: CompressedRules.Scope = .all, scraped: [String: UInt16] = [:]) throws {
        var jobs = ""
        for (job, port) in scraped.sorted(by: { $0.key < $1.key }) {
            jobs += """
                - job_name: \(job)
                  scrape_interval: 500ms
                  scrape_timeout: 500ms
                  static_configs: [{targets: ["127.0.0.1:\(port)"], labels: {environment: test, region: here}}]

                """
        }
        let rules = CompressedRules(divisor: divisor, scope: scope)
        prometheus = try PrometheusServer(
            configuration: """
                global: {evaluation_interval: 250ms}
                rule_files: ["*.yaml"]
                scrape_configs:
                \(jobs)
                """, files: try rules.shipped(), lookback: scope == .all ? "\(300_000 / divisor)ms" : "5m")
    }

    /// Waits until every job counts webhooks, and no alert fires or is about to: none of all, or none of these jobs.
    func expectHealth(
        of jobs: [String], isAlone: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let counting = try prometheus.wait(
            for: "sum by (job) (increase(lk_webhook_events_total[5s])) > 0 and on (job) lk_room_active > 0"
        ) { Set($0.compactMap { $0.labels["job"] }).isSuperset(of: jobs) }
        #expect(counting.count >= jobs.count, "\(counting)", sourceLocation: sourceLocation)
        var alerts: [PrometheusServer.Alert] = []
        let isHealthy = try eventually {
            alerts = try prometheus.alerts().filter { isAlone || jobs.contains($0.labels["job"] ?? "") }
            return alerts.isEmpty
        }
        #expect(isHealthy, "\(alerts.map(\.labels))", sourceLocation: sourceLocation)
    }

    /// Waits until these alerts of a job fire, and no others but those that a trouble brings along if it lasts. Returns
    /// the alerts of `names`.
    @discardableResult
    func expectFiring(
        _ names: Set<String>, _ job: String, later: Set<String> = [], meanwhile: () throws -> Void = {},
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [PrometheusServer.Alert] {
        var alerts: [PrometheusServer.Alert] = []
        let isSo = try eventually {
            try meanwhile()
            alerts = try prometheus.alerts().filter { $0.state == .firing && $0.labels["job"] == job }
            return Set(alerts.map(\.name)).subtracting(later) == names.subtracting(later)
                && Set(alerts.map(\.name)).isSuperset(of: names)
        }
        #expect(isSo, "\(job): \(alerts.map(\.labels)) instead of \(names.sorted())", sourceLocation: sourceLocation)
        return alerts.filter { names.contains($0.name) }
    }
}
