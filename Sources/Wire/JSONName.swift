/// A short text in four machine words, so that field names and enum values are compared without a `String`.
///
/// Unused bytes are zero, which no JSON text holds unescaped. A text longer than `bytes_max` becomes `unmatched`, which
/// equals no name that a table can hold.
package struct JSONName: Hashable, Sendable {
    /// The longest name, in bytes. The longest of LiveKit's names that lkpush reads has 30.
    package static let bytes_max = 32

    private let a: UInt64
    private let b: UInt64
    private let c: UInt64
    private let d: UInt64

    private init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    /// The name that stands for every text that is too long. No UTF-8 text consists of ones only.
    package static var unmatched: JSONName { JSONName(.max, .max, .max, .max) }

    /// Makes the name spelled `text`; `unmatched` if it is too long.
    package init(_ text: String) {
        self.init(text.utf8.span, from: 0, to: text.utf8.count)
    }

    /// Makes the name spelled by `bytes[start..<end]`.
    init(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
        let count = end &- start
        guard count <= Self.bytes_max else {
            self = .unmatched
            return
        }
        if start &+ Self.bytes_max <= bytes.count {
            self.init(
                Self.first(count, of: bytes.word(at: start)),
                Self.first(count &- 8, of: bytes.word(at: start &+ 8)),
                Self.first(count &- 16, of: bytes.word(at: start &+ 16)),
                Self.first(count &- 24, of: bytes.word(at: start &+ 24)))
        } else {
            // These bytes are too near the end to load four whole words.
            var words: [4 of UInt64] = [0, 0, 0, 0]
            for index in 0..<count {
                words[index >> 3] |= UInt64(bytes[start &+ index]) << UInt64((index & 7) << 3)
            }
            self.init(words[0], words[1], words[2], words[3])
        }
    }

    /// Makes the name spelled by `text`, whose escapes are resolved. A text with a NUL byte becomes `unmatched`,
    /// because it would look shorter than it is.
    init(unescaped text: [UInt8]) {
        self = text.contains(0) ? .unmatched : JSONName(text.span, from: 0, to: text.count)
    }

    /// Returns the first `count` bytes of a word, with zeros for the others.
    @inline(always)
    private static func first(_ count: Int, of word: UInt64) -> UInt64 {
        if count >= 8 { return word }
        return count <= 0 ? 0 : word & (UInt64.max >> UInt64((8 &- count) << 3))
    }

    /// A hash that spreads names over the slots of a table. It does not withstand names that are chosen to collide.
    var spread: UInt64 {
        let mixed =
            a &* 0x9E37_79B9_7F4A_7C15 ^ (b &* 0xC2B2_AE3D_27D4_EB4F) ^ (c &* 0x1656_67B1_9E37_79F9)
            ^ (d &* 0x2545_F491_4F6C_DD1D)
        return (mixed ^ mixed >> 32) &* 0x9E37_79B9_7F4A_7C15
    }
}
