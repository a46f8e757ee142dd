import Glibc

/// Finds the route of a request without allocating: a handful of rows, compared byte by byte.
struct Router: Sendable {
    enum Match {
        case route(Int, Method)
        /// No row has this path: 404.
        case unknownPath
        /// The path is known, the method is not: 405 with the path's `Allow`.
        case wrongMethod(Response)
    }

    private struct Row: Sendable {
        let path: [CChar]
        let method: Method
        let route: Int
        let notAllowed: Response
    }

    let routes: [Route]
    private let rows: [Row]

    init(_ routes: [Route]) {
        let keys = routes.map { "\($0.method) \($0.path)" }
        precondition(Set(keys).count == keys.count, "a method and path has one route")
        self.routes = routes
        rows = routes.indices.map { index in
            let methods = routes.filter { $0.path == routes[index].path }
                .flatMap { $0.method == .get ? [Method.get, .head] : [$0.method] }
            let allow = methods.map(\.rawValue).sorted().joined(separator: ", ")
            return Row(
                path: Array(routes[index].path.utf8CString), method: routes[index].method, route: index,
                notAllowed: .text(405, "method not allowed\n", headers: ["Allow": allow]))
        }
    }

    /// The arguments are C strings: the path is unescaped and without its query.
    func match(path: UnsafePointer<CChar>, method: UnsafePointer<CChar>) -> Match {
        var notAllowed: Response?
        for row in rows where strcmp(row.path, path) == 0 {
            switch row.method {
            case .get:
                if strcmp(method, "GET") == 0 { return .route(row.route, .get) }
                if strcmp(method, "HEAD") == 0 { return .route(row.route, .head) }
            case .post:
                if strcmp(method, "POST") == 0 { return .route(row.route, .post) }
            case .head: break
            }
            notAllowed = row.notAllowed
        }
        return notAllowed.map { .wrongMethod($0) } ?? .unknownPath
    }
}
