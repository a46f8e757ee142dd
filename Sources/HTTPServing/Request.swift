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
    package func header(_ name: StaticString) -> String? {
        let value = name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) {
                MHD_lookup_connection_value(connection, .HEADER_KIND, $0.baseAddress)
            }
        }
        return value.map { String(cString: $0) }
    }
}
