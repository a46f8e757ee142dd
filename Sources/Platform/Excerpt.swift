extension String {
    /// The beginning of a stranger's text, for a line of the log: whole characters, at most this many, and on average no
    /// more than 16 bytes each, because a single one may be made of any number of accents.
    ///
    /// What a terminal would obey or hide is spelled out, such as `\u{9B}`; the format of the log does so for the
    /// control characters of ASCII. What was cut is not marked: the cut text is the beginning of the whole.
    package func excerpt(characters: Int) -> String {
        var excerpt = ""
        var left = characters
        var left_bytes = characters * 16
        for character in self {
            left_bytes -= character.utf8.count
            if left == 0 || left_bytes < 0 { break }
            left -= 1
            for scalar in character.unicodeScalars { Self.append(scalar, to: &excerpt) }
        }
        // Not one whole character fits.
        if excerpt.isEmpty { for scalar in unicodeScalars.prefix(characters) { Self.append(scalar, to: &excerpt) } }
        return excerpt
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar.value {
        // Delete, the control characters above ASCII, marks of direction, ends of lines and paragraphs.
        case 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
            text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
}
