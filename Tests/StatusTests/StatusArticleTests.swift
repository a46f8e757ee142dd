import Status
import TestSupport
import Testing
import Wire

/// The article *Status* documents every field and every problem.
@Suite(.serialized) struct StatusArticleTests {
    private func check(_ name: String, _ expected: String) throws {
        let found = try GeneratedPart(name, of: "Sources/lkpush/Documentation.docc/Status.md").text(expected: expected)
        #expect(found == expected, "UPDATE_GOLDEN=1 rewrites the table")
    }

    @Test func `every field of the documents is in the article`() throws {
        try check("status", Self.table(of: StatusDocument.shape))
        try check("memory", Self.table(of: MemoryStatus.shape))
    }

    @Test func `every problem is in the article`() throws {
        var rows: Set<String> = []
        for document in TroubledDocuments.all.values {
            for problem in HealthRules.problems(of: document) {
                let alert = problem.alert.isEmpty ? "" : "`\(problem.alert)`"
                rows.insert("| `\(problem.name)` | \(problem.severity.rawValue) | \(alert) |")
            }
        }
        try check("problems", (["| Name | Severity | Alert |", "|---|---|---|"] + rows.sorted()).lines)
    }

    /// A row for each field, with the path to it.
    private static func table(of shape: StatusShape) -> String {
        (["| Field | Type | Meaning |", "|---|---|---|"] + rows(of: shape, "")).lines
    }

    private static func rows(of shape: StatusShape, _ path: String) -> [String] {
        switch shape {
        case .plain: []
        case .nullable(let inner): rows(of: inner, path)
        case .array(let element): rows(of: element, path.isEmpty ? path : "\(path.dropLast())[].")
        case .object(let fields):
            fields.flatMap { field in
                ["| `\(path)\(field.name)` | \(type(of: field.shape)) | \(field.help) |"]
                    + rows(of: field.shape, "\(path)\(field.name).")
            }
        }
    }

    private static func type(of shape: StatusShape) -> String {
        switch shape {
        case .plain(let name): name
        case .nullable(let inner): "\(type(of: inner)) or null"
        case .array(let element): "array of \(type(of: element))"
        case .object: "object"
        }
    }
}

extension [String] {
    fileprivate var lines: String { map { $0 + "\n" }.joined() }
}
