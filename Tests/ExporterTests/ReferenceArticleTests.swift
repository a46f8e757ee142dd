import Exporter
import Metrics
import Platform
import TestSupport
import Testing

/// The program writes the tables of the articles *Settings* and *Metrics*. `UPDATE_GOLDEN=1` rewrites them, and a
/// reviewer reads the difference.
@Suite(.serialized) struct ReferenceArticleTests {
    private func check(_ name: String, of article: String, _ expected: String) throws {
        let path = "Sources/lkpush/Documentation.docc/\(article).md"
        let found = try GeneratedPart(name, of: path).text(expected: expected + "\n")
        #expect(found == expected + "\n", "UPDATE_GOLDEN=1 rewrites the table")
    }

    @Test func `the table of settings is what the program reads`() throws {
        try check("settings", of: "Settings", Self.settings)
    }

    @Test func `the table of metrics is what the program declares`() throws {
        let folder = TemporaryFolder()
        var reader = SettingsReader(IdleService.environment(folder))
        let families = try DeclaredFamilies.ofAnySetup(Settings(&reader), log: Log(level: .error, format: .text))
        try check("metrics", of: "Metrics", Self.metrics(families))
    }

    // MARK: The tables

    private static var settings: String {
        var reader = SettingsReader([:])
        _ = Settings(&reader)
        let rows = reader.rows.map { row in
            let standard = row.standard.isEmpty ? "" : "`\(row.standard)`"
            return "| `\(row.name)` | \(standard) | \(row.help.replacing("|", with: "\\|")) |"
        }
        return (["| variable | default | |", "|---|---|---|"] + rows).joined(separator: "\n")
    }

    /// The metrics, sorted by name.
    private static func metrics(_ families: [FamilyDescriptor]) -> String {
        let organization = ["project", "region", "org_id"]
        let rows = families.map { family in
            var labels = family.labelNames
            if labels.starts(with: organization) { labels.replaceSubrange(0..<3, with: ["P"]) }
            return "| `\(family.name)` | \(family.kind.name) | \(labels.joined(separator: " ")) | \(family.help) |"
        }
        return (["| name | type | labels | |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }
}
