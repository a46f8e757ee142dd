package import HTTPClient
package import Platform
package import RemoteWrite

/// The receiver, and how metrics are pushed to it. The defaults of what users can set are in `Settings`.
package struct ShipperSettings: Sendable {
    /// The credentials of requests.
    package enum Credentials: Sendable {
        case none
        case basic(user: String, password: SecretSource)
        case bearer(SecretSource)
    }

    /// The name of the destination. It is the label `destination` of its metrics, and a part of the name of its spool.
    package var destination = DestinationVariables.standardName
    package var url: EndpointURL
    package var labels: CommonLabels
    /// The families that are pushed. The others stay on `/metrics`.
    package var selection = FamilySelection()
    package var schedule: SeriesTable.Schedule
    package var batches: BatchLimits
    package var delivery: DeliverySettings
    /// The limit for the time from the start of a request to the end of its answer.
    package var timeout: Duration
    package var connectTimeout = Duration.seconds(10)
    package var credentials = Credentials.none
    /// Headers of every request, such as `X-Scope-OrgID`. `header(_:_:)` refuses reserved names.
    package var headers: [HTTPHeader] = []
    /// Pairs of further headers, in a file that may change while the program runs.
    package var headersFile: SecretSource?
    /// PEM files: certificates to trust instead of the system's; the client certificate and its key.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// What the environment says about connections.
    package var network = NetworkEnvironment()
    /// Nil if what waits is kept in memory only.
    package var spool: SpoolSettings?
    /// The folder and the age of spools, where there is none: those of an earlier process age out.
    package var unusedSpools: SpoolSettings?
    /// Ends every series with a stale marker when the program stops.
    package var staleOnStop: Bool
    /// The header `User-Agent`.
    package var userAgent: String
    /// The label `remote_name` of the metrics with Prometheus' names.
    package var remoteName = Self.standardRemoteName

    /// `remoteName` of the destination `default`. No other destination has it.
    package static let standardRemoteName = "lkpush"

    package init(
        url: EndpointURL, labels: CommonLabels, userAgent: String, schedule: SeriesTable.Schedule, batches: BatchLimits,
        delivery: DeliverySettings, timeout: Duration, staleOnStop: Bool
    ) {
        self.url = url
        self.labels = labels
        self.userAgent = userAgent
        self.schedule = schedule
        self.batches = batches
        self.delivery = delivery
        self.timeout = timeout
        self.staleOnStop = staleOnStop
    }

    /// The variables that configure this destination.
    package var variables: DestinationVariables { DestinationVariables(of: destination) }

    /// The time for which samples wait while the receiver does not answer.
    /// - Parameters:
    ///   - samples: the samples of one reading.
    ///   - room: the room of the spool on its file system; nil if that is not known.
    package func estimate(samples: Int, room: SpoolRoom?) -> SpoolEstimate {
        SpoolEstimate(
            delivery, spool: spool.map { ($0.maxBytes, $0.maxAge) }, room: room?.each, samples: samples,
            every: schedule.pushInterval)
    }

    /// Names that the protocol or the credentials fill. Nobody may set them.
    /// https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
    package static let reservedHeaders: Set<String> = [
        "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
        "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "retry-attempt", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "www-authenticate",
        "x-prometheus-remote-write-version",
    ]

    /// A header for every request. Returns nil if its name is reserved or if it is malformed.
    package static func header(_ name: String, _ value: String) -> HTTPHeader? {
        reservedHeaders.contains(name.lowercased()) ? nil : HTTPHeader(name, value)
    }

    /// The text is no list of headers. The description quotes nothing of it but the name of a header.
    package struct HeadersFault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads headers from pairs such as `X-Scope-OrgID=tenant,X-Other=value`.
    package static func headers(_ pairs: Secret) throws(HeadersFault) -> [HTTPHeader] {
        guard let pairs = PlainText.pairs(pairs.exposed) else {
            throw HeadersFault(description: "expected pairs such as k=v,k2=v2, got something else")
        }
        var headers: [HTTPHeader] = []
        for (name, value) in pairs {
            // Text that is no name of a header may be a part of a secret, so it is not quoted.
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
