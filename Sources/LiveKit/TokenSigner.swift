package import Platform
package import Wire

/// Signs calls of the server API. For the simulator and for tests it also signs webhooks, as a LiveKit server does.
/// https://github.com/livekit/protocol/blob/main/auth/accesstoken.go
package struct TokenSigner: Sendable {
    private let issuer: [UInt8]
    private let key: SigningKey

    /// Makes a signer for the API key `key`.
    package init(key: String, secret: Secret) {
        var issuer: [UInt8] = []
        JSONText.append(key, to: &issuer)
        self.issuer = issuer
        self.key = SigningKey(secret)
    }

    /// Returns the value of the `Authorization` header, with the claims of LiveKit's Go code: `iss`, `exp`, `nbf`,
    /// `iat` and `sha256`.
    package func webhookToken(
        for body: Span<UInt8>, at time: Timestamp, lifetime: Duration = .seconds(300)
    ) -> String {
        let now = time.milliseconds / 1_000
        let expiry = now + lifetime.components.seconds
        var claims = Array(#"{"iss":"#.utf8) + issuer
        claims += #","exp":\#(expiry),"nbf":\#(now),"iat":\#(now),"sha256":""#.utf8
        claims += Digest(of: body).text(.standard)
        claims += #""}"#.utf8
        return token(claims)
    }

    /// Returns a token that lets its bearer administer one room, and do nothing else, for a short time.
    package func roomAdminToken(for room: String, at time: Timestamp, lifetime: Duration) -> String {
        var grant = Array(#"{"roomAdmin":true,"room":"#.utf8)
        JSONText.append(room, to: &grant)
        return token(granting: grant + "}".utf8, at: time, lifetime: lifetime)
    }

    /// Returns a token that lets its bearer list rooms, and do nothing else, for a short time.
    package func roomListToken(at time: Timestamp, lifetime: Duration) -> String {
        token(granting: Array(#"{"roomList":true}"#.utf8), at: time, lifetime: lifetime)
    }

    /// Returns a token that lets its bearer start, stop and list recordings, for a short time. LiveKit has no smaller right
    /// to list them.
    package func roomRecordToken(at time: Timestamp, lifetime: Duration) -> String {
        token(granting: Array(#"{"roomRecord":true}"#.utf8), at: time, lifetime: lifetime)
    }

    /// Returns a token that lets its bearer manage and list ingresses, for a short time. LiveKit has no smaller right to
    /// list them.
    package func ingressAdminToken(at time: Timestamp, lifetime: Duration) -> String {
        token(granting: Array(#"{"ingressAdmin":true}"#.utf8), at: time, lifetime: lifetime)
    }

    /// - Parameter grant: the text of the claim `video`, a JSON object.
    private func token(granting grant: [UInt8], at time: Timestamp, lifetime: Duration) -> String {
        let now = time.milliseconds / 1_000
        var claims = Array(#"{"iss":"#.utf8) + issuer
        claims += #","exp":\#(now + lifetime.components.seconds),"nbf":\#(now),"video":"#.utf8
        return token(claims + grant + "}".utf8)
    }

    /// Returns a signed token with any claims, given as the text of a JSON object.
    package func token(_ claims: [UInt8]) -> String {
        let header = #"{"alg":"HS256","typ":"JWT"}"#
        var token = Base64.url.encode(header.utf8.span)
        token.append(UInt8(ascii: "."))
        Base64.url.append(claims.span, to: &token)
        let signature = key.signature(of: token.span)
        token.append(UInt8(ascii: "."))
        token += signature.text(.url)
        return String(decoding: token, as: UTF8.self)
    }
}
