import CMicroHTTPD

/// A request as its handler sees it. It cannot be kept, because its memory belongs to the call.
package struct Request: ~Copyable {
    package let method: Method
    private let rawPath: UnsafePointer<CChar>
    private let connection: OpaquePointer

    init(method: Method, path: UnsafePointer<CChar>, connection: OpaquePointer) {
        self.method = method
        rawPath = path
        self.connection = connection
    }

    /// The path, unescaped and without the query. It makes a string, which routes rarely need.
    package var path: String { String(cString: rawPath) }

    /// Returns the first header of this name, in any case of letters; nil if there is none.
    package func header(_ name: StaticString) -> String? { Self.header(name, of: connection) }

    /// Wraps `MHD_lookup_connection_value`.
    fileprivate static func header(_ name: StaticString, of connection: OpaquePointer) -> String? {
        let value = name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) {
                MHD_lookup_connection_value(connection, .HEADER_KIND, $0.baseAddress)
            }
        }
        return value.map { String(cString: $0) }
    }
}

/// A request that no route takes, after its header is complete. It is answered 404 or 405 in any case, and its body is
/// not read. It cannot be kept, because its memory belongs to the call.
package struct StrayRequest: ~Copyable {
    /// The path of the route that takes only other methods; nil if no route has this path.
    package let route: String?
    private let rawPath: UnsafePointer<CChar>
    private let rawMethod: UnsafePointer<CChar>
    private let connection: OpaquePointer

    init(
        route: String?, path: UnsafePointer<CChar>, method: UnsafePointer<CChar>, connection: OpaquePointer
    ) {
        self.route = route
        rawPath = path
        rawMethod = method
        self.connection = connection
    }

    /// The path, unescaped, without the address before it and the query after it.
    package var path: String { String(cString: Router.withoutAuthority(rawPath)) }

    package var method: String { String(cString: rawMethod) }

    /// Returns the first header of this name, in any case of letters; nil if there is none.
    package func header(_ name: StaticString) -> String? { Request.header(name, of: connection) }
}
