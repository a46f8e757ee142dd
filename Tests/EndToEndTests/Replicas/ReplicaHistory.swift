import TestSupport

/// The series of one log in a real Prometheus that several replicas pushed to, one after the other.
struct ReplicaHistory {
    let prometheus: PrometheusServer
    /// `JOURNAL_NAME`.
    let name: String

    /// One line for each sum that ever fell, and for each series whose end is not `samples`.
    func problems(endingWith samples: [String: Double]) throws -> [String] {
        let found = Comparison.driven(try Pushed.samples(in: prometheus, instance: name))
        // A second series of the same identity, such as one with the name of a replica, has a key that is not expected.
        var problems = Comparison.differences(expected: Comparison.driven(samples), found: found).map {
            "pushed: \($0)"
        }
        let history = try prometheus.query("{__name__=~\"lk_.+_(total|count|bucket|sum)\",instance=\"\(name)\"}[1d]")
        if history.isEmpty { problems.append("nothing was pushed for \(name)") }
        for series in history {
            for (before, after) in zip(series.points, series.points.dropFirst()) where after.value < before.value {
                let key = Exposition.key(series.labels["__name__"] ?? "", series.labels)
                problems.append("\(key) fell from \(before.value) to \(after.value) at \(after.time)")
            }
        }
        return problems
    }

    /// The longest time between two samples of a series that is always there, in seconds. For people to read.
    func longestGap() throws -> Double {
        let points = try prometheus.query("lk_webhook_events_total{instance=\"\(name)\"}[1d]").map(\.points)
        return points.map { zip($0, $0.dropFirst()).map { $1.time - $0.time }.max() ?? 0 }.max() ?? 0
    }

    // MARK: All logs of one Prometheus

    /// One line for each sum with a reset, each sample that was refused, and each series of somebody else.
    static func problems(in prometheus: PrometheusServer, names: [String]) throws -> [String] {
        var problems: [String] = []
        let metrics = try prometheus.query("count by (__name__) ({__name__=~\"lk_.+_(total|count|bucket|sum)\"})")
        if metrics.count <= 10 { problems.append("only \(metrics.count) metrics were pushed") }
        for metric in metrics.compactMap({ $0.labels["__name__"] }) {
            for series in try prometheus.query("resets(\(metric)[1d]) > 0") {
                problems.append("\(metric) \(series.labels): \(series.value) resets")
            }
        }
        let strangers = "{__name__=~\"lk_.+\",instance!~\"\(names.joined(separator: "|"))\"}"
        for series in try prometheus.query("count by (__name__, instance) (\(strangers))") {
            problems.append("\(series.labels) is nobody's")
        }
        return try problems + refusals(of: prometheus)
    }

    /// One line for each kind of refusal that Prometheus counted or logged.
    static func refusals(of prometheus: PrometheusServer) throws -> [String] {
        let requests = Exposition.samples(try prometheus.ownMetrics()).filter { key, value in
            key.hasPrefix("prometheus_http_requests_total{") && key.contains("/api/v1/write") && value > 0
        }
        if requests.isEmpty { return ["Prometheus counts no writes under the name that is asked for"] }
        let refused = requests.filter { $0.key.contains("code=\"4") }
        let logged = prometheus.log.split(separator: "\n").filter { line in
            ["Out of order sample", "out of order", "duplicate sample", "out of bounds"].contains { line.contains($0) }
        }
        return refused.map { "Prometheus refused: \($0.key) \($0.value)" } + logged.prefix(5).map(String.init)
    }
}
