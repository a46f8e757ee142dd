extension String {
    /// The beginning of untrusted text, for a line of the log: whole characters, at most this many.
    ///
    /// The result has at most 16 bytes per character on average, because one character can have any number of accents.
    /// Characters that a terminal would obey or hide are spelled out, such as `\u{9B}`. The format of the log spells
    /// out the control characters of ASCII. No mark shows that text was cut: the result is a prefix of the whole.
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
        // Not one whole character fits, so the first scalars are taken.
        if excerpt.isEmpty { for scalar in unicodeScalars.prefix(characters) { Self.append(scalar, to: &excerpt) } }
        return excerpt
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar.value {
        // Delete, the control characters above ASCII, direction marks, line and paragraph separators.
        case 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
            text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
}
