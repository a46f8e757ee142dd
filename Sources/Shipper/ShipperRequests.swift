import HTTPClient
import Platform
import RemoteWrite

/// Builds requests: headers of the protocol, then configured headers, then credentials. Headers and credentials in
/// files are read again when they change. https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
struct ShipperRequests {
    private let settings: ShipperSettings
    private var credentials: ShipperCredentials
    /// Headers that come from a file.
    private var furtherHeaders: [HTTPHeader] = []
    private var headers: [HTTPHeader] = []
    /// What an answer may repeat and nobody may read, the longest first.
    private var secrets: [String] = []

    private enum Limits {
        /// Shorter values are found by chance in every text.
        static let secret_bytes = 4
    }

    init(_ settings: ShipperSettings) {
        self.settings = settings
        credentials = ShipperCredentials(settings)
        build()
    }

    /// Reads credentials and headers again. Returns true if any of them has changed.
    mutating func reload() throws(SecretSource.SecretError) -> Bool {
        let areNew = try credentials.reload()
        // New credentials are used even if the file of headers cannot be read.
        defer { if areNew { build() } }
        guard let file = settings.headersFile else { return areNew }
        let secret = try file.read()
        let headers: [HTTPHeader]
        do throws(ShipperSettings.HeadersFault) {
            headers = try ShipperSettings.headers(secret)
        } catch {
            throw SecretSource.SecretError(description: "\(settings.variables.headers): \(error)")
        }
        guard headers != furtherHeaders else { return areNew }
        furtherHeaders = headers
        build()
        return true
    }

    private mutating func build() {
        headers = [
            HTTPHeader(known: "Content-Encoding", "snappy"),
            HTTPHeader(known: "User-Agent", settings.userAgent),
        ]
        headers += (settings.headers + furtherHeaders).filter {
            !ShipperSettings.reservedHeaders.contains($0.name.lowercased())
        }
        if let header = credentials.header { headers.append(header) }
        // The query of the address may hold a key.
        let query = settings.url.exposed.drop { $0 != "?" }.dropFirst().prefix { $0 != "#" }
        let values =
            (settings.headers + furtherHeaders).map(\.value) + credentials.secrets
            + query.split(separator: "&").compactMap { $0.split(separator: "=", maxSplits: 1).last.map(String.init) }
        secrets = Set(values).filter { $0.utf8.count >= Limits.secret_bytes }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// The same outcome, without the secrets of the request in the text of the answer: some receivers and proxies
    /// repeat what they were sent.
    func masked(_ completion: Completion) -> Completion {
        if secrets.isEmpty { return completion }
        return completion.mapBody { body in
            if body.isEmpty { return body }
            var text = String(decoding: body, as: UTF8.self)
            for secret in secrets { text = text.replacing(secret, with: Self.mask) }
            // The text may have been cut in the middle of one.
            for secret in secrets {
                let part = (Limits.secret_bytes..<secret.count).last { text.hasSuffix(secret.prefix($0)) }
                if let part { text = text.dropLast(part) + Self.mask }
            }
            return Array(text.utf8)
        }
    }

    private static let mask = "••••"

    /// - Parameter retry: the number of earlier requests with this body. Receivers grow their `Retry-After` with it.
    func request(_ body: [UInt8], _ message: Message, retry: Int) -> Request {
        var all = headers
        all.append(HTTPHeader(known: "Content-Type", message.contentType))
        all.append(HTTPHeader(known: "X-Prometheus-Remote-Write-Version", message.version))
        if retry > 0 { all.append(HTTPHeader(known: "Retry-Attempt", String(retry))) }
        return Request(.post, settings.url, headers: all, body: body, timeout: settings.timeout)
    }

    /// The options of the transport. The lifetime of connections is random, so that many processes do not reconnect at
    /// the same moment.
    static func options(_ settings: ShipperSettings) -> TransportOptions {
        var options = TransportOptions()
        options.recordedHeaders = [
            "retry-after", "location", "content-type", "date", "x-influxdb-version",
            "x-prometheus-remote-write-samples-written", "x-prometheus-remote-write-histograms-written",
            "x-prometheus-remote-write-exemplars-written",
        ]
        options.connectTimeout = settings.connectTimeout
        options.connectionLifetime = .seconds(Int64.random(in: 300...600))
        options.network = settings.network
        options.authorityFile = settings.authorityFile
        options.certificateFile = settings.certificateFile
        options.keyFile = settings.keyFile
        return options
    }

    /// The counts of samples, histograms and exemplars that a receiver of version 2.0 gives. A text that is no count is
    /// as good as none.
    static func written(in response: Response) -> Delivery.Written {
        func count(_ kind: String) -> UInt64? {
            response.headers["x-prometheus-remote-write-\(kind)-written"].flatMap { UInt64($0) }
        }
        return Delivery.Written(
            samples: count("samples"), histograms: count("histograms"), exemplars: count("exemplars"))
    }

    /// True for answers that cannot come from a receiver: a redirect, such as to a login; an unknown path; or a path
    /// that takes no POST.
    static func isWrongAddress(_ status: Int) -> Bool { (300..<400).contains(status) || status == 404 || status == 405 }

    /// True for a page for people. No receiver answers with one.
    static func isPage(_ response: Response) -> Bool {
        response.headers["content-type"]?.lowercased().hasPrefix("text/html") ?? false
    }

    /// The text of an answer, for people: the target of a redirect without its secret parts, then the receiver's own
    /// message.
    static func words(of response: Response) -> String {
        let body = String(decoding: response.body, as: UTF8.self)
        guard (300..<400).contains(response.status), let location = response.headers["location"] else { return body }
        let target = EndpointURL(location).map(\.description) ?? "another path"
        return "redirects are not followed; this one leads to \(target)\(body.isEmpty ? "" : ": \(body)")"
    }
}
