import Glibc
import HTTPClient
import Platform
import Wire

/// The meaning of an answer in the receiver's own terms, and what to do about it.
///
/// This is for people. Deliveries never depend on the words of an answer.
struct ReceiverHint {
    struct Meaning: Sendable, Equatable {
        /// What is wrong, as the end of a sentence about the receiver.
        let text: String
        /// What to do: sentences with their full stops.
        let advice: String
        /// The variables concerned. Empty if there is none.
        var setting = ""
    }

    /// What was sent. A few sentences are true of one of them only.
    enum Subject: Sendable {
        /// The request of `lkpush check`, which has no series.
        case probe
        /// A request with samples.
        case delivery
    }

    static let urls = """
        The push URL ends with /api/v1/write for Prometheus and VictoriaMetrics, /api/v1/push for Mimir, \
        /api/v1/receive for Thanos, and is https://prometheus-….grafana.net/api/prom/push for Grafana Cloud.
        """
    private static let cloud = """
        The push URL is on the page of the stack at grafana.com, under Prometheus, as Remote Write Endpoint: \
        https://prometheus-….grafana.net/api/prom/push.
        """

    private let subject: Subject
    private let settings: ShipperSettings
    /// The variables of this destination: advice names what is to be set.
    private let variables: DestinationVariables
    /// Host and port, as the URL has them.
    private let authority: String
    private let host: String
    private let path: String

    init(_ settings: ShipperSettings, about subject: Subject = .probe) {
        self.subject = subject
        self.settings = settings
        variables = settings.variables
        let rest = settings.url.description.drop { $0 != ":" }.dropFirst(3)
        authority = String(rest.prefix { $0 != "/" })
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
            advice: Self.urls, setting: variables.url)
    }

    func ofPage(_ response: Response) -> Meaning {
        addressed
            ?? Meaning(
                text: "a wrong address, a page answers there", advice: isGrafanaCloud ? Self.cloud : Self.urls,
                setting: variables.url)
    }

    // MARK: The address

    /// The meaning of an address that is known for something else than remote write.
    private var addressed: Meaning? {
        if path.contains("/loki/") || isGrafanaCloud && host.hasPrefix("logs-") {
            return Meaning(
                text: "a wrong address, it is that of Loki, which takes logs",
                advice: isGrafanaCloud ? Self.cloud : Self.urls,
                setting: variables.url)
        }
        if path.contains("/otlp") || path.hasSuffix("/v1/metrics") || isGrafanaCloud && host.hasPrefix("otlp-") {
            return Meaning(
                text: "a wrong address, it is one for OpenTelemetry, and remote write has another",
                advice: isGrafanaCloud ? Self.cloud : Self.urls,
                setting: variables.url)
        }
        if ["/api/v1/query", "/api/v1/query_range", "/api/v1/read"].contains(where: { path.hasSuffix($0) })
            || path == "/api/prom" || path == "/api/prom/"
        {
            return Meaning(
                text: "a wrong address, it is that for queries",
                advice: isGrafanaCloud ? "The push URL ends with /api/prom/push. \(Self.cloud)" : Self.urls,
                setting: variables.url)
        }
        return nil
    }

    private var elsewhere: Meaning {
        Meaning(
            text: "a wrong address, it is that of Grafana, where people look at metrics",
            advice: isGrafanaCloud ? Self.cloud : Self.urls,
            setting: variables.url)
    }

    /// Grafana Cloud's Prometheus has hosts of its own. Those of stacks and of other services end with the same domain.
    private var isElsewhereInCloud: Bool { isGrafanaCloud && !host.hasPrefix("prometheus-") }

    // MARK: The receiver's words

    /// The meaning of words that a receiver is known for.
    private func told(_ words: String) -> Meaning? {
        if words.contains("\"messageid\":") || isGrafanaCloud && words.contains("invalid username or password") {
            return elsewhere
        }
        return known.first { words.contains($0.words) }.map {
            Meaning(text: $0.text, advice: $0.advice, setting: $0.setting)
        }
    }

    /// Words of an answer, and what they mean.
    typealias Known = (words: String, text: String, advice: String, setting: String)

    private var known: [Known] {
        knownAnyhow + knownOfCredentials + (subject == .delivery ? knownOfSamples : [])
    }

    private var knownOfCredentials: [Known] {
        let pair = "\(variables.username), \(variables.password)"
        return [
            (
                "no credentials provided", "no credentials arrived",
                """
                Set \(variables.username) to the instance id and \(variables.password) to a token with the scope \
                metrics:write.
                """, pair
            ),
            (
                "legacy auth cannot be upgraded", "the instance id and the token do not fit together",
                """
                Set \(variables.username) to the instance id of Prometheus, a number on the page of the stack at \
                grafana.com, and \(variables.password) to a token of an access policy: it begins with glc_.
                """, pair
            ),
            ("authentication error: invalid token", "the token is not known there", newToken, variables.password),
            ("invalid authentication credentials", "the token is not known there", newToken, variables.password),
            (
                "no org id", "the receiver wants to know the tenant",
                "Set \(variables.headers)=X-Scope-OrgID=TENANT, with the name of the tenant.", variables.headers
            ),
        ]
    }

    private var knownAnyhow: [Known] {
        [
            (
                "remote write receiver needs to be enabled", "this Prometheus takes no pushes",
                "Start it with --web.enable-remote-write-receiver.", ""
            ),
            (
                "invalid scope requested", "the token may not write metrics",
                "Give its access policy the scope metrics:write, at grafana.com under Access Policies.",
                variables.password
            ),
            (
                "unsupported path requested", "a wrong address, VictoriaMetrics has no such path",
                "It takes pushes at /api/v1/write, and a cluster's vminsert at /insert/0/prometheus/api/v1/write.",
                variables.url
            ),
            (
                "http request to an https server", "the receiver speaks TLS", "Write the URL with https://.",
                variables.url
            ),
            (
                "plain http request was sent to https port", "the receiver speaks TLS",
                "Write the URL with https://.", variables.url
            ),
        ]
    }

    private var newToken: String {
        """
        It may be deleted, expired, cut off, or of another stack. Make a token with the scope metrics:write for this \
        stack, and set \(variables.password) to it.
        """
    }

    /// The words of Prometheus, and of Mimir in its catalog of errors.
    /// https://grafana.com/docs/mimir/latest/manage/mimir-runbooks/#errors-catalog
    private var knownOfSamples: [Known] {
        let later = "it has later samples of the same series, or others of the same time"
        let rival = """
            See whether a second lkpush sends under the same labels: give each its own INSTANCE and its own \
            STATE_DIR.
            """
        let clocks = "Compare the clock of this machine with the receiver's, and let NTP set both."
        let fewer = "Raise it, or push less: \(exclusion)."
        return [
            ("out of order sample", later, rival, "INSTANCE"),
            ("sample-out-of-order", later, rival, "INSTANCE"),
            ("duplicate sample for timestamp", later, rival, "INSTANCE"),
            ("sample-duplicate-timestamp", later, rival, "INSTANCE"),
            ("out of bounds", "it refuses the times of samples", clocks, ""),
            ("too old sample", "it refuses the times of samples", clocks, ""),
            ("timestamp-too-old", "it refuses the times of samples", clocks, ""),
            ("too-far-in-future", "it refuses the times of samples", clocks, ""),
            ("max-series-per-user", "the tenant's limit of series is reached", fewer, exclusion),
            ("per-user series limit", "the tenant's limit of series is reached", fewer, exclusion),
        ]
    }

    /// The variable that takes metrics out of what is pushed.
    private var exclusion: String { variables.exclude ?? "METRICS_EXCLUDE" }

    // MARK: The status

    private func plain(_ response: Response, at now: Timestamp) -> Meaning {
        switch response.status {
        case 300..<400 where isElsewhereInCloud: return elsewhere
        case 401 where isElsewhereInCloud, 404 where isElsewhereInCloud, 405 where isElsewhereInCloud: return elsewhere
        case 200..<300:
            return Meaning(
                text: "it answers with success, and does not read remote write 2.0",
                advice: "Set \(variables.message) to auto, or to 1.0.", setting: variables.message)
        case 300..<400:
            return Meaning(
                text: "a wrong address, no receiver of remote write answers there",
                advice: "Redirects are not followed, since they would carry the credentials elsewhere. \(Self.urls)",
                setting: variables.url)
        case 401:
            return Meaning(
                text: "it does not accept the credentials", advice: credentialAdvice, setting: credentialSettings)
        case 403:
            return Meaning(
                text: "it does not let these credentials write",
                advice: "Give them the right to write metrics. \(credentialAdvice)", setting: credentialSettings)
        case 404, 405:
            return Meaning(
                text: "a wrong address, no receiver of remote write answers there", advice: Self.urls,
                setting: variables.url)
        case 407:
            return Meaning(
                text: "a proxy wants credentials", advice: "Give them in HTTPS_PROXY or HTTP_PROXY, or set NO_PROXY.",
                setting: Self.proxySettings)
        case 413: return tooLarge
        case 429, 529:
            let wait = response.retryAfter(at: now).map { "It wants \($0.milliseconds / 1_000) s of rest. " } ?? ""
            return Meaning(
                text: "a limit of the receiver is reached, and it takes nothing now",
                advice:
                    "\(wait)Raise the tenant's limits of rate or series, or push less: \(exclusion), PUSH_INTERVAL.",
                setting: "\(exclusion), PUSH_INTERVAL")
        case 500...:
            return Meaning(
                text: "it has trouble of its own",
                advice: "Look at the receiver, or at a proxy before it. lkpush sends again until it is well.")
        default: return refused
        }
    }

    private var tooLarge: Meaning {
        switch subject {
        case .probe:
            Meaning(
                text: "even an empty request is too large, so a proxy refuses all of them",
                advice: "Raise its limit for bodies to at least 1 MiB (nginx: client_max_body_size).")
        case .delivery:
            Meaning(
                text: "the receiver, or a proxy before it, finds requests too large",
                advice: "Raise its limit for bodies to at least 1 MiB (nginx: client_max_body_size).")
        }
    }

    /// An answer that says no more than that it is a refusal.
    private var refused: Meaning {
        switch subject {
        case .probe: Meaning(text: "it refuses even an empty request", advice: Self.urls)
        case .delivery:
            Meaning(
                text: "it refuses what is sent, for good",
                advice: """
                    Its answer says why: most often a limit of the tenant, or labels that it does not take. Run \
                    lkpush check to see whether it refuses everything.
                    """)
        }
    }

    // MARK: A delivery

    /// The meaning of a request that has had no answer for `Delivery.Limits.late`.
    var ofLateness: Meaning {
        Meaning(
            text: "it has not answered a request for 5 s",
            advice: """
                Look at the receiver, at a proxy before it, and at the network between: whether it is overloaded, or \
                hangs. A request is given up and sent again after REMOTE_WRITE_TIMEOUT.
                """, setting: "REMOTE_WRITE_TIMEOUT")
    }

    /// The meaning of a success that counts fewer samples than were sent.
    var ofMissing: Meaning {
        Meaning(
            text: "it takes requests, and counts fewer samples than they hold",
            advice: "See the receiver's own log for what it left out.")
    }

    /// The meaning of a refusal of samples that it may have stored at an earlier attempt.
    var ofAmbiguity: Meaning {
        Meaning(
            text: "it refused samples that it may have stored before",
            advice: "Nothing, if this ends by itself: usually it has them. Otherwise see its answer.")
    }

    /// The meaning of credentials or headers whose file cannot be read.
    func ofCredentials(_ error: SecretSource.SecretError) -> Meaning {
        Meaning(
            text: "the credentials cannot be read again, and those from before stay in use: \(error)",
            advice: "Mend the file.", setting: credentialSettings)
    }

    // MARK: Credentials

    private static let proxySettings = "HTTPS_PROXY, HTTP_PROXY, NO_PROXY"

    /// The variables that hold the credentials.
    private var credentialSettings: String {
        switch settings.credentials {
        case .none: variables.credentials
        case .basic: "\(variables.username), \(variables.password)"
        case .bearer: variables.bearerToken
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

    private var usesProxy: Bool { settings.network.usesProxy(for: settings.url) }

    /// The meaning of an attempt that brought no answer.
    func of(_ failure: NetworkError) -> Meaning {
        switch failure.kind {
        case .resolve where usesProxy:
            Meaning(
                text: "the name of the proxy has no address",
                advice: "Check HTTPS_PROXY and HTTP_PROXY, and the name server of this machine.",
                setting: Self.proxySettings)
        case .resolve:
            Meaning(
                text: subject == .probe ? "its name has no address" : "its name has no address: \(host)",
                advice: "Check \(variables.url), and the name server of this machine.", setting: variables.url)
        case .connect: ofConnection(failure)
        case .tls:
            Meaning(
                text: subject == .probe
                    ? "no secure connection can be made" : "no secure connection (TLS) can be made to \(authority)",
                advice: """
                    If its certificate is of your own authority, set \(variables.authorityFile); if it wants a client \
                    certificate, \(variables.certificateFile) and \(variables.keyFile); if it speaks plain HTTP, write \
                    the URL with http://.
                    """,
                setting: "\(variables.authorityFile), \(variables.certificateFile), \(variables.keyFile)")
        case .timeout:
            Meaning(
                text: subject == .probe
                    ? "it does not answer in time"
                    : "it does not answer in time: no answer within \(UnitText.text(settings.timeout))",
                advice: "Look at the receiver, or at a proxy before it; REMOTE_WRITE_TIMEOUT is the limit.",
                setting: "REMOTE_WRITE_TIMEOUT")
        case .other where subject == .delivery:
            Meaning(
                text: "the request failed: \(failure.text)",
                advice: usesProxy
                    ? "Check HTTPS_PROXY and HTTP_PROXY, and the proxy."
                    : "Look at the receiver, or at a proxy before it, and check http:// or https:// in the URL.",
                setting: usesProxy ? Self.proxySettings : variables.url)
        case .reset, .other:
            Meaning(
                text: "the connection broke",
                advice: "Look at the receiver, or at a proxy before it, and check http:// or https:// in the URL.",
                setting: variables.url)
        }
    }

    private func ofConnection(_ failure: NetworkError) -> Meaning {
        let place = usesProxy ? "the proxy" : authority
        let text =
            switch failure.systemCode {
            case _ where subject == .probe: "nobody can be reached there"
            case ECONNREFUSED: "the connection is refused: nothing listens at \(place)"
            case EHOSTUNREACH, ENETUNREACH: "there is no way in the network to \(place)"
            default: "no connection can be made to \(place)"
            }
        return Meaning(
            text: text, advice: "Check that it runs, its port, and firewalls and proxies on the way.",
            setting: usesProxy ? Self.proxySettings : variables.url)
    }
}
