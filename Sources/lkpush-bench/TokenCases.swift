import LiveKit
import Platform
import Wire

/// The verification of a webhook's token.
enum TokenCases {
    static let key = "APIbenchmark"
    static let secret = Secret("a-secret-as-long-as-livekit-makes-them-0123")

    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("verify", per: "webhook") {
                let now = SystemTime().now()
                let signer = TokenSigner(key: key, secret: secret)
                let letters = (OfficeBodies.byKind(limit: 64)[.participantJoined] ?? []).map {
                    let body = OfficeBodies.padded($0)
                    return (token: signer.webhookToken(for: body.span, at: now), body: body)
                }
                let verifier = TokenVerifier(keys: [key: secret], leeway: .seconds(60))
                let signingKey = SigningKey(secret)
                let bytes = letters.reduce(0) { $0 + $1.body.count } / letters.count
                return Workload(
                    operations: letters.count,
                    run: {
                        for letter in letters {
                            let verdict = verifier.verify(
                                authorization: letter.token, body: letter.body.span, at: now)
                            guard case .accepted = verdict else { preconditionFailure("a good token is accepted") }
                        }
                    },
                    lowerBound: .init(name: "SHA-256 + HMAC", operations: letters.count) {
                        for letter in letters {
                            let digest = Digest(of: letter.body.span)
                            blackHole(digest)
                            // Header and claims: the whole token without its signature and the dot before it.
                            let text = letter.token.utf8.span
                            let signature = signingKey.signature(of: text.extracting(..<(text.count - 44)))
                            blackHole(signature)
                        }
                    },
                    note: { "\(bytes) bytes" })
            }
        ]
    }
}
