/// The place of a string's content between its quotes. The reader has checked the escapes.
struct JSONToken {
    let start: Int
    let end: Int
    /// The content has a backslash, so it is not the text itself.
    let escaped: Bool

    /// Returns the text. It is a fault if the text is not valid UTF-8, or escapes half of a surrogate pair.
    func text(_ bytes: Span<UInt8>) throws(DecodingFault) -> String {
        if escaped {
            let plain = try unescaped(bytes)
            return try Self.text(plain.span, at: start)
        }
        return try Self.text(bytes.extracting(start..<end), at: start)
    }

    private static func text(_ bytes: Span<UInt8>, at offset: Int) throws(DecodingFault) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw DecodingFault(.invalid_text, at: offset + error.byteOffsets.lowerBound)
        }
    }

    /// Returns the bytes with their escapes resolved.
    ///
    /// Half of a surrogate pair is a fault, as it is for protojson: no UTF-8 can represent it, and a replacement
    /// character would turn many identities into one.
    func unescaped(_ bytes: Span<UInt8>) throws(DecodingFault) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(end - start)
        var at = start
        while at < end {
            let byte = bytes[at]
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                at += 1
                continue
            }
            let letter = bytes[at + 1]
            guard letter == UInt8(ascii: "u") else {
                plain.append(Self.single(letter))
                at += 2
                continue
            }
            var scalar = Self.unit(bytes, at: at + 2)
            var next = at + 6
            if 0xD800..<0xDC00 ~= scalar, next + 6 <= end, bytes[next] == UInt8(ascii: "\\"),
                bytes[next + 1] == UInt8(ascii: "u")
            {
                let low = Self.unit(bytes, at: next + 2)
                if 0xDC00..<0xE000 ~= low {
                    scalar = 0x1_0000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                    next += 6
                }
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw DecodingFault(.invalid_text, at: at) }
            plain.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            at = next
        }
        return plain
    }

    /// Returns the offset after the escape that begins at `at`; a fault if it is not an escape.
    static func endOfEscape(_ bytes: Span<UInt8>, at: Int) throws(DecodingFault) -> Int {
        guard at + 1 < bytes.count else { throw DecodingFault(.unexpected_end, at: bytes.count) }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            for digit in at + 2..<at + 6 {
                guard digit < bytes.count else { throw DecodingFault(.unexpected_end, at: bytes.count) }
                guard hexadecimal(bytes[digit]) != nil else { throw DecodingFault(.unexpected_byte, at: digit) }
            }
            return at + 6
        default: throw DecodingFault(.unexpected_byte, at: at + 1)
        }
    }

    /// Returns the character that a one-letter escape represents.
    private static func single(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// Returns the UTF-16 unit that four digits spell.
    private static func unit(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        var unit: UInt32 = 0
        for digit in offset..<offset + 4 { unit = unit << 4 | (hexadecimal(bytes[digit]) ?? 0) }
        return unit
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
