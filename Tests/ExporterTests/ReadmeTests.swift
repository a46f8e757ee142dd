import Exporter
import Foundation
import Metrics
import TestSupport
import Testing

/// The README's tables are written by the program; `UPDATE_GOLDEN=1` rewrites them, a reader looks at the difference.
@Suite(.serialized) struct ReadmeTests {
    private let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("README.md")

    private func check(_ name: String, _ expected: String) throws {
        var text = try String(contentsOf: path, encoding: .utf8)
        let start = try #require(text.range(of: "<!-- \(name) -->\n"))
        let end = try #require(text.range(of: "<!-- /\(name) -->"))
        let found = String(text[start.upperBound..<end.lowerBound])
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            text.replaceSubrange(start.upperBound..<end.lowerBound, with: expected + "\n")
            try text.write(to: path, atomically: true, encoding: .utf8)
        } else {
            #expect(found == expected + "\n", "UPDATE_GOLDEN=1 rewrites the table")
        }
    }

    @Test func `the table of settings is what the program reads`() throws {
        try check("settings", HelpText.readmeTable)
    }

    @Test func `the table of metrics is what the program declares`() throws {
        let folder = TemporaryFolder()
        let service = try IdleService.start(in: folder)
        defer { _ = service.stop() }
        try check("metrics", MetricsTable.text(service.registry))
    }
}
