internal import CCrypto
package import Wire

/// A SHA-256 digest, or an HMAC-SHA256.
package struct Digest: Sendable {
    private let storage: [32 of UInt8]

    /// Makes the SHA-256 of `bytes`. Allocates nothing. Wraps `SHA256_Update` and `SHA256_Final`.
    package init(of bytes: Span<UInt8>) {
        var state = HashState()
        state.update(bytes)
        self = state.finish()
    }

    init(_ bytes: [32 of UInt8]) { storage = bytes }

    /// Returns the bytes as text: `Base64.standard` for a `sha256` claim, `Base64.url` for a signature.
    package func text(_ encoding: Base64) -> [UInt8] { encoding.encode(storage.span) }

    /// The first eight bytes as a number, the first byte highest.
    package var prefix: UInt64 { (0..<8).reduce(0) { $0 << 8 | UInt64(storage[$1]) } }

    /// The bytes of the digest.
    package var bytes: [UInt8] { storage.indices.map { storage[$0] } }

    /// Adds the bytes to another hash.
    func feed(_ state: inout HashState) { state.update(storage.span) }
}
