/// Rules for text from people and tools: invisible characters at its ends are removed, and some characters are refused.
package enum PlainText {
    /// The use of a text. It decides which characters the text may hold.
    package enum Use {
        /// One line, such as a label, a path or a number.
        case line
        /// One line without invisible characters: a key, a secret, a header or an address.
        case token
        /// Several lines, such as a query or a pattern.
        case lines
    }

    /// True for white space of every kind, for line ends, and for marks without width such as a byte order mark.
    package static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.generalCategory == .format
    }

    /// The text without invisible characters at its ends.
    package static func trimmed(_ text: some StringProtocol) -> String {
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, isInvisible(first) { scalars.removeFirst() }
        while let last = scalars.last, isInvisible(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// Says what is wrong with a trimmed text, or returns nil. The message quotes nothing of the text.
    package static func flaw(in text: String, as use: Use) -> String? {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\u{2028}", "\u{2029}", "\u{85}":
                if use != .lines { return "holds a line end; give one line" }
            case "\t":
                if use == .token { return "holds a tab; give it without" }
            // The environment was read as UTF-8: this character stands for bytes that are not.
            case "\u{FFFD}": return "holds bytes that are no UTF-8; give it in UTF-8"
            case _ where scalar.properties.generalCategory == .control:
                return "holds a control character (code \(scalar.value)); give it without"
            case _ where use == .token && scalar != " " && isInvisible(scalar):
                return "holds an invisible character (U+\(hexadecimal(scalar))); give it without"
            default: break
            }
        }
        return nil
    }

    /// A name in the form that a message may show: one line, at most 100 characters.
    package static func shown(_ name: String) -> String {
        let shown = name.unicodeScalars.prefix(100).map { scalar in
            isInvisible(scalar) || scalar.properties.generalCategory == .control ? "?" : String(scalar)
        }
        return shown.joined()
    }

    /// Reads pairs such as `k=v,k2=v2`. Returns nil if the text has another form, or if a name comes twice.
    package static func pairs(_ text: String) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for part in text.split(separator: ",") {
            guard let split = part.firstIndex(of: "=") else { return nil }
            let key = trimmed(part[..<split])
            let value = trimmed(part[part.index(after: split)...])
            guard !key.isEmpty, !pairs.contains(where: { $0.name == key }) else { return nil }
            pairs.append((key, value))
        }
        return pairs
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
