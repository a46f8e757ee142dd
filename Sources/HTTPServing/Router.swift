import Glibc

/// Finds the route of a request without allocating: it compares a handful of rows byte by byte.
///
/// A slash at the end of a path is ignored, and several slashes in a row count as one: people and proxies write
/// `/webhook/` and `//webhook`, and mean `/webhook`.
struct Router: Sendable {
    enum Match {
        case route(Int, Method)
        /// No route has this path: 404.
        case unknownPath
        /// This route has the path, but not the method: 405 with the path's `Allow`.
        case wrongMethod(Int, Response)
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
        precondition(
            routes.allSatisfy { $0.path == "/" || !$0.path.hasSuffix("/") && !$0.path.contains("//") },
            "a route's path has no more slashes than it needs")
        self.routes = routes
        rows = routes.indices.map { index in
            let methods = routes.filter { $0.path == routes[index].path }
                .flatMap { $0.method == .get ? [Method.get, .head] : [$0.method] }
            let allow = methods.map(\.rawValue).sorted().joined(separator: ", ")
            return Row(
                path: Array(routes[index].path.utf8CString), method: routes[index].method, route: index,
                notAllowed: .text(405, "method not allowed\n", headers: ["Allow": allow, "Connection": "close"]))
        }
    }

    /// Finds the route. The arguments are C strings; the path is unescaped and without its query.
    func match(path: UnsafePointer<CChar>, method: UnsafePointer<CChar>) -> Match {
        let path = Self.withoutAuthority(path)
        var notAllowed: Row?
        for row in rows where Self.isSame(path, row.path) {
            switch row.method {
            case .get:
                if strcmp(method, "GET") == 0 { return .route(row.route, .get) }
                if strcmp(method, "HEAD") == 0 { return .route(row.route, .head) }
            case .post:
                if strcmp(method, "POST") == 0 { return .route(row.route, .post) }
            case .head: break
            }
            notAllowed = row
        }
        return notAllowed.map { .wrongMethod($0.route, $0.notAllowed) } ?? .unknownPath
    }

    private static func isSame(_ path: UnsafePointer<CChar>, _ route: [CChar]) -> Bool {
        let slash = CChar(bitPattern: UInt8(ascii: "/"))
        var rest = path
        for byte in route.dropLast() {
            guard rest.pointee == byte else { return false }
            rest += 1
            if byte == slash { while rest.pointee == slash { rest += 1 } }
        }
        while rest.pointee == slash { rest += 1 }
        return rest.pointee == 0
    }

    /// Returns the path without the address that a proxy may put before it: `http://host/path`.
    /// https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    static func withoutAuthority(_ path: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
        for scheme: StaticString in ["http://", "https://"] {
            let count = scheme.utf8CodeUnitCount
            let isSame = scheme.withUTF8Buffer { scheme in
                scheme.withMemoryRebound(to: CChar.self) { scheme in
                    scheme.baseAddress.map { strncasecmp(path, $0, count) == 0 } ?? false
                }
            }
            guard isSame else { continue }
            guard let rest = strchr(path + count, 0x2F) else { return path }
            return UnsafePointer(rest)
        }
        return path
    }
}
