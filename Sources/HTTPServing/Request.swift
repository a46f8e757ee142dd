import CMicroHTTPD

/// What a handler may ask about the request it answers. It cannot be kept: its memory belongs to the call.
package struct Request: ~Copyable {
    package let method: Method
    private let rawPath: UnsafePointer<CChar>
    private let connection: OpaquePointer

    init(method: Method, path: UnsafePointer<CChar>, connection: OpaquePointer) {
        self.method = method
        rawPath = path
        self.connection = connection
    }

    /// Unescaped and without the query. Makes a string: routes rarely need it.
    package var path: String { String(cString: rawPath) }

    /// The first header of this name, in any case; nil where there is none.
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

/// A request that no route takes, when its header is complete: it is answered 404 or 405 whatever is made of it, and its
/// body is not read. It cannot be kept: its memory belongs to the call.
package struct StrayRequest: ~Copyable {
    /// The path of the route that takes other methods only; nil where no route has this path.
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

    /// Unescaped, without the address before it and the query behind it.
    package var path: String { String(cString: Router.withoutAuthority(rawPath)) }

    package var method: String { String(cString: rawMethod) }

    /// The first header of this name, in any case; nil where there is none.
    package func header(_ name: StaticString) -> String? { Request.header(name, of: connection) }
}
