import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// Posts webhooks one after the other on one connection, signed at the time of the day.
final class WebhookPoster {
    static let key = "APIqubitalTest"
    static let secret = "secret-for-tests-only-0123456789abcdef"

    private let signer = TokenSigner(key: key, secret: Secret(secret))
    private let forger = TokenSigner(key: key, secret: Secret("wrongwrongwrongwrongwrong"))
    private let time: DayTime
    private var connection: RawHTTP?
    private var port: UInt16 = 0
    /// Webhooks that were answered 200.
    private(set) var accepted = 0

    init(_ time: DayTime) { self.time = time }

    /// Posts to another port from now on.
    func connect(to port: UInt16) {
        self.port = port
        connection = nil
    }

    /// Posts a body with a token of now.
    func post(_ body: [UInt8], isForged: Bool = false, path: String = "/webhook") throws {
        let token = (isForged ? forger : signer).webhookToken(for: body.span, at: time.now())
        let status = try status(of: body, token: token, path: path)
        let wanted = isForged ? 401 : path == "/webhook" ? 200 : 404
        #expect(status == wanted, "\(path) was answered \(status)")
    }

    /// Posts a body with any token. A server that is busy is asked again, as LiveKit does.
    func status(
        of body: [UInt8], token: String?, method: String = "POST", path: String = "/webhook"
    ) throws -> Int {
        var status = 0
        let isAnswered = eventually {
            if connection == nil { connection = try? RawHTTP(port: port) }
            let headers = token.map { [("Authorization", $0)] } ?? []
            guard let reply = connection?.ask(method, path, headers: headers, body: body) else {
                connection = nil
                return false
            }
            if reply.header("connection")?.lowercased() == "close" { connection = nil }
            status = reply.status
            return status != 503 && status != 429
        }
        try #require(isAnswered, "no answer, or \(status)")
        if status == 200 { accepted += 1 }
        return status
    }

    /// A token of the known key with any times.
    func token(for body: [UInt8], at time: Timestamp) -> String { signer.webhookToken(for: body.span, at: time) }
}
