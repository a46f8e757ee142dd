/// What people and tools leave around a text without seeing it, and what no text may hold.
package enum PlainText {
    /// What a setting is used for decides what it may hold.
    package enum Use {
        /// A label, a path, a number: one line.
        case line
        /// A key, a secret, a header, an address: one line without anything that cannot be seen.
        case token
        /// A query or a pattern: lines.
        case lines
    }

    /// White space of every kind, line ends, and marks without width such as a byte order mark.
    package static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.generalCategory == .format
    }

    /// The text without what is invisible at its ends.
    package static func trimmed(_ text: some StringProtocol) -> String {
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, isInvisible(first) { scalars.removeFirst() }
        while let last = scalars.last, isInvisible(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// What is wrong with a trimmed text; nil where nothing is. Nothing of the text is in it.
    package static func flaw(in text: String, as use: Use) -> String? {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\u{2028}", "\u{2029}", "\u{85}":
                if use != .lines { return "holds a line end; give one line" }
            case "\t":
                if use == .token { return "holds a tab; give it without" }
            // What is no UTF-8 was replaced by this where the environment was read.
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

    /// A name as a message may show it: on one line, not longer than any setting.
    package static func shown(_ name: String) -> String {
        let shown = name.unicodeScalars.prefix(100).map { scalar in
            isInvisible(scalar) || scalar.properties.generalCategory == .control ? "?" : String(scalar)
        }
        return shown.joined()
    }

    /// The pairs of a text such as `k=v,k2=v2`; nil where it does not consist of such, or one name is there twice.
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
