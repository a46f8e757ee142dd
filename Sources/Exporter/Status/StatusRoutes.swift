import HTTPServing
import Platform
import Status

/// The status page and the documents behind it.
package struct StatusRoutes: Sendable {
    private let board: StatusBoard
    private let report: MemoryReport
    private let hosts: AllowedHosts

    package init(_ board: StatusBoard, _ report: MemoryReport, hosts: AllowedHosts) {
        self.board = board
        self.report = report
        self.hosts = hosts
    }

    /// The page.
    var page: Route {
        let page = StatusPage()
        let response = Self.response("text/html; charset=utf-8", page.html, policy: page.policy)
        return guarded("/") { response }
    }

    /// The document behind the page.
    var status: Route { guarded("/debug/status") { [board] in board.response } }

    /// The document about memory.
    var memory: Route { guarded("/debug/memory") { [report] in report.response } }

    /// A route that answers only where a browser cannot be led to it by a stranger's name.
    private func guarded(_ path: String, _ answer: @escaping @Sendable () -> Response) -> Route {
        let forbidden = Response.text(
            403,
            "This Host is not allowed. Ask by address or as localhost, or name the host in METRICS_ALLOWED_HOSTS.\n",
            headers: ["Connection": "close"])
        return Route(.get, path) { [hosts] request, _ in
            .respond(hosts.allows(request.header("Host")) ? answer() : forbidden)
        }
    }

    /// An answer of JSON.
    static func json(_ body: [UInt8]) -> Response {
        response("application/json", body, policy: "default-src 'none'; frame-ancestors 'none'")
    }

    private static func response(_ type: String, _ body: [UInt8], policy: String) -> Response {
        Response(
            status: 200,
            headers: [
                "Content-Type": type, "Content-Security-Policy": policy, "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            ], body: body)
    }
}
