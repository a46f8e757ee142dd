package import HTTPServing
package import Metrics

/// What the listeners count: open connections and those that were cut.
package struct ListenerMetrics: Sendable {
    private let open: Family<Gauge>
    private let accepted: Family<Counter>
    private let cut: Family<Counter>

    package init(in registry: Registry) {
        open = registry.gauge("lkpush_http_connections", "Open connections.", labels: ["listener"])
        accepted = registry.counter(
            "lkpush_http_connections_accepted_total", "Connections that were accepted.", labels: ["listener"])
        cut = registry.counter(
            "lkpush_http_connections_cut_total", "Connections that lkpush closed in the middle of a request.",
            labels: ["listener", "reason"])
    }

    /// Shows one server's figures under the name of its listener.
    package func show(_ server: Server, as listener: String, in registry: Registry) {
        let open = open.series([listener])
        let accepted = accepted.series([listener])
        let header = cut.series([listener, "header_timeout"])
        let request = cut.series([listener, "request_timeout"])
        let answer = cut.series([listener, "answer_timeout"])
        let evicted = cut.series([listener, "max_connections"])
        // The registry lives as long as the process and must not keep a server, nor be the last to let one go.
        registry.onRead { [read = server.figuresReader] in
            let figures = read()
            open?.set(figures.connections)
            accepted?.set(total: Double(figures.connectionsAccepted))
            header?.set(total: Double(figures.headerTimeouts))
            request?.set(total: Double(figures.requestTimeouts))
            answer?.set(total: Double(figures.answerTimeouts))
            evicted?.set(total: Double(figures.evicted))
        }
    }
}
