import Testing

/// The article *RemoteWriteCompliance* lists every line of the checklist: each has a test of its name, or a reason.
@Suite struct RemoteWriteComplianceArticleTests {
    private let tree = SourceTree()
    private static let article = "Sources/lkpush/Documentation.docc/RemoteWriteCompliance.md"
    private static let sections: Set<String> = [
        "1.0", "protocol", "samples", "symbols", "labels", "timestamps", "retry", "backoff", "fallback", "response",
        "error_handling", "batching", "edge_cases", "combined", "exemplars", "histograms", "metadata", "rw1_compat",
        "framework", "untested",
    ]

    private struct Line {
        /// The section and the line, as in the name of a test: `samples: +Inf`.
        let name: String
        let level: String
        let place: String
    }

    /// All rows of the article's tables.
    private func lines() throws -> [Line] {
        var lines: [Line] = []
        var section = ""
        for text in try tree.text(Self.article).split(separator: "\n") {
            if text.hasPrefix("## ") { section = String(text.dropFirst(3).prefix { $0 != " " }) }
            let cells = text.split(separator: "|").map { String($0.trimmed) }
            guard text.hasPrefix("| "), cells.count == 3, cells[0] != "Line" else { continue }
            lines.append(Line(name: "\(section): \(cells[0].filter { $0 != "`" })", level: cells[1], place: cells[2]))
        }
        return lines
    }

    /// The names of all tests, each with the path of its file.
    private func tests() throws -> [(name: String, path: String)] {
        try tree.swiftFiles(in: "Tests").flatMap { file in
            file.lines.flatMap { line in
                line.matches(of: #/\bfunc `([^`]+)`/#).map { (String($0.output.1), file.path) }
            }
        }
    }

    @Test func `every line has a level, and a test of its name, another test, or a reason`() throws {
        let lines = try lines()
        #expect(lines.count > 200, "\(lines.count) lines")
        #expect(Set(lines.map(\.name)).count == lines.count, "no line comes twice")
        #expect(Set(lines.map { String($0.name.prefix { $0 != ":" }) }) == Self.sections)
        let tests = try Set(tests().map(\.name))
        for line in lines {
            #expect(["M", "S", "R", "MAY", "-"].contains(line.level), "\(line.name): level \(line.level)")
            let others = line.place.matches(of: #/`([^`]+)`/#).map { String($0.output.1) }
            if line.place.hasPrefix("tested") {
                #expect(tests.contains(line.name), "no test is called \(line.name)")
            } else {
                #expect(line.place.count > 10, "\(line.name) has neither a test nor a reason")
                #expect(!tests.contains(line.name), "\(line.name) is tested")
            }
            if line.place.contains("test:") { #expect(!others.isEmpty, "\(line.name) names no test") }
            for other in others where line.place.contains("test:") {
                #expect(tests.contains(other), "\(line.name): no test is called \(other)")
            }
        }
    }

    @Test func `every test of a line is in the article`() throws {
        let lines = try Set(lines().map(\.name))
        var count = 0
        for test in try tests() where test.path.hasPrefix("Tests/ShipperTests/Compliance/") {
            guard Self.sections.contains(String(test.name.prefix { $0 != ":" })) else { continue }
            count += 1
            #expect(lines.contains(test.name), "\(Self.article) lacks \(test.name)")
        }
        #expect(count > 150)
    }
}
