import Foundation
import TestSupport
import Testing

/// The article *Questions and their query*: the code blocks of each question.
struct QueriesArticle {
    struct Block {
        let language: String
        let text: String
        /// It is quoted as wrong.
        let isAsWritten: Bool
    }

    private var blocks: [String: [Block]] = [:]

    /// The questions, in the order of the page.
    private(set) var questions: [String] = []

    init() throws {
        let path = Repository.root + "/Sources/lkpush/Documentation.docc/Queries.md"
        var question = ""
        var prose = ""
        var open: (language: String, lines: [String])?
        for line in try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n") {
            if let block = open {
                guard line == "```" else {
                    open?.lines.append(line)
                    continue
                }
                open = nil
                blocks[question, default: []].append(
                    Block(
                        language: block.language, text: block.lines.joined(separator: "\n"),
                        isAsWritten: prose.hasSuffix("As it was written:")))
                prose = ""
            } else if line.hasPrefix("```") {
                open = (String(line.dropFirst(3)), [])
            } else if line.hasPrefix("### ") {
                question = String(line.dropFirst(4))
                questions.append(question)
                prose = ""
            } else if !line.isEmpty {
                prose = prose.isEmpty ? line : prose + " " + line
            }
        }
    }

    /// The query of a question, or one of several.
    func query(_ question: String, _ number: Int = 0, language: String = "promql") throws -> String {
        try block(question, number, language, isAsWritten: false)
    }

    /// The older query of a question.
    func older(_ question: String) throws -> String { try block(question, 0, "promql", isAsWritten: true) }

    private func block(_ question: String, _ number: Int, _ language: String, isAsWritten: Bool) throws -> String {
        let found = (blocks[question] ?? []).filter { $0.language == language && $0.isAsWritten == isAsWritten }
        try #require(number < found.count, "the page has no such block: \(question) \(language)")
        return found[number].text
    }

    /// Every block of a language, with its question.
    func all(_ language: String) -> [(question: String, text: String)] {
        questions.flatMap { question in
            (blocks[question] ?? []).filter { $0.language == language }.map { (question, $0.text) }
        }
    }
}
