/// The methods that routes know. The route of GET serves HEAD, too.
package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
}

/// A handler's decision.
package enum Answer: Sendable {
    /// The response is known.
    case respond(Response)
    /// The response comes later from another thread, or from its deadline.
    case wait(PendingResponse)
}

/// The reasons for which a request does not reach its handler although the route exists.
package enum Refusal: Sendable, CaseIterable {
    /// The body is longer than `maxBody`: 413.
    case bodyTooLarge
    /// The bodies that are being read take too much memory together: 503.
    case noMemory
}

/// Sees requests that no route takes, before their bodies are read. It runs on the server's only thread and must not
/// block.
package typealias StrayHandler = @Sendable (_ request: borrowing StrayRequest) -> Void

/// One row of the routing table.
package struct Route: Sendable {
    /// Handles a request. It runs on the server's only thread and must not block. The body is borrowed for the call.
    package typealias Handler = @Sendable (_ request: borrowing Request, _ body: Span<UInt8>) -> Answer

    package let method: Method
    package let path: String
    let handler: Handler
    let onRefusal: @Sendable (Refusal) -> Void

    /// - Parameter onRefusal: counts requests that were refused before the handler saw them.
    package init(
        _ method: Method, _ path: String, onRefusal: @escaping @Sendable (Refusal) -> Void = { _ in },
        handler: @escaping Handler
    ) {
        precondition(path.hasPrefix("/") && method != .head, "a route is GET or POST and an absolute path")
        self.method = method
        self.path = path
        self.onRefusal = onRefusal
        self.handler = handler
    }
}
