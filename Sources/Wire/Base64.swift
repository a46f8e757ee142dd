/// Base64 in its two alphabets. https://www.rfc-editor.org/rfc/rfc4648
///
/// Decoding is strict: it refuses blanks, characters outside the alphabet, and bits left over. So each byte sequence
/// has exactly one spelling.
package enum Base64: Sendable, CaseIterable {
    /// The characters `+` and `/`, padded with `=`; decoding demands the padding.
    case standard
    /// The characters `-` and `_`, never padded, as JSON Web Tokens use it.
    case url

    /// The number of characters that `count` bytes are encoded as.
    package func encodedCount(of count: Int) -> Int {
        switch self {
        case .standard: (count + 2) / 3 * 4
        case .url: (count * 4 + 2) / 3
        }
    }

    /// Returns `bytes` as text.
    package func encode(_ bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return text
    }

    /// Appends `bytes` as text.
    package func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        let alphabet = self == .standard ? Self.standardAlphabet : Self.urlAlphabet
        let size = encodedCount(of: bytes.count)
        text.append(addingCapacity: size) { (out: inout OutputSpan<UInt8>) in
            var at = 0
            while at < bytes.count {
                let left = bytes.count - at
                let second = left > 1 ? bytes[at + 1] : 0
                let third = left > 2 ? bytes[at + 2] : 0
                let group = UInt32(bytes[at]) << 16 | UInt32(second) << 8 | UInt32(third)
                for digit in 0..<4 {
                    if digit <= left {
                        out.append(alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)])
                    } else if self == .standard {
                        out.append(UInt8(ascii: "="))
                    }
                }
                at += 3
            }
        }
    }

    /// Returns the bytes that `text` encodes; nil if `text` is not exactly what `encode` writes.
    package func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var digits = text.count
        if self == .standard {
            guard digits % 4 == 0 else { return nil }
            for _ in 0..<2 where digits > 0 && text[digits - 1] == UInt8(ascii: "=") { digits -= 1 }
        }
        // One digit alone holds no byte.
        guard digits % 4 != 1 else { return nil }
        let values = self == .standard ? Self.standardValues : Self.urlValues
        // Every valid digit is below 64, so an invalid one shows in the union of all.
        var union: UInt8 = 0
        var leftover: UInt32 = 0
        let bytes = [UInt8](capacity: digits * 3 / 4) { (out: inout OutputSpan<UInt8>) in
            var at = 0
            while at + 4 <= digits {
                let (a, b) = (values[Int(text[at])], values[Int(text[at + 1])])
                let (c, d) = (values[Int(text[at + 2])], values[Int(text[at + 3])])
                union |= a | b | c | d
                let group = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
                out.append(UInt8(truncatingIfNeeded: group >> 16))
                out.append(UInt8(truncatingIfNeeded: group >> 8))
                out.append(UInt8(truncatingIfNeeded: group))
                at += 4
            }
            guard at < digits else { return }
            for index in at..<digits {
                let value = values[Int(text[index])]
                union |= value
                leftover = leftover << 6 | UInt32(value & 63)
            }
            if digits - at == 2 {
                out.append(UInt8(truncatingIfNeeded: leftover >> 4))
                leftover &= 0xF
            } else {
                out.append(UInt8(truncatingIfNeeded: leftover >> 10))
                out.append(UInt8(truncatingIfNeeded: leftover >> 2))
                leftover &= 0x3
            }
        }
        return union < 64 && leftover == 0 ? bytes : nil
    }

    private static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let standardAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlValues = values(of: urlAlphabet)
    private static let standardValues = values(of: standardAlphabet)

    /// The value of each character, 255 of those outside the alphabet.
    private static func values(of alphabet: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }
}
