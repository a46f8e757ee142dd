package import HTTPServing
package import Metrics
package import Pipeline
import Status

/// The routes of both listeners, one row per route.
package enum Routes {
    /// The routes of the public listener, `LISTEN`, which strangers reach. `/metrics` names tenants and is never here.
    ///
    /// Only a signed webhook keeps its connection. Every other answer closes it. So strangers hold no connection for
    /// longer than one request may take, and send no requests in a row.
    package static func `public`(webhook: WebhookRoute, readiness: Readiness) -> [Route] {
        [webhook.route, healthz(["Connection": "close"]), readyz(readiness, ["Connection": "close"])]
    }

    /// The routes of the private listener, `METRICS_LISTEN`, for operators.
    ///
    /// - Parameter status: nil for a listener that tells no status.
    ///
    /// - Parameter leader: a line for people below `ready`: who leads. Nil where nobody else could. Strangers are not
    ///   told, so only this listener has it.
    package static func `private`(
        registry: Registry, readiness: Readiness, status: StatusRoutes? = nil,
        leader: (@Sendable () -> String)? = nil
    ) -> [Described] {
        let usual = [
            Described(metrics(registry), "every metric: Prometheus text format 0.0.4, OpenMetrics 1.0 when asked"),
            Described(healthz([:]), "200 while the process works"),
            Described(readyz(readiness, [:], leader), "200 when webhooks are taken, else 503 with the reason"),
        ]
        guard let status else { return usual }
        return [Described(status.page, "the status page")] + usual + [
            Described(status.status, "the status as JSON"), Described(status.memory, "what takes memory, as JSON"),
        ]
    }

    /// A route, and what it answers.
    package struct Described: Sendable {
        package let route: Route
        package let help: String

        init(_ route: Route, _ help: String) {
            self.route = route
            self.help = help
        }

        /// Its row in the status.
        var status: RouteStatus {
            var status = RouteStatus()
            (status.path, status.help) = (route.path, help)
            return status
        }
    }

    // MARK: Rows

    private static func healthz(_ headers: KeyValuePairs<String, String>) -> Route {
        let ok = Response.text(200, "ok", headers: headers)
        return Route(.get, "/healthz") { _, _ in .respond(ok) }
    }

    private static func readyz(
        _ readiness: Readiness, _ headers: KeyValuePairs<String, String>, _ leader: (@Sendable () -> String)? = nil
    ) -> Route {
        let ready = Response.text(200, "ready", headers: headers)
        return Route(.get, "/readyz") { _, _ in
            let obstacles = readiness.obstacles
            guard obstacles.isEmpty else {
                return .respond(.text(503, "not ready: \(obstacles.joined(separator: "; "))", headers: headers))
            }
            return .respond(leader.map { .text(200, "ready\n\($0())", headers: headers) } ?? ready)
        }
    }

    private static func metrics(_ registry: Registry) -> Route {
        Route(.get, "/metrics") { request, _ in
            let format = metricsFormat(accept: request.header("Accept"))
            var page: [UInt8] = []
            Exposition.append(registry, as: format, to: &page)
            return .respond(
                Response(
                    status: 200, headers: ["Content-Type": format.contentType, "Vary": "Accept"], body: page))
        }
    }

    /// The format that a client prefers: OpenMetrics if its `Accept` names it and prefers nothing to it, otherwise
    /// text.
    ///
    /// A client that accepts neither gets text, because a page that can be read is better than an empty 406.
    package static func metricsFormat(accept: String?) -> Exposition.Format {
        let accept = AcceptHeader(accept ?? "*/*")
        let openMetrics = accept.preference(for: "application/openmetrics-text", version: "1.0.0")
        let text = accept.preference(for: "text/plain", version: "0.0.4")
        let isNamed = openMetrics.isNamed && openMetrics.quality >= text.quality
        return openMetrics.quality > 0 && (isNamed || openMetrics.quality > text.quality) ? .openMetrics : .text
    }
}
