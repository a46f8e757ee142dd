import Foundation
import TestSupport
import Testing

/// The rules of `deploy/prometheus`, as a real Prometheus reads them.
struct Rules {
    struct Rule: Decodable {
        let name: String
        let query: String
        /// `alerting` or `recording`.
        let type: String
        /// `ok` after an evaluation without an error.
        let health: String
        let lastError: String?
    }

    private struct Answer: Decodable {
        struct Group: Decodable {
            let name: String
            let rules: [Rule]
        }

        struct Content: Decodable { let groups: [Group] }
        let data: Content
    }

    let rules: [Rule]
    /// The expressions of recording rules, by name.
    private let recorded: [String: String]

    /// Loads the files into a Prometheus of their own, and waits until each rule was evaluated. Only their interval is
    /// another one: a test has no minute for the first evaluation.
    init() throws {
        let copies = TemporaryFolder()
        let folder = Repository.root + "/deploy/prometheus/"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
        try #require(!files.isEmpty)
        for file in files {
            let text = try String(contentsOfFile: folder + file, encoding: .utf8)
            try text.replacing("interval: 1m", with: "interval: 1s")
                .write(toFile: copies.file(file), atomically: true, encoding: .utf8)
        }
        let server = try PrometheusServer(
            configuration: """
                global: {evaluation_interval: 1s}
                rule_files: [\(files.map { copies.file($0) }.joined(separator: ", "))]
                """)
        var found: [Rule] = []
        let isEvaluated = try eventually {
            found = try Self.read(server.port)
            return !found.isEmpty && found.allSatisfy { $0.health != "unknown" }
        }
        try #require(isEvaluated, "\(found.filter { $0.health == "unknown" }.map(\.name)): \(server.log.suffix(2_000))")
        rules = found
        recorded = Dictionary(
            found.filter { $0.type == "recording" }.map { ($0.name, $0.query) }, uniquingKeysWith: { one, _ in one })
    }

    private static func read(_ port: UInt16) throws -> [Rule] {
        try QueryAPI(port: port).decoded(Answer.self, from: "/api/v1/rules").data.groups.flatMap(\.rules)
    }

    /// An expression with the expressions of recording rules instead of their names: nobody recorded them on that day.
    func inlined(_ expression: String) -> String {
        recorded.keys.sorted { $0.count > $1.count }.reduce(expression) { text, name in
            guard text.contains(name) else { return text }
            return text.replacing(name, with: "(" + inlined(recorded[name] ?? "") + ")")
        }
    }
}

/// The selectors of an expression: names of metrics with their matchers.
enum Selectors {
    private static let words: Set<String> = [
        "and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf",
        "nan", "sum", "min", "max", "avg", "group", "count", "topk", "bottomk", "quantile", "stddev",
    ]
    private static let lists: Set<String> = ["by", "without", "on", "ignoring", "group_left", "group_right"]

    static func of(_ expression: String) -> [String] {
        var selectors: [String] = []
        var rest = expression.split(separator: "\n").map { $0.prefix { $0 != "#" } }.joined(separator: "\n")[...]
        var isInList = false
        while let character = rest.first {
            if character == "\"" {
                rest = rest.dropFirst().drop { $0 != "\"" }.dropFirst()
            } else if character == "[" {
                rest = rest.drop { $0 != "]" }
            } else if character == ")" {
                isInList = false
                rest = rest.dropFirst()
            } else if character.isLetter || character == "_" || character == ":" {
                let name = String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" })
                rest = rest.dropFirst(name.count)
                let next = rest.drop(while: \.isWhitespace).first
                if words.contains(name.lowercased()) {
                    if lists.contains(name.lowercased()), next == "(" { isInList = true }
                } else if !isInList, next != "(" {
                    let matchers = next == "{" ? Self.matchers(&rest) : ""
                    selectors.append(name + matchers)
                }
            } else if character.isNumber {
                // A number may have letters: 15m, 300e6.
                rest = rest.drop { $0.isLetter || $0.isNumber || $0 == "." }
            } else {
                rest = rest.dropFirst()
            }
        }
        return selectors
    }

    /// Takes the matchers off, with their braces.
    private static func matchers(_ rest: inout Substring) -> String {
        rest = rest.drop(while: \.isWhitespace)
        var text = ""
        var isQuoted = false
        while let character = rest.popFirst() {
            text.append(character)
            if character == "\"" { isQuoted.toggle() }
            if character == "}" && !isQuoted { break }
        }
        return text
    }
}
