import Platform

/// LiveKit's own file of keys: a YAML map of one level, `key: secret`, with comments.
///
/// A value that YAML would not read as text is an error: LiveKit itself could not use it.
enum KeysFile {
    private static let size_bytes_max = 1 << 20

    /// Reads the keys in the order of the file.
    static func read(_ path: String) throws(TextFile.ReadError) -> [KeyPair] {
        var pairs: [KeyPair] = []
        let lines = try TextFile.read(path, limit: size_bytes_max).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = PlainText.trimmed(line)
            // A line of three dashes begins a YAML document.
            if words.isEmpty || words.hasPrefix("#") || words == "---" { continue }
            let pair: KeyPair
            switch Self.pair(words) {
            case .success(let found): pair = found
            case .failure(let fault): throw TextFile.ReadError(path, line: index + 1, fault.what)
            }
            guard !pairs.contains(where: { $0.key == pair.key }) else {
                throw TextFile.ReadError(path, line: index + 1, "the key is there twice")
            }
            pairs.append(pair)
        }
        guard !pairs.isEmpty else { throw TextFile.ReadError("\(path) holds no key") }
        return pairs
    }

    private struct KeyLineFault: Error { let what: String }

    private static func pair(_ words: String) -> Result<KeyPair, KeyLineFault> {
        let expected = KeyLineFault(what: "expected `key: secret`")
        var rest = words[...]
        guard let key = scalar(&rest, until: ":"), rest.first == ":" else { return .failure(expected) }
        rest = rest.dropFirst()
        let isApart = rest.first.map { $0.isWhitespace } ?? true
        let gap = rest.prefix { $0.unicodeScalars.allSatisfy(PlainText.isInvisible) }
        rest = rest[gap.endIndex...]
        // A comment stands where the secret should be.
        if rest.first == "#", isApart { return .failure(expected) }
        guard let secret = scalar(&rest, until: nil) else {
            return .failure(
                KeyLineFault(what: "a quote is not closed, or the secret is no YAML text; put it into quotes"))
        }
        guard isEnd(rest) else {
            return .failure(KeyLineFault(what: "something follows the closing quote that is no comment"))
        }
        guard !key.isEmpty, !secret.isEmpty else { return .failure(expected) }
        for text in [key, secret] {
            if let flaw = PlainText.flaw(in: text, as: .token) { return .failure(KeyLineFault(what: flaw)) }
        }
        return .success(KeyPair(key: key, secret: Secret(secret)))
    }

    /// Takes a text, with or without quotes, from the beginning of `rest`. Returns nil if there is none.
    private static func scalar(_ rest: inout Substring, until end: Character?) -> String? {
        switch rest.first {
        case "\"", "'": return quoted(&rest)
        // In YAML, no plain text begins with these characters. https://yaml.org/spec/1.2.2/#73-flow-scalar-styles
        case let first? where "|>&*!%@`{[,?".contains(first) && end == nil: return nil
        default: break
        }
        var at = rest.startIndex
        var isAfterBlank = false
        while at < rest.endIndex, rest[at] != end, !(rest[at] == "#" && isAfterBlank) {
            isAfterBlank = rest[at].isWhitespace
            at = rest.index(after: at)
        }
        let text = PlainText.trimmed(rest[..<at])
        rest = rest[at...]
        return text
    }

    private static func quoted(_ rest: inout Substring) -> String? {
        guard let quote = rest.popFirst() else { return nil }
        var text = ""
        while let next = rest.popFirst() {
            if next == quote {
                // In single quotes, two quotes stand for one.
                guard quote == "'", rest.first == quote else {
                    rest = rest.drop { $0.isWhitespace }
                    return text
                }
                rest.removeFirst()
                text.append(quote)
            } else if next == "\\", quote == "\"" {
                guard let escaped = rest.popFirst(), escaped == "\"" || escaped == "\\" || escaped == "/" else {
                    return nil
                }
                text.append(escaped)
            } else {
                text.append(next)
            }
        }
        return nil
    }

    private static func isEnd(_ rest: Substring) -> Bool { rest.isEmpty || rest.first == "#" }
}
