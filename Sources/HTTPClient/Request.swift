/// One HTTP request.
package struct Request: Sendable {
    package enum Method: Sendable, Equatable { case get, post }

    package var method: Method
    package var url: EndpointURL
    /// Sent as they are; credentials are among them, so a request is never printed.
    package var headers: [HTTPHeader]
    package var body: [UInt8]
    /// From start to the last byte of the response.
    package var timeout: Duration

    package init(
        _ method: Method = .post, _ url: EndpointURL, headers: [HTTPHeader] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(30)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

/// Names a started request until its completion.
package struct RequestID: Sendable, Hashable {
    let number: UInt64
}

/// How a request ended: each started request has exactly one completion, unless it was cancelled.
package struct Completion: Sendable {
    /// How a request ended.
    package enum Outcome: Sendable {
        /// The peer answered with a status, whatever became of the rest of its body.
        case response(Response)
        /// No status arrived.
        case failure(NetworkError)
    }

    package let id: RequestID
    package let outcome: Outcome
    /// From start to end.
    package let duration: Duration
    /// How often the request was put on a connection: 0 means that no peer can have seen it, 2 that a kept-alive
    /// connection turned out to be dead and the request was sent again, perhaps after it had been received.
    package let deliveries: Int
}

/// What a peer answered.
package struct Response: Sendable, Equatable {
    package let status: Int
    /// Only those that `TransportOptions.recordedHeaders` names, in lower case.
    package let headers: [String: String]
    /// The first bytes, at most `Transport.Limits.bodyKept_bytes`.
    package let body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why no answer arrived.
package struct NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where it went wrong.
    package enum Kind: String, Sendable, CaseIterable {
        /// The name has no address.
        case resolve
        /// No connection: refused, unreachable, or not made in time.
        case connect
        /// The peer could not prove who it is, or refused who we are.
        case tls
        /// Connected, but no answer in time.
        case timeout
        /// The connection broke.
        case reset
        /// Anything else that curl reports.
        case other
    }

    package let kind: Kind
    /// Whether the peer may have received the request, and may have acted on it.
    package let mayHaveArrived: Bool
    /// The number and text of curl; never holds credentials.
    package let code: UInt32
    package let text: String

    package init(kind: Kind, mayHaveArrived: Bool, code: UInt32, text: String) {
        self.kind = kind
        self.mayHaveArrived = mayHaveArrived
        self.code = code
        self.text = text
    }

    package var description: String { "\(kind.rawValue): \(text) (curl \(code))" }
}
