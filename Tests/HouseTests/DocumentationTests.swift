import Foundation
import Testing

/// Files that the documentation names exist, and so do sections that comments cite.
@Suite struct DocumentationTests {
    private let tree = SourceTree()
    private static let catalog = "Sources/lkpush/Documentation.docc"

    private func pages() throws -> [String] {
        let articles = try FileManager.default.contentsOfDirectory(
            atPath: tree.root.appendingPathComponent(Self.catalog).path
        ).filter { $0.hasSuffix(".md") }.map { "\(Self.catalog)/\($0)" }
        return articles + ["README.md", ".github/CONTRIBUTING.md"]
    }

    private func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: tree.root.appendingPathComponent(path).standardized.path)
    }

    @Test func `every file that the documentation names is there`() throws {
        var count = 0
        for page in try pages() {
            let text = try tree.text(page)
            for match in text.matches(of: #/\b(?:Sources|Tests|deploy|proto)/[\w.+/-]*\w/#) {
                let path = String(match.output)
                // A part of an address is no file of ours.
                let word = text[..<match.range.lowerBound].split(whereSeparator: \.isWhitespace).last ?? ""
                if word.contains("://") && text[..<match.range.lowerBound].last?.isWhitespace == false { continue }
                // NAME and VERSION are placeholders.
                if path.split(separator: "/").contains(where: { $0.allSatisfy(\.isUppercase) }) { continue }
                count += 1
                #expect(exists(path), "\(page) names \(path)")
            }
        }
        #expect(count > 20)
    }

    @Test func `every relative link of the documentation leads to a file`() throws {
        var count = 0
        for page in try pages() {
            let folder = page.split(separator: "/").dropLast().joined(separator: "/")
            for match in try tree.text(page).matches(of: #/\]\(([^)#]+)[^)]*\)/#) {
                let target = String(match.output.1)
                if target.contains("://") || target.hasPrefix("doc:") { continue }
                count += 1
                #expect(exists(folder.isEmpty ? target : "\(folder)/\(target)"), "\(page) links \(target)")
            }
        }
        #expect(count > 5)
    }

    @Test func `a section of the specification that a comment cites is there`() throws {
        let titles = try Set(
            tree.text("\(Self.catalog)/Specification.md").matches(of: #/(?m)^##+ (.+)$/#).map { String($0.output.1) })
        #expect(titles.contains("Lives"))
        for file in try tree.swiftFiles(in: "Sources") + tree.swiftFiles(in: "Tests") {
            for line in file.lines where line.contains("Specification, *") {
                for match in line.matches(of: #/Specification, \*([^*]+)\*/#) {
                    #expect(titles.contains(String(match.output.1)), "\(file.path) cites \(match.output.1)")
                }
            }
        }
    }
}
