import Foundation

/// A part of a document that the program writes. `UPDATE_GOLDEN=1` rewrites it, and a reviewer reads the difference.
package struct GeneratedPart {
    private let path: String
    private let name: String

    /// - Parameters:
    ///   - document: the path of the document in the repository.
    ///   - name: the part lies between `<!-- name -->` and `<!-- /name -->`.
    package init(_ name: String, of document: String) {
        self.name = name
        path = Repository.root + "/" + document
    }

    /// The document has no such part.
    package struct Missing: Error {}

    /// The part as it is in the document. If it is to be rewritten, it is `expected` afterwards.
    package func text(expected: String) throws -> String {
        var text = try String(contentsOfFile: path, encoding: .utf8)
        guard let start = text.range(of: "<!-- \(name) -->\n"), let end = text.range(of: "<!-- /\(name) -->") else {
            throw Missing()
        }
        let found = String(text[start.upperBound..<end.lowerBound])
        guard ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1", found != expected else { return found }
        text.replaceSubrange(start.upperBound..<end.lowerBound, with: expected)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return expected
    }
}
