import Platform
import TestSupport

/// The rule files of `deploy/prometheus` with shorter times, so that a test need not wait for hours.
///
/// Every duration is divided: ranges, offsets and steps in expressions, and the fields `for`, `keep_firing_for` and
/// `interval`. Nothing else changes: not the durations in strings, such as `window="30d"`, nor thresholds, labels and
/// annotations.
struct CompressedRules {
    /// The parts of the rules whose durations are divided.
    enum Scope: Sendable {
        case all
        /// Expressions stay as they are. For samples of a clock that is wrong by more than a short range.
        case fields
    }

    let divisor: Int
    var scope = Scope.all

    /// The shipped files, by name.
    func shipped() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in Self.names {
            let bytes = try FileStore.read("\(Repository.root)/deploy/prometheus/\(name)", limit: 1 << 20)
            files[name] = text(String(decoding: bytes, as: UTF8.self))
        }
        return files
    }

    static let names = ["lkpush-recording-rules.yaml", "lkpush-alerts.yaml"]

    /// The text of a rule file with shorter times.
    func text(_ yaml: String) -> String {
        var lines: [String] = []
        // The field whose value goes on in the lines that are indented more.
        var open: (indentation: Int, isExpression: Bool)?
        for line in yaml.split(separator: "\n", omittingEmptySubsequences: false) {
            let indentation = line.prefix { $0 == " " || $0 == "-" }.count
            if let field = open, indentation > field.indentation || line.allSatisfy({ $0 == " " }) {
                lines.append(field.isExpression ? expression(line) : String(line))
                continue
            }
            open = nil
            let content = line.dropFirst(indentation)
            let key = content.prefix { $0 != ":" }
            let value = content.dropFirst(key.count + 1)
            let text = value.drop { $0 == " " }
            let isBlock = text.hasPrefix("|") || text.hasPrefix(">")
            if key == "expr" || isBlock { open = (indentation, key == "expr") }
            switch key {
            case "expr": lines.append("\(line[..<value.startIndex])\(expression(value))")
            case "for", "keep_firing_for", "interval", "query_offset":
                lines.append("\(line[..<value.startIndex]) \(shorter(text) ?? String(text))")
            default: lines.append(String(line))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A part of an expression with shorter times. No string of it may go on in the next line.
    private func expression(_ text: Substring) -> String {
        if scope == .fields { return String(text) }
        var result = ""
        var rest = text
        while let character = rest.first {
            let token: Substring
            switch character {
            case "\"", "'", "`": token = Self.string(rest)
            case "#": token = rest
            // A colon alone stands in a subquery: `[1d:1h]`.
            case ":": token = rest.prefix(1)
            case _ where Self.isName(character) && !Self.isDigit(character): token = rest.prefix(while: Self.isName)
            case _ where Self.isDigit(character):
                token = rest.prefix { Self.isName($0) && $0 != ":" || $0 == "." }
                result += shorter(token) ?? String(token)
                rest = rest[token.endIndex...]
                continue
            default: token = rest.prefix(1)
            }
            result += token
            rest = rest[token.endIndex...]
        }
        return result
    }

    /// The string at the beginning of the text, with its quotes.
    private static func string(_ text: Substring) -> Substring {
        let quote = text[text.startIndex]
        var index = text.index(after: text.startIndex)
        while index < text.endIndex, text[index] != quote {
            if text[index] == "\\", quote != "`" { index = text.index(after: index) }
            if index < text.endIndex { index = text.index(after: index) }
        }
        return index < text.endIndex ? text[...index] : text
    }

    private static func isName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || isDigit(character)) || character == "_" || character == ":"
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    /// The duration, divided. Nil for any other text. https://prometheus.io/docs/prometheus/latest/querying/basics/
    private func shorter(_ duration: Substring) -> String? {
        guard let length = Self.milliseconds(duration) else { return nil }
        return "\(max(1, (length + divisor / 2) / divisor))ms"
    }

    /// The length of a duration such as `1h30m`. Nil for any other text.
    static func milliseconds(_ duration: Substring) -> Int? {
        let units = [
            "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000,
        ]
        var rest = duration
        var sum = 0
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest = rest[digits.endIndex...]
            let letters = rest.prefix { !isDigit($0) }
            rest = rest[letters.endIndex...]
            guard let number = Int(digits), let unit = units[String(letters)] else { return nil }
            sum += number * unit
        }
        return duration.isEmpty ? nil : sum
    }
}
