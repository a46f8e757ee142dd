package import HTTPClient
package import Platform
package import RemoteWrite

/// Where and how metrics are pushed.
package struct ShipperSettings: Sendable {
    /// How requests say who sends them.
    package enum Credentials: Sendable {
        case none
        case basic(user: String, password: SecretSource)
        case bearer(SecretSource)
    }

    package var url: EndpointURL
    package var labels: CommonLabels
    package var schedule = SeriesTable.Schedule()
    package var batches = BatchLimits()
    package var delivery = DeliverySettings()
    /// From the start of a request to the end of its answer.
    package var timeout = Duration.seconds(30)
    package var connectTimeout = Duration.seconds(10)
    package var credentials = Credentials.none
    /// Sent with every request, such as `X-Scope-OrgID`; `check(header:)` says which names are refused.
    package var headers: [HTTPHeader] = []
    /// Pairs of further headers that may change while the program runs.
    package var headersFile: SecretSource?
    /// Certificates to trust in place of the system's; our own certificate and its key. PEM files.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// Whether every series ends with a stale marker when the program stops.
    package var staleOnStop = true
    /// The header `User-Agent`.
    package var userAgent: String
    /// The label `remote_name` of the customary metrics.
    package var remoteName = "lkpush"

    package init(url: EndpointURL, labels: CommonLabels, userAgent: String) {
        self.userAgent = userAgent
        self.url = url
        self.labels = labels
    }

    /// Names that the protocol or the credentials fill; nobody may set them.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
    package static let reservedHeaders: Set<String> = [
        "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
        "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "retry-attempt", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "www-authenticate",
        "x-prometheus-remote-write-version",
    ]

    /// A header that may be added to every request; nil where its name is reserved or it is malformed.
    package static func header(_ name: String, _ value: String) -> HTTPHeader? {
        reservedHeaders.contains(name.lowercased()) ? nil : HTTPHeader(name, value)
    }

    /// Text that is no list of headers. Nothing of it is shown but the name of a header.
    package struct HeadersFault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The headers of pairs such as `X-Scope-OrgID=tenant,X-Other=value`.
    package static func headers(_ pairs: Secret) throws(HeadersFault) -> [HTTPHeader] {
        guard let pairs = PlainText.pairs(pairs.exposed) else {
            throw HeadersFault(description: "expected pairs such as k=v,k2=v2, got something else")
        }
        var headers: [HTTPHeader] = []
        for (name, value) in pairs {
            // What is no name of a header may be a part of a secret.
            guard HTTPHeader(name, "") != nil else {
                throw HeadersFault(description: "expected pairs such as k=v,k2=v2: a name is not one of a header")
            }
            guard let header = header(name, value) else {
                throw HeadersFault(description: "\(name) is malformed, or a header that lkpush sets itself")
            }
            headers.append(header)
        }
        return headers
    }
}
