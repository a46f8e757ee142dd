import Testing

/// The article *Debugging* names every log message at warning or above and every reason of `/readyz`, and no other. The
/// article *Operations* says of each reason what it costs.
@Suite struct DebuggingArticleTests {
    private let tree = SourceTree()
    private static let article = "Sources/lkpush/Documentation.docc/Debugging.md"
    private static let operations = "Sources/lkpush/Documentation.docc/Operations.md"

    private struct Message {
        let text: String
        let path: String
    }

    @Test func `every log message at warning or above is in the article`() throws {
        let rows = try Set(firstCells(of: "Log messages"))
        let messages = try messages()
        #expect(messages.count > 60, "the search for messages finds too few: \(messages.count)")
        for message in messages where !rows.contains(message.text) {
            Issue.record("\(Self.article) lacks \"\(message.text)\" of \(message.path)")
        }
    }

    @Test func `the article has no log message that is not in the sources`() throws {
        let texts = try Set(messages().map(\.text))
        for row in try firstCells(of: "Log messages") where row != "Message" && !texts.contains(row) {
            Issue.record("\(Self.article) has \"\(row)\", which nobody logs")
        }
    }

    @Test func `every reason of readyz is in the articles`() throws {
        let rows = try [
            (Self.article, Set(firstCells(of: "Readiness"))),
            (Self.operations, Set(firstCells(of: "What /readyz says", in: Self.operations))),
        ]
        // A reason that nobody gives any more goes from both.
        #expect(rows[0].1 == rows[1].1)
        var count = 0
        for file in try tree.swiftFiles(in: "Sources") where file.target != "Simulation" {
            let source = SourceText(file.lines.joined(separator: "\n"))
            for place in source.places(after: "because: ") where source.has("\"", at: place) {
                let reason = source.literal(at: place).text
                count += 1
                for (article, rows) in rows {
                    #expect(rows.contains { reason.hasPrefix($0) }, "\(article) lacks \"\(reason)\" of \(file.path)")
                }
            }
        }
        #expect(count > 5)
    }

    // MARK: Messages

    /// The constant texts that are logged at warning or above, and all constant texts that are made for the log.
    private func messages() throws -> [Message] {
        try tree.swiftFiles(in: "Sources").flatMap { file in
            let source = SourceText(file.lines.joined(separator: "\n"))
            return (Self.logged(in: source) + Self.made(in: source))
                // A single word is no message.
                .filter { $0.contains(" ") }
                .map { Message(text: $0, path: file.path) }
        }
    }

    /// The messages in calls such as `log.warning("...")` and `log.throttled(.error, "...")`, without their fields.
    private static func logged(in source: SourceText) -> [String] {
        let calls = ["log.warning(", "log.error(", "log?.warning(", "log?.error("].flatMap { source.places(after: $0) }
        let levels = source.places(after: "(").filter { place in
            let first = source.skippingBlanks(from: place)
            return source.has(".warning,", at: first) || source.has(".error,", at: first)
        }
        return (calls + levels).flatMap { source.literals(inBracketsAt: $0 - 1, nested: false) }
    }

    /// The messages that are a `StaticString` before they are logged: constants, functions that choose among several,
    /// and the first part of an `Advice`.
    private static func made(in source: SourceText) -> [String] {
        let values = [": StaticString =", "message ="].flatMap { source.places(after: $0) }.flatMap { place in
            let start = source.skippingBlanks(from: place)
            if source.has("\"", at: start) { return [source.literal(at: start).text] }
            guard source.has("switch ", at: start) || source.has("if ", at: start) else { return [] }
            return literals(inBracesAfter: start, source)
        }
        let functions = source.places(after: "-> StaticString {").flatMap { place in
            source.literals(inBracketsAt: place - 1, nested: true)
        }
        // What to do, behind it, is no message.
        let advice = source.places(after: "Advice(").compactMap { place in
            source.literals(inBracketsAt: place - 1, nested: false).first
        }
        return values + functions + advice
    }

    private static func literals(inBracesAfter start: Int, _ source: SourceText) -> [String] {
        guard let brace = source.places(after: "{").first(where: { $0 > start }) else { return [] }
        return source.literals(inBracketsAt: brace - 1, nested: true)
    }

    // MARK: The article

    /// The first cells of all table rows in a section, without the rows of dashes.
    private func firstCells(of section: String, in article: String = Self.article) throws -> [String] {
        let sections = try tree.text(article).split(separator: "\n## ")
        let text = try #require(sections.first { $0.hasPrefix(section + "\n") }, "no section \(section)")
        return text.split(separator: "\n").filter { $0.hasPrefix("| ") }
            .compactMap { $0.split(separator: "|").first.map(\.withSingleBlanks) }
    }
}
