import HTTPClient
import Platform
import RemoteWrite

/// Builds requests: the protocol's headers, then ours, with credentials that are read again when they change.
/// https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
struct ShipperRequests {
    private let settings: ShipperSettings
    private var credentials: ShipperCredentials
    /// Those that come from a file.
    private var furtherHeaders: [HTTPHeader] = []
    private var headers: [HTTPHeader] = []

    init(_ settings: ShipperSettings) {
        self.settings = settings
        credentials = ShipperCredentials(settings.credentials)
        build()
    }

    /// Reads credentials and headers again; true where they are other ones than before.
    mutating func reload() throws(SecretSource.SecretError) -> Bool {
        let areNew = try credentials.reload()
        // What was read is in use even where the other file cannot be read.
        defer { if areNew { build() } }
        guard let file = settings.headersFile else { return areNew }
        let secret = try file.read()
        let headers: [HTTPHeader]
        do throws(ShipperSettings.HeadersFault) {
            headers = try ShipperSettings.headers(secret)
        } catch {
            throw SecretSource.SecretError(description: "REMOTE_WRITE_HEADERS: \(error)")
        }
        guard headers != furtherHeaders else { return areNew }
        furtherHeaders = headers
        build()
        return true
    }

    private mutating func build() {
        headers = [
            HTTPHeader(known: "Content-Encoding", "snappy"),
            HTTPHeader(known: "Content-Type", "application/x-protobuf"),
            HTTPHeader(known: "User-Agent", settings.userAgent),
            HTTPHeader(known: "X-Prometheus-Remote-Write-Version", "0.1.0"),
        ]
        headers += (settings.headers + furtherHeaders).filter {
            !ShipperSettings.reservedHeaders.contains($0.name.lowercased())
        }
        if let header = credentials.header { headers.append(header) }
    }

    /// - Parameter retry: how often the same body was sent before; receivers grow their `Retry-After` with it.
    func request(_ body: [UInt8], retry: Int) -> Request {
        var all = headers
        if retry > 0 { all.append(HTTPHeader(known: "Retry-Attempt", String(retry))) }
        return Request(.post, settings.url, headers: all, body: body, timeout: settings.timeout)
    }

    /// What the transport is made with. The lifetime varies so that a fleet does not reconnect at one moment.
    static func options(_ settings: ShipperSettings) -> TransportOptions {
        var options = TransportOptions()
        options.recordedHeaders = ["retry-after", "location", "content-type"]
        options.connectTimeout = settings.connectTimeout
        options.connectionLifetime = .seconds(Int64.random(in: 540...660))
        options.authorityFile = settings.authorityFile
        options.certificateFile = settings.certificateFile
        options.keyFile = settings.keyFile
        return options
    }

    /// Answers of something else than a receiver: it leads elsewhere, such as to a login, knows no such path, or takes
    /// nothing that is posted there.
    static func isWrongAddress(_ status: Int) -> Bool { (300..<400).contains(status) || status == 404 || status == 405 }

    /// A page for people, which no receiver answers with.
    static func isPage(_ response: Response) -> Bool {
        response.headers["content-type"]?.lowercased().hasPrefix("text/html") ?? false
    }

    /// What a receiver says, for people: where it redirects to, without what may be secret of that, then its own words.
    static func words(of response: Response) -> String {
        let body = String(decoding: response.body, as: UTF8.self)
        guard (300..<400).contains(response.status), let location = response.headers["location"] else { return body }
        let target = EndpointURL(location).map(\.description) ?? "another path"
        return "redirects are not followed; this one leads to \(target)\(body.isEmpty ? "" : ": \(body)")"
    }
}
