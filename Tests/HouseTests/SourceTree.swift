import Foundation

/// The files of this package, found from the place of this file.
struct SourceTree {
    struct File {
        /// The path from the package's root, such as `Sources/Wire/Timestamp.swift`.
        let path: String
        let lines: [Substring]

        /// The target's name, for a file in `Sources`.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    let root: URL

    init(filePath: String = #filePath) {
        root = URL(fileURLWithPath: filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// All Swift files below a folder, sorted.
    func swiftFiles(in folder: String) throws -> [File] {
        let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?
            .compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted()
        return try (paths ?? []).map { path in
            File(
                path: "\(folder)/\(path)",
                lines: try text("\(folder)/\(path)").split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    /// The lines of a section of an article, from its title to the next one.
    func section(_ title: String, of article: String) throws -> [Substring] {
        let lines = try text("Sources/lkpush/Documentation.docc/\(article).md")
            .split(separator: "\n", omittingEmptySubsequences: false)
        let start = lines.firstIndex { $0 == "## \(title)" } ?? lines.endIndex
        return lines[start...].dropFirst().prefix { !$0.hasPrefix("## ") }.map { $0 }
    }

    /// The layer of each target. The article *Architecture* is the one place where layers stand.
    func layers() throws -> [String: Int] {
        var layers: [String: Int] = [:]
        for line in try section("Layers", of: "Architecture") {
            let cells = line.split(separator: "|")
            guard cells.count > 1, let layer = Int(cells[0].filter { $0 != " " }) else { continue }
            for target in cells[1].matches(of: #/`([\w-]+)`/#) { layers[String(target.1)] = layer }
        }
        return layers
    }
}
