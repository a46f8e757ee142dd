import HTTPClient
import Platform
import Wire

/// The meaning of an answer in the receiver's own terms, and what to do about it.
///
/// This is for people. Deliveries never depend on the words of an answer.
struct ReceiverHint {
    struct Meaning: Sendable, Equatable {
        let text: String
        /// A sentence with its full stop.
        let advice: String
    }

    static let urls = """
        The push URL ends with /api/v1/write for Prometheus and VictoriaMetrics, /api/v1/push for Mimir, \
        /api/v1/receive for Thanos, and is https://prometheus-….grafana.net/api/prom/push for Grafana Cloud.
        """
    private static let cloud = """
        The push URL is on the page of the stack at grafana.com, under Prometheus, as Remote Write Endpoint: \
        https://prometheus-….grafana.net/api/prom/push.
        """

    private let settings: ShipperSettings
    /// The variables of this destination: advice names what is to be set.
    private let variables: DestinationVariables
    private let host: String
    private let path: String

    init(_ settings: ShipperSettings) {
        self.settings = settings
        variables = settings.variables
        let rest = settings.url.description.drop { $0 != ":" }.dropFirst(3)
        let authority = rest.prefix { $0 != "/" }
        host = String(authority.prefix { $0 != ":" }).lowercased()
        path = String(rest.dropFirst(authority.count)).lowercased()
    }

    private var isGrafanaCloud: Bool { host.hasSuffix(".grafana.net") }

    // MARK: Answers

    /// The meaning of an answer that is no success.
    func of(_ response: Response, at now: Timestamp) -> Meaning {
        let words = String(decoding: response.body, as: UTF8.self).lowercased()
        return addressed ?? told(words) ?? plain(response, at: now)
    }

    /// The meaning of a success. Nil if all is well.
    func ofAccepted(_ response: Response) -> Meaning? {
        if let addressed { return addressed }
        guard response.headers["x-influxdb-version"] != nil else { return nil }
        return Meaning(
            text: "an endpoint for the line protocol of InfluxDB answers there, and would lose what is pushed",
            advice: Self.urls)
    }

    func ofPage(_ response: Response) -> Meaning {
        addressed
            ?? Meaning(text: "a wrong address, a page answers there", advice: isGrafanaCloud ? Self.cloud : Self.urls)
    }

    // MARK: The address

    /// The meaning of an address that is known for something else than remote write.
    private var addressed: Meaning? {
        if path.contains("/loki/") || isGrafanaCloud && host.hasPrefix("logs-") {
            return Meaning(
                text: "a wrong address, it is that of Loki, which takes logs",
                advice: isGrafanaCloud ? Self.cloud : Self.urls)
        }
        if path.contains("/otlp") || path.hasSuffix("/v1/metrics") || isGrafanaCloud && host.hasPrefix("otlp-") {
            return Meaning(
                text: "a wrong address, it is one for OpenTelemetry, and remote write has another",
                advice: isGrafanaCloud ? Self.cloud : Self.urls)
        }
        if ["/api/v1/query", "/api/v1/query_range", "/api/v1/read"].contains(where: { path.hasSuffix($0) })
            || path == "/api/prom" || path == "/api/prom/"
        {
            return Meaning(
                text: "a wrong address, it is that for queries",
                advice: isGrafanaCloud ? "The push URL ends with /api/prom/push. \(Self.cloud)" : Self.urls)
        }
        return nil
    }

    private var elsewhere: Meaning {
        Meaning(
            text: "a wrong address, it is that of Grafana, where people look at metrics",
            advice: isGrafanaCloud ? Self.cloud : Self.urls)
    }

    /// Grafana Cloud's Prometheus has hosts of its own. Those of stacks and of other services end with the same domain.
    private var isElsewhereInCloud: Bool { isGrafanaCloud && !host.hasPrefix("prometheus-") }

    // MARK: The receiver's words

    /// The meaning of words that a receiver is known for.
    private func told(_ words: String) -> Meaning? {
        if words.contains("\"messageid\":") || isGrafanaCloud && words.contains("invalid username or password") {
            return elsewhere
        }
        return known.first { words.contains($0.words) }.map { Meaning(text: $0.text, advice: $0.advice) }
    }

    private var known: [(words: String, text: String, advice: String)] {
        Self.knownAnyhow + knownOfVariables
    }

    /// Those whose advice names variables.
    private var knownOfVariables: [(words: String, text: String, advice: String)] {
        [
            (
                "no credentials provided", "no credentials arrived",
                """
                Set \(variables.username) to the instance id and \(variables.password) to a token with the scope \
                metrics:write.
                """
            ),
            (
                "legacy auth cannot be upgraded", "the instance id and the token do not fit together",
                """
                Set \(variables.username) to the instance id of Prometheus, a number on the page of the stack at \
                grafana.com, and \(variables.password) to a token of an access policy: it begins with glc_.
                """
            ),
            ("authentication error: invalid token", "the token is not known there", newToken),
            ("invalid authentication credentials", "the token is not known there", newToken),
            (
                "no org id", "the receiver wants to know the tenant",
                "Set \(variables.headers)=X-Scope-OrgID=TENANT, with the name of the tenant."
            ),
        ]
    }

    private static let knownAnyhow: [(words: String, text: String, advice: String)] = [
        (
            "remote write receiver needs to be enabled", "this Prometheus takes no pushes",
            "Start it with --web.enable-remote-write-receiver."
        ),
        (
            "invalid scope requested", "the token may not write metrics",
            "Give its access policy the scope metrics:write, at grafana.com under Access Policies."
        ),
        (
            "unsupported path requested", "a wrong address, VictoriaMetrics has no such path",
            "It takes pushes at /api/v1/write, and a cluster's vminsert at /insert/0/prometheus/api/v1/write."
        ),
        ("http request to an https server", "the receiver speaks TLS", "Write the URL with https://."),
        ("plain http request was sent to https port", "the receiver speaks TLS", "Write the URL with https://."),
    ]

    private var newToken: String {
        """
        It may be deleted, expired, cut off, or of another stack. Make a token with the scope metrics:write for this \
        stack, and set \(variables.password) to it.
        """
    }

    // MARK: The status

    private func plain(_ response: Response, at now: Timestamp) -> Meaning {
        switch response.status {
        case 300..<400 where isElsewhereInCloud: return elsewhere
        case 401 where isElsewhereInCloud, 404 where isElsewhereInCloud, 405 where isElsewhereInCloud: return elsewhere
        case 300..<400:
            return Meaning(
                text: "a wrong address, no receiver of remote write answers there",
                advice: "Redirects are not followed, since they would carry the credentials elsewhere. \(Self.urls)")
        case 401: return Meaning(text: "it does not accept the credentials", advice: credentialAdvice)
        case 403:
            return Meaning(
                text: "it does not let these credentials write",
                advice: "Give them the right to write metrics. \(credentialAdvice)")
        case 404, 405:
            return Meaning(text: "a wrong address, no receiver of remote write answers there", advice: Self.urls)
        case 407:
            return Meaning(
                text: "a proxy wants credentials", advice: "Give them in HTTPS_PROXY or HTTP_PROXY, or set NO_PROXY.")
        case 413:
            return Meaning(
                text: "even an empty request is too large, so a proxy refuses all of them",
                advice: "Raise its limit for bodies to at least 1 MiB (nginx: client_max_body_size).")
        case 429, 529:
            let wait = response.retryAfter(at: now).map { "It wants \($0.milliseconds / 1_000) s of rest. " } ?? ""
            return Meaning(
                text: "a limit of the receiver is reached, and it takes nothing now",
                advice:
                    "\(wait)Raise the tenant's limits of rate or series, or push less: \(variables.exclude ?? "METRICS_EXCLUDE"), PUSH_INTERVAL."
            )
        case 500...:
            return Meaning(
                text: "it has trouble of its own",
                advice: "Look at the receiver, or at a proxy before it. lkpush sends again until it is well.")
        default:
            return Meaning(text: "it refuses even an empty request", advice: Self.urls)
        }
    }

    private var credentialAdvice: String {
        switch settings.credentials {
        case .none: "None are set: give \(variables.credentials)."
        case .basic(let user, let password):
            if isGrafanaCloud, !user.allSatisfy(\.isNumber) {
                "\(variables.username) is no instance id, which is a number on the page of the stack at grafana.com."
            } else if isGrafanaCloud, (try? password.read())?.exposed.hasPrefix("glsa_") == true {
                // A file that cannot be read was reported before the request was sent.
                "\(variables.password) is a service account's token, for Grafana itself; an access policy's begins with glc_."
            } else {
                "Check \(variables.username) and \(variables.password)."
            }
        case .bearer: "Check \(variables.bearerToken)."
        }
    }

    // MARK: No answer

    /// The meaning of an attempt that brought no answer.
    func of(_ failure: NetworkError) -> Meaning {
        switch failure.kind {
        case .resolve:
            Meaning(
                text: "its name has no address",
                advice: "Check \(variables.url), and the name server of this machine.")
        case .connect:
            Meaning(
                text: "nobody can be reached there",
                advice: "Check that it runs, its port, and firewalls and proxies on the way.")
        case .tls:
            Meaning(
                text: "no secure connection can be made",
                advice: """
                    If its certificate is of your own authority, set \(variables.authorityFile); if it wants a client \
                    certificate, \(variables.certificateFile) and \(variables.keyFile); if it speaks plain HTTP, write \
                    the URL with http://.
                    """)
        case .timeout:
            Meaning(
                text: "it does not answer in time",
                advice: "Look at the receiver, or at a proxy before it; REMOTE_WRITE_TIMEOUT is the limit.")
        case .reset, .other:
            Meaning(
                text: "the connection broke",
                advice: "Look at the receiver, or at a proxy before it, and check http:// or https:// in the URL.")
        }
    }
}
