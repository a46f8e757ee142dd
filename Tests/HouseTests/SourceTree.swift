import Foundation

/// The package's own files, found from where this one lies.
struct SourceTree {
    struct File {
        /// From the package's root: `Sources/Wire/Timestamp.swift`.
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
}
