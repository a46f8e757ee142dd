/// RFC 8259 once more, by recursive descent: what a value is, and nothing of what it says.
struct JSONGrammar {
    private let bytes: [UInt8]
    private var at = 0

    /// Whether `bytes` are one object and blanks; nil where more than `nesting` containers are open.
    static func isObject(_ bytes: [UInt8], nesting: Int) -> Bool? {
        var grammar = JSONGrammar(bytes: bytes)
        do throws(GrammarFault) {
            grammar.skipBlanks()
            guard grammar.next == UInt8(ascii: "{") else { return false }
            try grammar.value(nesting)
            grammar.skipBlanks()
            return grammar.at == bytes.count
        } catch {
            return error == .deep ? nil : false
        }
    }

    private enum GrammarFault: Error { case wrong, deep }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipBlanks() {
        while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) throws(GrammarFault) {
        guard next == UInt8(ascii: character) else { throw .wrong }
        at += 1
    }

    private mutating func takes(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func value(_ nesting: Int) throws(GrammarFault) {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): try container("}", nesting, named: true)
        case UInt8(ascii: "["): try container("]", nesting, named: false)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func container(_ end: Unicode.Scalar, _ nesting: Int, named: Bool) throws(GrammarFault) {
        guard nesting > 0 else { throw .deep }
        at += 1
        skipBlanks()
        if takes(end) { return }
        repeat {
            skipBlanks()
            if named {
                try string()
                skipBlanks()
                try take(":")
            }
            try value(nesting - 1)
            skipBlanks()
        } while takes(",")
        try take(end)
    }

    private mutating func string() throws(GrammarFault) {
        try take("\"")
        while let byte = next, byte != UInt8(ascii: "\"") {
            at += 1
            guard byte >= 0x20 else { throw .wrong }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escaped = next else { throw .wrong }
            at += 1
            if escaped == UInt8(ascii: "u") {
                for _ in 0..<4 {
                    guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit, digit < 0x80 else {
                        throw .wrong
                    }
                    at += 1
                }
            } else if !Array(#""\/bfnrt"#.utf8).contains(escaped) {
                throw .wrong
            }
        }
        try take("\"")
    }

    private mutating func word(_ word: String) throws(GrammarFault) {
        for character in word.unicodeScalars { try take(character) }
    }

    private mutating func number() throws(GrammarFault) {
        _ = takes("-")
        if !takes("0") { try digits() }
        if takes(".") { try digits() }
        if takes("e") || takes("E") {
            if !takes("+") { _ = takes("-") }
            try digits()
        }
    }

    private mutating func digits() throws(GrammarFault) {
        let start = at
        while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
        guard at > start else { throw .wrong }
    }
}
