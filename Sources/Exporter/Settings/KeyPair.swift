package import LiveKit
package import Platform

/// An API key of LiveKit with its secret.
package struct KeyPair: Sendable, Equatable {
    package let key: String
    package let secret: Secret

    package init(key: String, secret: Secret) {
        self.key = key
        self.secret = secret
    }

    /// Signs with this key.
    package var signer: TokenSigner { TokenSigner(key: key, secret: secret) }
}
