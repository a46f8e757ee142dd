/// Writes JSON strings. https://www.rfc-editor.org/rfc/rfc8259#section-7
package enum JSONText {
    /// Appends `text` in quotes.
    ///
    /// Beside the characters that JSON demands to be escaped, it escapes those that a terminal obeys and those that
    /// reorder or break lines. So whoever prints a document with the text of strangers sees what it says. A reader of
    /// JSON gets the text as it was.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: mayNeedEscape) {
            appendEscaped(text.utf8.span, to: &bytes)
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// True for bytes that are escaped, and for those that may begin a character that is.
    @inline(__always)
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F || byte == 0xC2
            || byte == 0xD8 || byte == 0xE2
    }

    private static func appendEscaped(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
            case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
            case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20, 0x7F: appendEscape(UInt16(byte), to: &bytes)
            case 0xC2, 0xD8, 0xE2:
                if let hidden = hiddenCharacter(text, at: index - 1) {
                    appendEscape(hidden.unit, to: &bytes)
                    index += hidden.size - 1
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
    }

    /// The character that begins here, with its size in UTF-8, if it is one that nobody sees and that changes what
    /// others look like: a control character of C1; a mark, embedding, override or isolate of direction; a separator of
    /// lines or paragraphs. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
    private static func hiddenCharacter(_ text: Span<UInt8>, at index: Int) -> (unit: UInt16, size: Int)? {
        guard index + 1 < text.count else { return nil }
        let second = UInt16(text[index + 1] & 0x3F)
        switch text[index] {
        case 0xC2 where second < 0x20: return (0x80 | second, 2)
        case 0xD8 where second == 0x1C: return (0x061C, 2)
        case 0xE2 where index + 2 < text.count:
            let unit = 0x2000 | second << 6 | UInt16(text[index + 2] & 0x3F)
            switch unit {
            case 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: return (unit, 3)
            default: return nil
            }
        default: return nil
        }
    }

    private static func appendEscape(_ unit: UInt16, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"\u"#.utf8)
        for shift: UInt16 in [12, 8, 4, 0] { bytes.append(hexadecimal(UInt8(unit >> shift & 0xF))) }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
