import Foundation
import Testing

/// The threads that each thread knows. A facade `XThread`, its `XWorker` and its `XInbox` are one thread, `X`.
@Suite struct ThreadDirectionTests {
    private let tree = SourceTree()

    /// Folders of the target `Pipeline`. Each knows only those before it.
    private static let stages = ["Event", "Store", "Journal", "Lease", "Append", "Recorder", "Webhook"]

    private struct Edge: Hashable, Comparable, CustomStringConvertible {
        let from: String
        let to: String
        var description: String { "\(from) -> \(to)" }
        static func < (left: Edge, right: Edge) -> Bool { left.description < right.description }
    }

    /// The code of a file without comments.
    private func code(_ file: SourceTree.File) -> String {
        file.lines.map { line in String(line.range(of: "//").map { line[..<$0.lowerBound] } ?? line) }
            .joined(separator: "\n")
    }

    private func declared(in file: SourceTree.File) -> [String] {
        code(file).matches(of: #/(?:struct|class|enum|protocol|extension) ([A-Z]\w+)/#).map { String($0.1) }
    }

    /// The thread that a type belongs to.
    private func thread(of type: some StringProtocol) -> String? {
        for suffix in ["Thread", "Worker", "Inbox"] where type.hasSuffix(suffix) && type.count > suffix.count {
            return String(type.dropLast(suffix.count))
        }
        return nil
    }

    /// The edges from each thread to those whose types its own files name. All threads are made with `NamedThread`.
    private func edges() throws -> Set<Edge> {
        var edges: Set<Edge> = []
        for file in try tree.swiftFiles(in: "Sources") where !["Exporter", "lkpush-bench"].contains(file.target) {
            let words = code(file).matches(of: #/\b[A-Z]\w*(?:Thread|Worker|Inbox)\b/#)
            let others = Set(words.compactMap { thread(of: $0.0) }).subtracting(["Named"])
            let own = Set(declared(in: file).compactMap { thread(of: $0) })
            for from in own { for to in others where from != to { edges.insert(Edge(from: from, to: to)) } }
        }
        return edges
    }

    @Test func `no circle of threads knows itself`() throws {
        let edges = try edges()
        #expect(edges.contains(Edge(from: "Recorder", to: "Journal")))
        #expect(edges.contains(Edge(from: "Journal", to: "Store")))
        var left = edges
        // Edges from threads that nobody knows are removed, until nothing is left or a circle is.
        while true {
            let known = Set(left.map(\.to))
            let rest = left.filter { known.contains($0.from) }
            if rest.count == left.count { break }
            left = rest
        }
        #expect(left.isEmpty, "a circle: \(left.sorted())")
    }

    @Test func `the article shows which thread knows which`() throws {
        let lines = try tree.section("Who knows whom", of: "Architecture")
        let shown = lines.compactMap { line -> [Edge]? in
            let sides = line.split(separator: " -> ")
            guard sides.count == 2 else { return nil }
            let from = sides[0].trimmingCharacters(in: .whitespaces)
            return sides[1].split(separator: ",").map {
                Edge(from: from, to: $0.trimmingCharacters(in: .whitespaces))
            }
        }
        let edges = try edges()
        #expect(Set(shown.flatMap { $0 }) == edges, "the sources say: \(edges.sorted())")
    }

    @Test func `a stage of the pipeline names no type of a later one`() throws {
        let files = try tree.swiftFiles(in: "Sources/Pipeline")
        func stage(_ file: SourceTree.File) throws -> Int {
            let folder = file.path.split(separator: "/").dropLast().last.map(String.init) ?? ""
            return try #require(Self.stages.firstIndex(of: folder), "\(file.path) lies in no stage")
        }
        var place: [String: Int] = [:]
        for file in files {
            // Only types at the top level count: a nested one may have a plain name.
            for match in code(file).matches(of: #/(?m)^(?:[a-z]+ )*(?:struct|class|enum|protocol) ([A-Z]\w+)/#) {
                place[String(match.1)] = try stage(file)
            }
        }
        #expect(place.count > 30)
        for file in files {
            let own = try stage(file)
            for word in Set(code(file).matches(of: #/\b[A-Z]\w+\b/#).map { String($0.0) }) {
                if let other = place[word] {
                    #expect(other <= own, "\(file.path) names \(word) of \(Self.stages[other])")
                }
            }
        }
    }

    @Test func `only an engine of the journal says that a commit ended well`() throws {
        for file in try tree.swiftFiles(in: "Sources") where !file.target.hasPrefix("Journal") {
            #expect(!code(file).contains("CommitReceipt("), "\(file.path) makes a receipt")
        }
    }
}
