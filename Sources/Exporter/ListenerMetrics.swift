package import HTTPServing
package import Metrics

/// The metrics of the listeners: open connections, and connections that were cut or refused.
package struct ListenerMetrics: Sendable {
    private let open: Family<Gauge>
    private let accepted: Family<Counter>
    private let cut: Family<Counter>
    private let refused: Family<Counter>
    private let incomplete: Family<Counter>

    package init(in registry: Registry) {
        open = registry.gauge("lkpush_http_connections", "Open connections.", labels: ["listener"])
        accepted = registry.counter(
            "lkpush_http_connections_accepted_total", "Connections that were accepted.", labels: ["listener"])
        cut = registry.counter(
            "lkpush_http_connections_cut_total", "Connections that lkpush closed, by the limit that they reached.",
            labels: ["listener", "reason"])
        refused = registry.counter(
            "lkpush_http_connections_refused_total",
            "Connections not served: every other one was owed an answer, or the process had no descriptor left.",
            labels: ["listener", "reason"])
        incomplete = registry.counter(
            "lkpush_http_connections_incomplete_total",
            "Connections that ended before a request was complete: the client left, or sent what is no HTTP request.",
            labels: ["listener"])
    }

    /// Publishes the statistics of one server under the name of its listener.
    package func show(_ server: Server, as listener: String, in registry: Registry) {
        let open = open.series([listener])
        let accepted = accepted.series([listener])
        let header = cut.series([listener, "header_timeout"])
        let request = cut.series([listener, "request_timeout"])
        let answer = cut.series([listener, "answer_timeout"])
        let idle = cut.series([listener, "idle_timeout"])
        let evicted = cut.series([listener, "max_connections"])
        let full = refused.series([listener, "max_connections"])
        let descriptors = refused.series([listener, "descriptors"])
        let incomplete = incomplete.series([listener])
        // The registry lives as long as the process. It must not keep a server alive, nor be the last to release it.
        registry.onRead { [read = server.statisticsReader] in
            let statistics = read()
            open?.set(statistics.connections)
            accepted?.set(total: Double(statistics.connectionsAccepted))
            header?.set(total: Double(statistics.headerTimeouts))
            request?.set(total: Double(statistics.requestTimeouts))
            answer?.set(total: Double(statistics.answerTimeouts))
            idle?.set(total: Double(statistics.idleTimeouts))
            evicted?.set(total: Double(statistics.evicted))
            full?.set(total: Double(statistics.refused))
            descriptors?.set(total: Double(statistics.descriptorShortages))
            incomplete?.set(total: Double(statistics.incomplete))
        }
    }
}
