package import Platform
package import Wire

/// Decides whether a webhook comes from LiveKit: checks the JSON Web Token in its `Authorization` header.
///
/// The checks come in a fixed order, and the first one that fails gives the reason: structure, key, algorithm and
/// signature, `exp`, `nbf`, hash of the body. The body is only hashed, never read. The verifier is a value without
/// mutable state, so many threads may use it at once.
/// https://github.com/livekit/protocol/blob/main/webhook/verifier.go
package struct TokenVerifier: Sendable {
    package enum Limits {
        /// The longest token. LiveKit's has about 350 bytes, and more than 8 KiB fit no usual header.
        package static let token_bytes_max = 8 << 10
    }

    private let keys: [String: [SigningKey]]
    private let leeway: Duration

    /// - Parameters:
    ///   - secrets: the valid secrets of each API key, the likeliest first; several while a secret is being replaced.
    ///   - leeway: the most by which the clocks of sender and receiver may differ.
    package init(secrets: [String: [Secret]], leeway: Duration) {
        keys = secrets.mapValues { $0.map { SigningKey($0) } }
        self.leeway = leeway
    }

    /// Makes a verifier for API keys with one secret each; several keys while keys are rotated.
    package init(keys: [String: Secret], leeway: Duration) {
        self.init(secrets: keys.mapValues { [$0] }, leeway: leeway)
    }

    /// Checks the value of the header against the exact bytes of the body.
    ///
    /// - Parameter signed: gets the time in whole seconds at which the token was made, once its signature is right: also
    ///   where it has expired, or is from the future. Only the token of a webhook counts: that of a person who joins a
    ///   room may be hours old.
    package func verify(
        authorization: String?, body: Span<UInt8>, at now: Timestamp, signed: (Timestamp) -> Void = { _ in }
    ) -> TokenVerdict {
        let claims: TokenClaims
        do throws(TokenFault) {
            claims = try check(authorization, at: now, signed: signed)
        } catch {
            return .rejected(error)
        }
        let actualHash = Digest(of: body).text(.standard)
        guard let bodyHash = claims.bodyHash, isEqualInConstantTime(actualHash.span, bodyHash.utf8.span)
        else { return .rejected(.body_hash_mismatch) }
        return .accepted(key: claims.issuer)
    }

    /// Checks everything but the hash of the body, for a body that is absent or was not read. A positive verdict says
    /// that the sender knows a key, and nothing about the body. A token without a hash claim, such as that of somebody
    /// who joins a room, is not a webhook's and is rejected.
    package func verifyWithoutBody(authorization: String?, at now: Timestamp) -> TokenVerdict {
        do throws(TokenFault) {
            let claims = try check(authorization, at: now, signed: { _ in })
            return claims.bodyHash == nil ? .rejected(.body_hash_mismatch) : .accepted(key: claims.issuer)
        } catch {
            return .rejected(error)
        }
    }

    /// Returns the claims of a token that is signed with one of the keys and valid now.
    private func check(
        _ authorization: String?, at now: Timestamp, signed: (Timestamp) -> Void
    ) throws(TokenFault) -> TokenClaims {
        guard let authorization else { throw .no_token }
        let header = authorization.utf8.span
        let start = Self.startOfToken(header)
        guard start < header.count else { throw .no_token }
        guard header.count - start <= Limits.token_bytes_max,
            let token = SplitToken(header.extracting(start...))
        else { throw .malformed_token }

        let claims: TokenClaims
        do throws(DecodingFault) {
            claims = try TokenClaims(header: token.header.span, payload: token.payload.span)
        } catch {
            throw .malformed_token
        }
        guard let expiry = claims.expiry, !claims.issuer.isEmpty else { throw .malformed_token }

        guard let good = keys[claims.issuer] else { throw .unknown_key }
        let text = header.extracting(start...)
        guard claims.algorithm == "HS256",
            Self.isSigned(
                text.extracting(..<token.signedCount), by: good, text.extracting((token.signedCount + 1)...))
        else { throw .bad_signature }

        if claims.bodyHash != nil, let time = claims.issuedAt ?? claims.notBefore { signed(Self.time(time)) }

        guard now < Self.time(expiry) + leeway else { throw .expired }
        if let notBefore = claims.notBefore, now < Self.time(notBefore) - leeway { throw .not_yet_valid }
        return claims
    }

    private static func isSigned(
        _ text: Span<UInt8>, by keys: [SigningKey], _ signature: Span<UInt8>
    ) -> Bool {
        for key in keys {
            // Signatures are compared as text: a signature has only one spelling, so an altered last digit is an
            // altered signature.
            let expected = key.signature(of: text).text(.url)
            if isEqualInConstantTime(expected.span, signature) { return true }
        }
        return false
    }

    /// Returns the offset after `Bearer `, which LiveKit does not send but proxies and people do, and after blanks.
    private static func startOfToken(_ header: Span<UInt8>) -> Int {
        var start = endOfBlanks(header, from: 0)
        let scheme: StaticString = "bearer"
        let end = start + scheme.utf8CodeUnitCount
        if end <= header.count, end == header.count || header[end] == UInt8(ascii: " "),
            zip(start..<end, scheme.description.utf8).allSatisfy({ header[$0] | 0x20 == $1 })
        {
            start = endOfBlanks(header, from: end)
        }
        return start
    }

    private static func endOfBlanks(_ header: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while at < header.count, header[at] == UInt8(ascii: " ") { at += 1 }
        return at
    }

    /// Returns the time of a claim, clamped to some 100 million years around the epoch so that the leeway can be added.
    private static func time(_ seconds: Int64) -> Timestamp {
        let limit = Int64.max / 1_000 / 4
        return Timestamp(seconds: min(max(seconds, -limit), limit))
    }
}
