internal import CCrypto

/// A SHA-256 in progress. It is a value, so that it can be copied midway.
struct HashState {
    private var state = SHA256_CTX()

    /// Begins a hash. Wraps `SHA256_Init`.
    init() {
        let worked = SHA256_Init(&state)
        precondition(worked == 1, "a hash without provider or allocation cannot fail")
    }

    /// Adds bytes to the hash. Wraps `SHA256_Update`.
    mutating func update(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { buffer in
            let worked = SHA256_Update(&state, buffer.baseAddress, buffer.count)
            precondition(worked == 1, "a hash without provider or allocation cannot fail")
        }
    }

    /// Ends the hash. Wraps `SHA256_Final`.
    consuming func finish() -> Digest {
        var bytes = [32 of UInt8](repeating: 0)
        var output = bytes.mutableSpan
        output.withUnsafeMutableBufferPointer { buffer in
            let worked = SHA256_Final(buffer.baseAddress, &state)
            precondition(worked == 1, "a hash without provider or allocation cannot fail")
        }
        return Digest(bytes)
    }
}

/// Compares two texts in a time that depends on their lengths only. Wraps `CRYPTO_memcmp`.
func isEqualInConstantTime(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    return a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
    }
}
