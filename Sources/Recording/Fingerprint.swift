/// A 64-bit hash that stands for a remembered id.
///
/// It is the same in every process, so it can be stored. Among a million remembered ids, a new one collides with an old
/// one with a probability of 5e-14. Ids come in signed webhooks of LiveKit, so nobody can choose them to collide.
struct Fingerprint: Hashable, Sendable {
    let bits: UInt64

    /// Takes over a stored one.
    init(bits: UInt64) { self.bits = bits }

    init(_ id: String) {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for byte in id.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0xD6E8_FEB8_6659_FD93
            hash ^= hash &>> 32
        }
        hash ^= UInt64(id.utf8.count)
        // The finalizer of SplitMix64: every input bit affects every output bit.
        hash = (hash ^ (hash &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash &>> 27)) &* 0x94D0_49BB_1331_11EB
        bits = hash ^ (hash &>> 31)
    }
}
