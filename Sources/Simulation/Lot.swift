import Platform

/// Draws chances by name: the same seed and name give the same number, in whatever order they are drawn.
struct Lot: Sendable {
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    /// Returns a number from 0 up to 1, without 1. Names are hashed by FNV-1a.
    /// http://www.isthe.com/chongo/tech/comp/fnv/
    func unit(_ name: String) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var generator = SplitMix(seed: hash ^ seed &* 0x9E37_79B9_7F4A_7C15)
        return Double(generator.next() >> 11) * 0x1p-53
    }

    func happens(_ probability: Double, _ name: String) -> Bool { unit(name) < probability }
}
