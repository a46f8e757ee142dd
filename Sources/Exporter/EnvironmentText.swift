import Platform

/// The parser of an environment file. `EnvironmentFile` describes the format.
struct EnvironmentText {
    private let path: String
    private let environment: [String: String]
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var line = 1
    /// The assignments so far, by trimmed name: the name as it was given, and the value.
    private var found: [String: (name: String, value: String)] = [:]

    init(_ text: String, of path: String, under environment: [String: String]) {
        self.path = path
        self.environment = environment
        scalars = Array(text.unicodeScalars)
    }

    /// Reads all assignments and adds them to the environment, whose variables win. Names keep invisible characters
    /// around them, so that `SettingsReader` can warn about them.
    mutating func read() throws(TextFile.ReadError) -> [String: String] {
        while true {
            skipInvisible(acrossLines: true)
            guard let next = peek else { break }
            if next == "#" {
                skipLine()
            } else {
                try readAssignment()
            }
        }
        let wins = Set(environment.keys.map { PlainText.trimmed($0) })
        let added = found.filter { !wins.contains($0.key) }.values.map { ($0.name, $0.value) }
        return environment.merging(added) { own, _ in own }
    }

    // MARK: One assignment

    private mutating func readAssignment() throws(TextFile.ReadError) {
        let first = line
        let given = readName()
        let name = PlainText.trimmed(given)
        guard !name.isEmpty, name.unicodeScalars.allSatisfy(Self.isNamePart) else {
            throw TextFile.ReadError(
                path, line: first, "expected NAME=value; a name holds letters, digits, _, ., -, [ and ] only")
        }
        // A name alone stands for the variable of the environment, which wins anyway.
        guard let separator = peek, separator != "\n" else { return }
        at += 1
        let value = try readValue()
        found[name] = (given, value)
    }

    /// Reads up to `=`, to `:`, or to the end of the line. A URL does not begin with a name.
    private mutating func readName() -> String {
        let start = at
        while let next = peek, next != "=", next != "\n" {
            if next == ":", !scalars[(at + 1)...].starts(with: "//".unicodeScalars) { break }
            at += 1
        }
        var name = scalars[start..<at]
        let word = Array("export".unicodeScalars)
        if name.starts(with: word), let after = name.dropFirst(word.count).first, PlainText.isInvisible(after) {
            name = name.dropFirst(word.count).drop { PlainText.isInvisible($0) }
        }
        // Blanks before `=` are usual and are dropped. Other invisible characters stay: `SettingsReader` warns about
        // them.
        while name.last == " " || name.last == "\t" { name.removeLast() }
        return Self.text(name)
    }

    private mutating func readValue() throws(TextFile.ReadError) -> String {
        let start = at
        skipInvisible(acrossLines: false)
        switch peek {
        case "\"", "'": return try readQuoted()
        case "#" where at > start:
            skipLine()
            return ""
        default: return try readUnquoted()
        }
    }

    private mutating func readUnquoted() throws(TextFile.ReadError) -> String {
        let start = at
        while let next = peek, next != "\n" {
            if next == "#", at > start, Self.isBlank(scalars[at - 1]) { break }
            at += 1
        }
        var value = scalars[start..<at]
        skipLine()
        while let last = value.last, Self.isBlank(last) { value.removeLast() }
        guard !value.contains("\r") else {
            throw TextFile.ReadError(path, line: line, "a carriage return inside of the line; end lines with LF")
        }
        return try expanded(Array(value), in: line)
    }

    private mutating func readQuoted() throws(TextFile.ReadError) -> String {
        let first = line
        let quote = scalars[at]
        var content: [Unicode.Scalar] = []
        at += 1
        while let next = peek, next != quote {
            if next == "\n" { line += 1 }
            if next == "\\", at + 1 < scalars.count {
                let after = scalars[at + 1]
                if after == "\n" { line += 1 }
                // Escapes in double quotes are resolved at the end.
                if quote == "\"" || after != quote { content.append(next) }
                content.append(after)
                at += 2
            } else {
                content.append(next)
                at += 1
            }
        }
        guard peek != nil else { throw TextFile.ReadError(path, line: first, "the quote is not closed") }
        at += 1
        skipInvisible(acrossLines: false)
        guard peek == nil || peek == "\n" || peek == "#" else {
            throw TextFile.ReadError(path, line: line, "something follows the closing quote that is no comment")
        }
        let value = quote == "'" ? Self.text(content) : try expanded(Self.unescaped(content), in: first)
        skipLine()
        return value
    }

    // MARK: Variables and escapes

    /// Replaces the variables of a value.
    private func expanded(_ value: [Unicode.Scalar], in first: Int) throws(TextFile.ReadError) -> String {
        do throws(EnvironmentVariables.Fault) {
            return try EnvironmentVariables(lookUp: lookUp).expanded(value[...])
        } catch {
            throw TextFile.ReadError(path, line: first, error.description)
        }
    }

    private static let escapes: [Unicode.Scalar: String] = [
        "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}", "\"": "\"", "\\": "\\",
        // Variables are looked for afterwards, and this is a dollar sign then.
        "$": "$$",
    ]

    /// Resolves the escapes of double quotes. Others stay as they are.
    private static func unescaped(_ value: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var at = 0
        while at < value.count {
            let next = at + 1 < value.count ? value[at + 1] : nil
            if value[at] == "\\", let next, let meant = escapes[next] {
                result += meant.unicodeScalars
                at += 2
            } else if value[at] == "\\", next == "0", let code = octal(value[at...].dropFirst(2).prefix(3)) {
                result.append(Unicode.Scalar(code))
                at += 5
            } else {
                result.append(value[at])
                at += 1
            }
        }
        return result
    }

    /// The number that three octal digits stand for.
    private static func octal(_ digits: ArraySlice<Unicode.Scalar>) -> UInt8? {
        digits.count == 3 && digits.allSatisfy { ("0"..."7").contains($0) } ? UInt8(text(digits), radix: 8) : nil
    }

    private func lookUp(_ name: String) -> String? { environment[name] ?? found[name]?.value }

    // MARK: Characters

    private var peek: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func skipInvisible(acrossLines: Bool) {
        while let next = peek, PlainText.isInvisible(next), acrossLines || next != "\n" {
            if next == "\n" { line += 1 }
            at += 1
        }
    }

    /// Skips to the end of the line. The line is counted when the next one begins.
    private mutating func skipLine() {
        while let next = peek, next != "\n" { at += 1 }
    }

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\r"
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        EnvironmentVariables.isNamePart(scalar) || [".", "-", "[", "]"].contains(scalar)
    }
}
