import LiveKit
import Platform
import Wire

/// Values of the header `Authorization`: as strangers write them, and, after a first byte of `!`, signed with the right
/// key, so that what lies behind the signature is reached. Then the first line is the token's header, the rest its
/// claims.
struct TokenFuzzer: Fuzzer {
    static let name = "token"
    private static let secret = Secret("secret-for-tests-only-0123456789abcdef")
    private static let body = Array("{}".utf8)
    private static let now = Timestamp(seconds: 1_790_000_010)

    private let verifier = TokenVerifier(keys: ["APItest": secret], leeway: .seconds(60))
    private let key = SigningKey(secret)
    /// The one token that may be accepted without being signed here.
    private let good = TokenSigner(key: "APItest", secret: secret).webhookToken(for: body.span, at: now)

    func run(_ bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "!") else { return stranger(bytes) }
        let parts = bytes.dropFirst().split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        insider(header: Array(parts.first ?? []), claims: Array(parts.count > 1 ? parts[1] : []))
    }

    func show(_ bytes: [UInt8]) -> [UInt8]? { Array(good.utf8) }

    private func stranger(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let verdict = verifier.verify(authorization: text, body: Self.body.span, at: Self.now)
        guard case .accepted(let name) = verdict else { return }
        require(name == "APItest", "a key that exists")
        require(text.hasSuffix(good), "nobody signs without the key")
        let before = text.dropLast(good.count).lowercased()
        require(before.allSatisfy { "bearer ".contains($0) }, "nothing but the scheme stands before the token")
    }

    private func insider(header: [UInt8], claims: [UInt8]) {
        var token = Base64.url.encode(header.span)
        token.append(UInt8(ascii: "."))
        Base64.url.append(claims.span, to: &token)
        let signature = key.signature(of: token.span).text(.url)
        token.append(UInt8(ascii: "."))
        token += signature
        let text = String(decoding: token, as: UTF8.self)
        let verdict = verifier.verify(authorization: text, body: Self.body.span, at: Self.now)
        if verdict != .rejected(.malformed_token) {
            let nesting = JSONReader.Limits.nesting_max
            require(JSONGrammar.isObject(header, nesting: nesting) == true, "the header is JSON")
            require(JSONGrammar.isObject(claims, nesting: nesting) == true, "the claims are JSON")
        }
        if header.elementsEqual(#"{"alg":"HS256","typ":"JWT"}"#.utf8) {
            require(verdict != .rejected(.bad_signature), "a good signature is good")
        }
        if case .accepted = verdict {
            let needed = Array(Digest(of: Self.body.span).text(.standard))
            let hash = String(decoding: needed, as: UTF8.self)
            let shown = String(decoding: claims, as: UTF8.self)
            require(shown.contains(hash) || shown.contains("\\"), "what is accepted names the body's hash")
        }
        // The body is another one: never accepted.
        let other = verifier.verify(authorization: text, body: [0].span, at: Self.now)
        if case .accepted = other { refute("a token is good for its own body only") }
    }
}
