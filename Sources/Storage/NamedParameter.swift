/// Replaces a named parameter in an SQL text by another expression.
enum NamedParameter {
    /// Returns the text with every `:name` replaced by `expression`, and how many there were. Strings, quoted names and
    /// comments are left alone, and so are casts such as `id::text`.
    static func replace(_ name: String, in sql: String, by expression: String) -> (sql: String, count: Int) {
        let text = Array(sql.utf8)
        let name = Array(name.utf8)
        var result: [UInt8] = []
        var count = 0
        var index = 0
        while index < text.count {
            let end = opaqueEnd(in: text, from: index)
            if end > index {
                result += text[index..<end]
                index = end
            } else if text[index] == colon, index == 0 || text[index - 1] != colon,
                text[(index + 1)...].starts(with: name), !isWord(text, at: index + 1 + name.count)
            {
                result += expression.utf8
                count += 1
                index += 1 + name.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return (String(decoding: result, as: UTF8.self), count)
    }

    private static let colon = UInt8(ascii: ":")

    /// Returns the end of the string, quoted name or comment that starts here; `start` if none does.
    private static func opaqueEnd(in text: [UInt8], from start: Int) -> Int {
        let rest = text[start...]
        switch text[start] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            // A doubled quote ends one string and starts the next one at once, which gives the same result.
            return rest.dropFirst().firstIndex(of: text[start]).map { $0 + 1 } ?? text.count
        case UInt8(ascii: "-") where rest.starts(with: "--".utf8):
            return rest.firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
            var index = start + 2
            while index + 1 < text.count {
                if text[index] == UInt8(ascii: "*") && text[index + 1] == UInt8(ascii: "/") { return index + 2 }
                index += 1
            }
            return text.count
        default:
            return start
        }
    }

    private static func isWord(_ text: [UInt8], at index: Int) -> Bool {
        guard index < text.count else { return false }
        let byte = text[index]
        return (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
