package import Platform

/// A secret prepared for HMAC-SHA256: it is hashed into the two states that every signature starts from. A signature
/// then allocates nothing and skips the two blocks of the key. https://www.rfc-editor.org/rfc/rfc2104
package struct SigningKey: Sendable {
    private let inner: HashState
    private let outer: HashState

    /// Prepares `secret` as a key.
    package init(_ secret: Secret) {
        // SHA-256 works on blocks of 64 bytes; a longer key is hashed first.
        let block = 64
        let text = Array(secret.exposed.utf8)
        var key = text
        if text.count > block { key = Digest(of: text.span).bytes }
        key.append(contentsOf: repeatElement(0, count: block - key.count))
        inner = Self.state(key, 0x36)
        outer = Self.state(key, 0x5C)
    }

    private static func state(_ key: [UInt8], _ pad: UInt8) -> HashState {
        var state = HashState()
        let padded = key.map { $0 ^ pad }
        state.update(padded.span)
        return state
    }

    /// Returns the HMAC-SHA256 of `message`.
    package func signature(of message: Span<UInt8>) -> Digest {
        var inner = inner
        inner.update(message)
        var outer = outer
        inner.finish().feed(&outer)
        return outer.finish()
    }
}
