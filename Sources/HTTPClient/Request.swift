import Platform

/// One HTTP request.
package struct Request: Sendable {
    package enum Method: Sendable, Equatable { case get, post }

    package var method: Method
    package var url: EndpointURL
    /// Headers that are sent as they are. Credentials are among them, so a request is never printed.
    package var headers: [HTTPHeader]
    package var body: [UInt8]
    /// The limit for the time from the start to the last byte of the response.
    package var timeout: Duration
    /// The part of the response's body that is kept. More than `Transport.Limits.bodyRead_bytes` is read for it only.
    package var bodyKept_bytes = Transport.Limits.bodyKept_bytes

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

/// Identifies a started request until its completion.
package struct RequestID: Sendable, Hashable {
    let number: UInt64
}

/// The end of a request. Each started request has exactly one completion, unless it was cancelled.
package struct Completion: Sendable {
    /// The outcome of a request.
    package enum Outcome: Sendable {
        /// The peer answered with a status. The rest of its body may be missing.
        case response(Response)
        /// No status arrived.
        case failure(NetworkError)
    }

    package let id: RequestID
    package let outcome: Outcome
    /// The time from the start to the end.
    package let duration: Duration
    /// The number of times that the request was put on a connection. 0 means that no peer can have seen it. 2 means
    /// that a kept-alive connection was dead, and that the request was sent again, perhaps after it had been received.
    package let deliveries: Int

    /// The same with another body of the answer, if one came.
    package func mapBody(_ body: ([UInt8]) -> [UInt8]) -> Completion {
        guard case .response(let response) = outcome else { return self }
        let other = Response(
            status: response.status, headers: response.headers, body: body(response.body), ending: response.ending)
        return Completion(id: id, outcome: .response(other), duration: duration, deliveries: deliveries)
    }
}

/// The answer of a peer.
package struct Response: Sendable, Equatable {
    /// The end of the body.
    package enum Ending: Sendable, Equatable {
        /// The body has all that the peer sent.
        case whole
        /// The peer sent more than was kept.
        case cut
        /// The peer did not send all of it.
        case broken(NetworkError.Kind)
    }

    package let status: Int
    /// The headers that `TransportOptions.recordedHeaders` names, in lower case.
    package let headers: [String: String]
    /// The first bytes of the body, at most `bodyKept_bytes` of the request.
    package let body: [UInt8]
    package let ending: Ending

    package init(status: Int, headers: [String: String], body: [UInt8], ending: Ending = .whole) {
        self.status = status
        self.headers = headers
        self.body = body
        self.ending = ending
    }
}

/// The reason why no answer arrived.
package struct NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The step that failed.
    package enum Kind: String, Sendable, CaseIterable {
        /// The host name has no address, or no name server said so in time.
        case resolve
        /// No connection was made: it was refused, the host was unreachable, or it took too long.
        case connect
        /// The peer could not prove its identity, or refused ours.
        case tls
        /// The connection was made, but no answer came in time.
        case timeout
        /// The connection broke.
        case reset
        /// Anything else that curl reports.
        case other
    }

    package let kind: Kind
    /// True if the peer may have received the request, and may have acted on it.
    package let mayHaveArrived: Bool
    /// The error code of curl, and its text or ours. They never hold credentials.
    package let code: UInt32
    package let text: String
    /// The system's error of a connection that was not made, such as `ECONNREFUSED`. 0 where it is not known.
    package let systemCode: Int32

    package init(kind: Kind, mayHaveArrived: Bool, code: UInt32, text: String, systemCode: Int32 = 0) {
        self.kind = kind
        self.mayHaveArrived = mayHaveArrived
        self.code = code
        self.text = text
        self.systemCode = systemCode
    }

    package var description: String {
        let reason = systemCode == 0 ? "" : ", \(SystemError.text(of: systemCode))"
        return "\(kind.rawValue): \(text) (curl \(code)\(reason))"
    }
}
