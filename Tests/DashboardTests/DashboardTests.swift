import Foundation
import TestSupport
import Testing

/// The dashboards of `deploy/grafana`: rendered from their declarations, and right as far as Grafana's schema tells.
@Suite(.enabled(if: Checker.isWanted, "set LKPUSH_TEST_PYTHON to a Python with Tests/requirements.txt"))
struct DashboardTests {
    private let folder = TemporaryFolder()
    private let checker: Checker

    init() throws {
        let python = try #require(Checker.python, "LKPUSH_TEST_PYTHON must name a Python with Tests/requirements.txt")
        checker = try Checker(python, in: folder)
    }

    @Test func `the files are as their declarations render them`() throws {
        let result = checker.render(into: folder.path)
        try #require(result.status == 0, "\(result.output)")
        for file in Checker.files {
            let rendered = try Data(contentsOf: URL(filePath: folder.file(file)))
            let committed = try Data(contentsOf: URL(filePath: Checker.committed + file))
            #expect(rendered == committed, "\(file) is old or was edited: run deploy/grafana/source/render.py")
        }
    }

    @Test func `nothing is wrong with schema, layout, words and queries`() {
        let result = checker.check(Checker.files.map { Checker.committed + $0 })
        #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
    }

    @Test func `the list of queries has those of the files`() throws {
        let result = checker.listQueries()
        try #require(result.status == 0, "\(result.output)")
        let listed = try result.output.split(separator: "\n").map { line in
            try #require(Self.object(Data(line.utf8))["expr"] as? String)
        }
        var expected: [String] = []
        for file in Checker.files {
            let content = try Self.object(Data(contentsOf: URL(filePath: Checker.committed + file)))
            for panel in try #require(content["panels"] as? [[String: Any]]) {
                let targets = panel["targets"] as? [[String: Any]] ?? []
                expected += targets.compactMap { $0["expr"] as? String }
            }
        }
        #expect(listed == expected && expected.count > 100)
    }

    @Test func `two instances, a new name, no limit and long sessions are shown as they are`() {
        let result = checker.runCases()
        #expect(result.status == 0 && result.output.contains("SUCCESS"), "\(result.output)")
    }

    @Test func `every setting that a description names is in the article of settings`() throws {
        let path = Repository.root + "/Sources/lkpush/Documentation.docc/Settings.md"
        let article = try String(contentsOfFile: path, encoding: .utf8)
        var count = 0
        for file in Checker.files {
            let text = try String(contentsOfFile: Checker.committed + file, encoding: .utf8)
            for setting in Set(text.matches(of: #/[A-Z]{2,}(?:_[A-Z]+)+/#).map(\.output)).sorted() {
                #expect(article.contains("`\(setting)`"), "\(file) names \(setting)")
                count += 1
            }
        }
        #expect(count > 5)
    }

    /// All in one run, because most of its time is the start of Python.
    @Test func `the check finds every kind of mistake`() throws {
        for mistake in Mistake.all {
            let text = try String(contentsOfFile: Checker.committed + mistake.file, encoding: .utf8)
            let place = try #require(text.range(of: mistake.right), "\(mistake.name): there is no \(mistake.right)")
            let broken = text.replacingCharacters(in: place, with: mistake.wrong)
            try Data(broken.utf8).write(to: URL(filePath: folder.file(mistake.name)))
        }
        let result = checker.check(Mistake.all.map { folder.file($0.name) })
        #expect(result.status == 1)
        let lines = result.output.split(separator: "\n")
        for mistake in Mistake.all {
            let found = lines.filter { $0.hasPrefix(mistake.name + ": ") }
            #expect(
                found.contains { $0.contains(mistake.problem) },
                "\(mistake.name): \(found.isEmpty ? result.output : found.joined(separator: "\n"))")
        }
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
}
