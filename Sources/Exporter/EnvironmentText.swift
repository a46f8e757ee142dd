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
        let given = try readName()
        let name = PlainText.trimmed(given)
        guard !name.isEmpty, name.unicodeScalars.allSatisfy(Self.isNamePart) else {
            throw TextFile.ReadError(
                path, line: first, "expected NAME=value; a name holds letters, digits, _, . and - only")
        }
        guard let separator = peek, separator != "\n" else {
            // A name without `=` is allowed if the environment has it.
            guard environment[name] != nil else {
                throw TextFile.ReadError(path, line: first, "expected NAME=value")
            }
            return
        }
        at += 1
        let value = try readValue()
        found[name] = (given, value)
    }

    /// Reads up to `=`, to the end of the line, or to a `:` that a blank follows.
    private mutating func readName() throws(TextFile.ReadError) -> String {
        let start = at
        while let next = peek, next != "=", next != "\n" {
            if next == ":", at + 1 >= scalars.count || PlainText.isInvisible(scalars[at + 1]) { break }
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
        return try expanded(Array(value), escapes: false)
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
                // Escapes in double quotes are resolved later, together with variables.
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
        let value = quote == "'" ? Self.text(content) : try expanded(content, escapes: true, startingAt: first)
        skipLine()
        return value
    }

    // MARK: Variables and escapes

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}", "$": "$", "\"": "\"",
        "\\": "\\",
    ]

    /// Replaces the variables of a value, and resolves escapes if that is asked for.
    private func expanded(
        _ value: [Unicode.Scalar], escapes: Bool, startingAt first: Int? = nil
    ) throws(TextFile.ReadError) -> String {
        var result = ""
        var at = 0
        while at < value.count {
            let next = at + 1 < value.count ? value[at + 1] : nil
            if escapes, value[at] == "\\", let next, let meant = Self.escapes[next] {
                result.unicodeScalars.append(meant)
                at += 2
            } else if value[at] == "$", next == "$" {
                result += "$"
                at += 2
            } else if value[at] == "$", let next, next == "{" || Self.isNameStart(next) {
                guard let (text, end) = variable(value, from: at + 1) else {
                    // The text behind the dollar sign may be a part of a secret, so it is not quoted.
                    throw TextFile.ReadError(
                        path, line: first ?? line,
                        "$ is followed by what is no variable that is set; for a dollar sign write $$, or put the "
                            + "value into single quotes")
                }
                result += text
                at = end
            } else {
                result.unicodeScalars.append(value[at])
                at += 1
            }
        }
        return result
    }

    /// The value of the variable that begins at `start`, and the end of its name. Nil if it is neither set nor has a
    /// default.
    private func variable(_ value: [Unicode.Scalar], from start: Int) -> (text: String, end: Int)? {
        guard value[start] == "{" else {
            let end = value[start...].firstIndex { !Self.isNameStart($0) && !Self.isDigit($0) } ?? value.count
            return lookUp(Self.text(value[start..<end])).map { ($0, end) }
        }
        guard let close = value[start...].firstIndex(of: "}") else { return nil }
        let inside = value[(start + 1)..<close]
        let name = inside.prefix { Self.isNameStart($0) || Self.isDigit($0) }
        let rest = inside.dropFirst(name.count)
        guard let first = name.first, Self.isNameStart(first) else { return nil }
        let known = lookUp(Self.text(name))
        if rest.isEmpty { return known.map { ($0, close + 1) } }
        // A variable in a default is not supported.
        guard !rest.contains("$") else { return nil }
        if rest.starts(with: ":-".unicodeScalars) {
            let isThere = known?.isEmpty == false
            return (isThere ? known ?? "" : Self.text(rest.dropFirst(2)), close + 1)
        }
        if rest.first == "-" { return (known ?? Self.text(rest.dropFirst()), close + 1) }
        return nil
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

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar) || scalar == "_"
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        isNameStart(scalar) || isDigit(scalar) || scalar == "." || scalar == "-"
    }
}
