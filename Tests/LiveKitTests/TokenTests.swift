import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// Tokens made here, so that each check is met at its edge.
@Suite struct TokenTests {
    private static let now: Int64 = 1_790_000_000
    private static let key = "APIkey"
    private static let secret = Secret("secret-for-tests-only-0123456789abcdef")
    private let signer = TokenSigner(key: key, secret: secret)
    private let verifier = TokenVerifier(
        keys: [key: secret, "APIother": Secret("another secret of the same server")], leeway: .seconds(60))
    private let body = Array(#"{"event":"room_started"}"#.utf8)

    @Test func `what the signer signs the verifier accepts`() {
        #expect(verdict(token()) == .accepted(key: Self.key))
        let empty: [UInt8] = []
        let token = signer.webhookToken(for: empty.span, at: Timestamp(seconds: Self.now))
        #expect(
            verifier.verify(authorization: token, body: empty.span, at: Timestamp(seconds: Self.now))
                == .accepted(key: Self.key))
    }

    @Test func `the signer writes the claims of a LiveKit server`() throws {
        let parts = token().split(separator: ".").map { Array($0.utf8) }
        try #require(parts.count == 3)
        let (first, second) = (parts[0], parts[1])
        let header = Base64.url.decode(first.span) ?? []
        let claims = Base64.url.decode(second.span) ?? []
        #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"HS256","typ":"JWT"}"#)
        let hash = String(decoding: Digest(of: body.span).text(.standard), as: UTF8.self)
        #expect(
            String(decoding: claims, as: UTF8.self)
                == #"{"iss":"APIkey","exp":1790000300,"nbf":1790000000,"iat":1790000000,"sha256":"\#(hash)"}"#)
    }

    @Test func `a token for a room's administrator says nothing else, whatever the room is called`() throws {
        let token = signer.roomAdminToken(
            for: "a \"b\\\n", at: Timestamp(milliseconds: Self.now * 1_000 + 999), lifetime: .seconds(60))
        let parts = token.split(separator: ".").map { Array($0.utf8) }
        try #require(parts.count == 3)
        let second = parts[1]
        let claims = Base64.url.decode(second.span) ?? []
        #expect(
            String(decoding: claims, as: UTF8.self)
                == #"{"iss":"APIkey","exp":1790000060,"nbf":1790000000,"video":{"roomAdmin":true,"room":"a \"b\\\n"}}"#)
        // It passes for no webhook.
        #expect(verdict(token) == .rejected(.body_hash_mismatch))
    }

    @Test func `a key may hold what JSON must escape`() {
        let key = "a\"b\\c\nd"
        let signer = TokenSigner(key: key, secret: Self.secret)
        let verifier = TokenVerifier(keys: [key: Self.secret], leeway: .zero)
        let token = signer.webhookToken(for: body.span, at: Timestamp(seconds: Self.now))
        #expect(
            verifier.verify(authorization: token, body: body.span, at: Timestamp(seconds: Self.now))
                == .accepted(key: key))
    }

    struct Header: Sendable, CustomTestStringConvertible {
        /// What stands before and after the token.
        let before: String
        let after: String
        let expected: TokenVerdict
        init(_ before: String, _ after: String = "", _ expected: TokenVerdict = .accepted(key: TokenTests.key)) {
            (self.before, self.after, self.expected) = (before, after, expected)
        }
        var testDescription: String { "<\(before)>…<\(after)>" }
    }

    @Test(arguments: [
        Header(""), Header("Bearer "), Header("bearer "), Header("BEARER "), Header("bEaReR "), Header("Bearer   "),
        Header(" "), Header(" Bearer "),
        Header("Bearer", "", .rejected(.malformed_token)), Header("Basic ", "", .rejected(.malformed_token)),
        Header("Bearer Bearer ", "", .rejected(.malformed_token)), Header("Bearer\t", "", .rejected(.malformed_token)),
        Header("", ".x", .rejected(.malformed_token)), Header(".", "", .rejected(.malformed_token)),
        Header("", "x", .rejected(.bad_signature)), Header("", "=", .rejected(.bad_signature)),
        Header("", " ", .rejected(.bad_signature)), Header("", "\n", .rejected(.bad_signature)),
    ])
    func `the token may follow Bearer, in any case, and nothing else`(header: Header) {
        #expect(verdict(header.before + token() + header.after) == header.expected)
    }

    @Test(arguments: [nil, "", " ", "Bearer", "Bearer ", "  bearer  "])
    func `no token is no token`(header: String?) {
        #expect(verdict(header) == .rejected(.no_token))
    }

    @Test func `a token longer than the limit is not looked at`() {
        let limit = TokenVerifier.Limits.token_bytes_max
        let short = signed(claims(extra: #","pad":"""#)).utf8.count
        // Padding grows by four characters for three bytes; find the sizes around the limit.
        var accepted = 0
        var refused = 0
        for count in ((limit - short) * 3 / 4 - 8)...((limit - short) * 3 / 4 + 8) {
            let token = signed(claims(extra: #","pad":"\#(String(repeating: "x", count: count))""#))
            let fits = token.utf8.count <= limit
            #expect(verdict("Bearer " + token) == (fits ? .accepted(key: Self.key) : .rejected(.malformed_token)))
            if fits { accepted += 1 } else { refused += 1 }
        }
        #expect(accepted > 0 && refused > 0)
        #expect(verdict(String(repeating: "x", count: 1 << 20)) == .rejected(.malformed_token))
    }

    struct Claims: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: TokenVerdict
        init(_ text: String, _ rejection: TokenFault? = nil) {
            self.text = text
            expected = rejection.map { .rejected($0) } ?? .accepted(key: TokenTests.key)
        }
        var testDescription: String { text }
    }

    /// The claims beside `sha256`.
    @Test(arguments: [
        Claims(#""iss":"APIkey","exp":1790000300"#),
        Claims(#""sub":"","iss":"APIkey","nbf":1789999990,"exp":1790000300"#),
        Claims(#""iss":"APIkey","exp":1790000300,"video":{"roomAdmin":true},"aud":["x"],"jti":7"#),
        Claims(#""iss":"APIkey","exp":1790000300,"nbf":null"#), Claims(#""iss":"APIkey","exp":1.7900003e9"#),
        Claims(#""iss":"APIkey","exp":1790000300.75,"nbf":1789999999.25"#), Claims(#""iss":"APIkey","exp":1e99"#),
        Claims(#""iss":"nobody","iss":"APIkey","exp":1,"exp":1790000300"#),
        Claims(#""exp":1789999941,"iss":"APIkey""#), Claims(#""exp":1790000300,"iss":"APIkey","nbf":1790000060"#),
        Claims(#""exp":1790000300,"iss":"APIkey","nbf":-9223372036854775808"#),
        Claims(#""exp":1789999940,"iss":"APIkey""#, .expired), Claims(#""exp":0,"iss":"APIkey""#, .expired),
        Claims(#""exp":-1e99,"iss":"APIkey""#, .expired),
        Claims(#""exp":-9223372036854775808,"iss":"APIkey""#, .expired),
        Claims(#""exp":1790000300,"iss":"APIkey","nbf":1790000061"#, .not_yet_valid),
        Claims(#""exp":1790000300,"iss":"APIkey","nbf":1e99"#, .not_yet_valid),
        Claims(#""exp":1,"iss":"APIkey","nbf":1e99"#, .expired),
        Claims(#""iss":"nobody","exp":1790000300"#, .unknown_key), Claims(#""iss":"nobody","exp":1"#, .unknown_key),
        Claims(#""iss":"apikey","exp":1790000300"#, .unknown_key),
        Claims(#""iss":"APIother","exp":1790000300"#, .bad_signature),
        Claims(#""iss":"APIother","exp":1"#, .bad_signature),
        Claims(#""exp":1790000300"#, .malformed_token), Claims(#""iss":"","exp":1790000300"#, .malformed_token),
        Claims(#""iss":null,"exp":1790000300"#, .malformed_token),
        Claims(#""iss":5,"exp":1790000300"#, .malformed_token),
        Claims(#""iss":["APIkey"],"exp":1790000300"#, .malformed_token), Claims(#""iss":"APIkey""#, .malformed_token),
        Claims(#""iss":"APIkey","exp":null"#, .malformed_token),
        Claims(#""iss":"APIkey","exp":"1790000300""#, .malformed_token),
        Claims(#""iss":"APIkey","exp":true"#, .malformed_token),
        Claims(#""iss":"APIkey","exp":1790000300,"nbf":"x""#, .malformed_token),
        Claims(#""iss":"APIkey","exp":NaN"#, .malformed_token),
        Claims(#""iss":"APIkey","exp":1790000300},{"#, .malformed_token),
    ])
    func `claims are judged at their edges and in order`(claims: Claims) {
        let hash = String(decoding: Digest(of: body.span).text(.standard), as: UTF8.self)
        #expect(verdict(signed(#"{\#(claims.text),"sha256":"\#(hash)"}"#)) == claims.expected)
        // The body is looked at last.
        let wrong = verdict(signed(#"{\#(claims.text),"sha256":"x"}"#))
        #expect(
            wrong == (claims.expected == .accepted(key: Self.key) ? .rejected(.body_hash_mismatch) : claims.expected))
    }

    struct Signed: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: Int64?
        init(_ text: String, _ expected: Int64?) { (self.text, self.expected) = (text, expected) }
        var testDescription: String { text }
    }

    /// The claims beside `iss`, and the time that they tell.
    @Test(arguments: [
        Signed(#""exp":1790000300,"nbf":1790000000,"sha256":"x""#, 1_790_000_000),
        Signed(#""exp":1790000300,"nbf":1789999000,"iat":1790000001.9,"sha256":"x""#, 1_790_000_001),
        Signed(#""exp":1790000300,"iat":1790000002,"sha256":"x""#, 1_790_000_002),
        // Those that are refused as expired or from the future say most about the clocks.
        Signed(#""exp":1789990300,"nbf":1789990000,"sha256":"x""#, 1_789_990_000),
        Signed(#""exp":1790010300,"nbf":1790010000,"iat":1790010000,"sha256":"x""#, 1_790_010_000),
        // A time that cannot be read is no reason to refuse what was accepted without it.
        Signed(#""exp":1790000300,"nbf":1790000000,"iat":"now","sha256":"x""#, 1_790_000_000),
        Signed(#""exp":1790000300,"nbf":1790000000,"iat":{"a":[1]},"sha256":"x""#, 1_790_000_000),
        Signed(#""exp":1790000300,"iat":null,"nbf":null,"sha256":"x""#, nil),
        Signed(#""exp":1790000300,"sha256":"x""#, nil),
        // Anybody who may join a room has such a token, for hours.
        Signed(#""exp":1790000300,"nbf":1789990000,"iat":1789990000"#, nil),
    ])
    func `the time at which a webhook was signed is told`(claims: Signed) {
        var told: [Int64] = []
        func verify(_ token: String) {
            _ = verifier.verify(
                authorization: token, body: body.span, at: Timestamp(seconds: Self.now),
                signed: { told.append($0.milliseconds / 1_000) })
        }
        let token = signed(#"{"iss":"APIkey",\#(claims.text)}"#)
        verify(token)
        #expect(told == [claims.expected].compactMap(\.self))
        // Nobody else's.
        verify(signed(#"{"iss":"APIother",\#(claims.text)}"#))
        verify(signed(#"{"iss":"nobody",\#(claims.text)}"#))
        verify(String(token.dropLast()))
        #expect(told.count <= 1)
    }

    @Test(arguments: [
        "{}", "[]", "null", "", "x", #"{"iss":"APIkey","exp":1790000300}}"#, #"{"iss":"APIkey","exp":1790000300"#,
        #"{"iss":"APIkey","exp":1790000300,"sha256":5}"#, #"{"iss":"\ud800","exp":1790000300}"#,
        #"{"iss":"APIkey","exp":1790000300,"x":\#(String(repeating: "[", count: 100))"#,
    ])
    func `a payload that is no object of claims is malformed`(payload: String) {
        #expect(verdict(signed(payload)) == .rejected(.malformed_token))
    }

    @Test func `only the padded hash of exactly this body will do`() throws {
        let right = String(decoding: Digest(of: body.span).text(.standard), as: UTF8.self)
        let unpadded = String(right.dropLast())
        for hash in ["", "x", unpadded, right + "=", right.lowercased(), " " + right, unpadded + "\\u003e"] {
            #expect(verdict(signed(claims(hash: hash))) == .rejected(.body_hash_mismatch), "\(hash)")
        }
        // An escape is another spelling of the same text.
        #expect(verdict(signed(claims(hash: unpadded + "\\u003d"))) == .accepted(key: Self.key))
        #expect(verdict(signed(#"{"iss":"APIkey","exp":1790000300}"#)) == .rejected(.body_hash_mismatch))
        #expect(verdict(signed(#"{"iss":"APIkey","exp":1790000300,"sha256":null}"#)) == .rejected(.body_hash_mismatch))
        let token = token()
        for index in body.indices {
            var other = body
            other[index] ^= 1
            #expect(
                verifier.verify(authorization: token, body: other.span, at: Timestamp(seconds: Self.now))
                    == .rejected(.body_hash_mismatch))
        }
        let longer = body + [10]
        #expect(
            verifier.verify(authorization: token, body: longer.span, at: Timestamp(seconds: Self.now))
                == .rejected(.body_hash_mismatch))
    }

    @Test(arguments: [
        Claims(#"{"alg":"HS256"}"#), Claims(#"{"typ":"JWT","alg":"HS256","kid":"x"}"#),
        Claims(#"{"alg":"none"}"#, .bad_signature),
        Claims(#"{"alg":"hs256"}"#, .bad_signature), Claims(#"{"alg":"HS512"}"#, .bad_signature),
        Claims(#"{"alg":"RS256"}"#, .bad_signature), Claims(#"{"typ":"JWT"}"#, .bad_signature),
        Claims(#"{"alg":5}"#, .malformed_token), Claims(#"{"alg":"HS256","crit":["exp"]}"#, .malformed_token),
        Claims(#"{"alg":"HS256""#, .malformed_token), Claims("[]", .malformed_token), Claims("", .malformed_token),
    ])
    func `HS256 is the only algorithm, even where the signature is right`(header: Claims) {
        #expect(verdict(signed(claims(), header: header.text)) == header.expected)
    }

    @Test func `no character of a token can be another`() {
        let token = Array(token().utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= \"".utf8)
        for index in token.indices {
            for character in alphabet where character != token[index] {
                var other = token
                other[index] = character
                let verdict = verdict(String(decoding: other, as: UTF8.self))
                guard case .accepted = verdict else { continue }
                Issue.record("accepted with character \(index) changed")
            }
            let removed = token[..<index] + token[(index + 1)...]
            guard case .rejected = verdict(String(decoding: removed, as: UTF8.self)) else {
                Issue.record("accepted without character \(index)")
                continue
            }
        }
    }

    @Test func `any text as a header is judged and none accepted`() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...60, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 32...126, using: &generator) }
            let dots = String(decoding: bytes, as: UTF8.self).replacing(" ", with: ".")
            guard case .rejected = verdict(dots) else {
                Issue.record("accepted: \(dots)")
                continue
            }
        }
    }

    @Test func `without keys nothing is accepted`() {
        let verdict = TokenVerifier(keys: [:], leeway: .seconds(60)).verify(
            authorization: token(), body: body.span, at: Timestamp(seconds: Self.now))
        #expect(verdict == .rejected(.unknown_key))
    }

    private func token() -> String { signer.webhookToken(for: body.span, at: Timestamp(seconds: Self.now)) }

    private func verdict(_ authorization: String?) -> TokenVerdict {
        verifier.verify(authorization: authorization, body: body.span, at: Timestamp(seconds: Self.now))
    }

    private func claims(hash: String? = nil, extra: String = "") -> String {
        let right = String(decoding: Digest(of: body.span).text(.standard), as: UTF8.self)
        return #"{"iss":"APIkey","exp":1790000300,"sha256":"\#(hash ?? right)"\#(extra)}"#
    }

    /// A token with a right signature, whatever its parts are.
    private func signed(_ claims: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#) -> String {
        var token = Base64.url.encode(header.utf8.span)
        token.append(UInt8(ascii: "."))
        token += Base64.url.encode(claims.utf8.span)
        let signature = SigningKey(Self.secret).signature(of: token.span).text(.url)
        return String(decoding: token + [UInt8(ascii: ".")] + signature, as: UTF8.self)
    }
}
