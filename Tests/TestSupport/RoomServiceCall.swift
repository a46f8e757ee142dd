import FoundationEssentials
import LiveKit
import Platform
import Wire

/// A call that a stand-in for LiveKit's server API received: one RemoveParticipant, and its faults.
package struct RoomServiceCall: Sendable {
    package private(set) var room = ""
    package private(set) var identity = ""
    /// The reasons why LiveKit would not have executed the call. Empty if it would have.
    package private(set) var faults: [String] = []

    private struct Body: Decodable {
        let room: String
        let identity: String
    }

    private struct Header: Decodable {
        let alg: String
    }

    private struct Claims: Decodable {
        struct Grant: Decodable {
            let roomAdmin: Bool?
            let room: String?
        }

        let iss: String
        let nbf: Int64
        let exp: Int64
        let video: Grant
    }

    /// Checks a request as LiveKit does: path, content type, the token's signature, times and grant, and the body.
    /// https://github.com/livekit/livekit/blob/master/pkg/service/auth.go
    package init(_ request: ScriptedReceiver.Recorded, key: String, secret: String, prefix: String = "") {
        if request.method != "POST" { faults.append("method \(request.method)") }
        if request.target != prefix + "/twirp/livekit.RoomService/RemoveParticipant" {
            faults.append("path \(request.target)")
        }
        if request.headers["content-type"] != "application/json" { faults.append("content type") }
        if request.headers["user-agent"]?.hasPrefix("lkpush/") != true { faults.append("user agent") }
        if let body = Self.decode(Body.self, request.body) {
            (room, identity) = (body.room, body.identity)
        } else {
            faults.append("body")
        }
        let authorization = request.headers["authorization"] ?? ""
        if !authorization.hasPrefix("Bearer ") { faults.append("no bearer") }
        check(String(authorization.dropFirst("Bearer ".count)), key, secret)
    }

    private mutating func check(_ token: String, _ key: String, _ secret: String) {
        let parts = token.split(separator: ".").map { Array($0.utf8) }
        guard parts.count == 3, let header = Self.part(Header.self, parts[0]),
            let claims = Self.part(Claims.self, parts[1]), let text = Self.bytes(parts[1])
        else { return faults.append("no token") }
        // The signature is right if the secret makes the same one.
        if TokenSigner(key: key, secret: Secret(secret)).token(text) != token { faults.append("signature") }
        if header.alg != "HS256" { faults.append("algorithm") }
        if claims.iss != key { faults.append("issuer") }
        let now = SystemTime().now().milliseconds / 1_000
        if claims.nbf > now { faults.append("not yet valid") }
        if claims.exp <= now { faults.append("expired") }
        if claims.exp - claims.nbf > 120 { faults.append("valid for too long") }
        if claims.video.roomAdmin != true { faults.append("no roomAdmin") }
        if claims.video.room != room { faults.append("grant of another room") }
    }

    private static func part<Value: Decodable>(_ type: Value.Type, _ part: [UInt8]) -> Value? {
        bytes(part).flatMap { decode(type, $0) }
    }

    private static func bytes(_ part: [UInt8]) -> [UInt8]? { Base64.url.decode(part.span) }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            return nil
        }
    }
}

extension ScriptedReceiver.Answer {
    /// LiveKit's answer after the call was executed.
    package static let done = ScriptedReceiver.Answer(200, headers: ["Content-Type": "application/json"], body: "{}")

    /// An error in Twirp's form. https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes
    package static func twirp(_ status: Int, _ code: String, headers: [String: String] = [:]) -> Self {
        ScriptedReceiver.Answer(
            status, headers: headers.merging(["Content-Type": "application/json"]) { $1 },
            body: #"{"code":"\#(code)","msg":"ann is not in red-room"}"#)
    }
}
