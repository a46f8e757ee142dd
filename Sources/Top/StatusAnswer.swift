import HTTPClient
import Platform
import Status
import Wire

/// What came of asking for the status document.
enum StatusAnswer: Sendable {
    case document(StatusDocument, json: [UInt8])
    case failure(TopPicture.Failure)

    enum Limits {
        /// Far more than a document with 500 organizations of long names.
        static let document_bytes = 16 << 20
        /// The part of a body that is quoted.
        static let quoted = 300
        /// A lkpush that works answers at once, also while it pushes or restores its state.
        static let timeout = Duration.seconds(5)
    }

    static func request(_ url: EndpointURL) -> Request {
        var request = Request(.get, url, headers: [], timeout: Limits.timeout)
        request.bodyKept_bytes = Limits.document_bytes
        return request
    }

    init(_ outcome: Completion.Outcome, from url: EndpointURL) {
        switch outcome {
        case .response(let response) where response.status == 200: self = Self.read(response.body, url)
        case .response(let response): self = .failure(Self.refusal(response, url))
        case .failure(let error): self = .failure(Self.unreachable(error, url))
        }
    }

    private static func read(_ body: [UInt8], _ url: EndpointURL) -> StatusAnswer {
        do throws(DecodingFault) {
            let document = try StatusDocument(json: body)
            // Another program's JSON has none of our fields.
            if document.now != .absent, !document.program.version.isEmpty { return .document(document, json: body) }
            return .failure(
                TopPicture.Failure(
                    reason: "\(url) answers with JSON that is not the status of lkpush.",
                    action: "Give the address of lkpush's private listener, METRICS_LISTEN."))
        } catch  where body.first == UInt8(ascii: "{") {
            return .failure(
                TopPicture.Failure(
                    reason: "\(url) answers with JSON that cannot be read, or with a part of it only.",
                    action: "Use the lkpush top of the same version. If it is the same, look at the way between."))
        } catch {
            return .failure(
                TopPicture.Failure(
                    reason: "\(url) answers with something that is not JSON\(quote(body)).",
                    action: """
                        Give the address of lkpush's private listener, METRICS_LISTEN. Another program or a proxy \
                        answers there.
                        """))
        }
    }

    private static func refusal(_ response: Response, _ url: EndpointURL) -> TopPicture.Failure {
        let quoted = quote(response.body)
        let text = "\(url) answers \(response.status)\(quoted)\(quoted.hasSuffix(".") ? "" : ".")"
        switch response.status {
        case 404, 405:
            return TopPicture.Failure(
                reason: "\(text) An older lkpush answers so, and so does another program.",
                action: """
                    Give the address of the private listener, METRICS_LISTEN, not that of webhooks. lkpush has a \
                    status since 0.6.0.
                    """)
        case 403:
            return TopPicture.Failure(
                reason: text,
                action: """
                    Ask by an IP address or as localhost, or add this host name to METRICS_ALLOWED_HOSTS of lkpush.
                    """)
        case 401, 407:
            return TopPicture.Failure(
                reason: text, action: "A proxy before lkpush asks for a password: http://USER:PASSWORD@HOST:PORT.")
        case 300..<400:
            return TopPicture.Failure(
                reason: text, action: "Give the address that it leads to; redirects are not followed.")
        default:
            return TopPicture.Failure(
                reason: text, action: "Look at lkpush or at the proxy before it: its log says more.")
        }
    }

    private static func unreachable(_ error: NetworkError, _ url: EndpointURL) -> TopPicture.Failure {
        let text = "\(error.text)."
        switch error.kind {
        case .connect:
            return TopPicture.Failure(
                reason: "The connection was refused or cannot be made: \(text)",
                action: """
                    See whether lkpush runs, and whether METRICS_LISTEN is \(host(url)). The default listens on this \
                    machine only.
                    """)
        case .resolve:
            return TopPicture.Failure(
                reason: "The host name has no address: \(text)", action: "Correct the host name in \(url).")
        case .timeout:
            return TopPicture.Failure(
                reason: "The connection is made, but no answer comes: \(text)",
                action: "See whether lkpush is stopped or its machine has no time for it: top and its log tell.")
        case .tls:
            return TopPicture.Failure(
                reason: "TLS fails: \(text)",
                action: "The private listener speaks http://, unless a proxy is before it.")
        case .reset, .other:
            return TopPicture.Failure(
                reason: "The connection broke: \(text)", action: "See whether lkpush runs: its log says more.")
        }
    }

    private static func host(_ url: EndpointURL) -> String {
        String(url.description.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" })
    }

    private static func quote(_ body: [UInt8]) -> String {
        let text = PlainText.trimmed(String(decoding: body.prefix(4 * Limits.quoted), as: UTF8.self))
        guard !text.isEmpty else { return "" }
        let isWhole = text.count <= Limits.quoted
        return ": \(text.prefix(Limits.quoted))\(isWhole ? "" : "…")"
    }
}
