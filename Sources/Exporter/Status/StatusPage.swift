import LiveKit
import Wire

/// The status page: one document with its style and its script, and the policy that allows nothing else.
package struct StatusPage: Sendable {
    package let html: [UInt8]
    /// The value of `Content-Security-Policy`. https://www.w3.org/TR/CSP3/
    package let policy: String

    /// The files that take the places of their marks in `status.html`, such as `/*text.js*/`.
    private static let parts: [(name: String, bytes: [UInt8])] = [
        ("status.css", PackageResources.status_css),
        ("text.js", PackageResources.text_js),
        ("elements.js", PackageResources.elements_js),
        ("plots.js", PackageResources.plots_js),
        ("tables.js", PackageResources.tables_js),
        ("health.js", PackageResources.health_js),
        ("sections.js", PackageResources.sections_js),
        ("destinations.js", PackageResources.destinations_js),
        ("entries.js", PackageResources.entries_js),
        ("status.js", PackageResources.status_js),
    ]

    /// Puts the page together. A mark without a file, and a file without a mark, trap: they are mistakes of ours.
    package init() {
        var page = String(decoding: PackageResources.status_html, as: UTF8.self)
        for (name, bytes) in Self.parts {
            let mark = "/*\(name)*/"
            precondition(page.contains(mark), "the page has no place for \(name)")
            page = page.replacing(mark, with: String(decoding: bytes, as: UTF8.self))
        }
        html = Array(page.utf8)
        policy = """
            default-src 'none'; connect-src 'self'; img-src data:; script-src '\(Self.hash("script", page))'; \
            style-src '\(Self.hash("style", page))'; frame-ancestors 'none'; base-uri 'none'
            """
    }

    /// The name of the contents of the one element of this kind.
    /// https://www.w3.org/TR/CSP3/#grammardef-hash-source
    private static func hash(_ element: String, _ page: String) -> String {
        guard let start = page.firstRange(of: "<\(element)>"), let end = page.firstRange(of: "</\(element)>") else {
            preconditionFailure("the page has no \(element)")
        }
        let contents = Array(page[start.upperBound..<end.lowerBound].utf8)
        return "sha256-" + String(decoding: Digest(of: contents.span).text(.standard), as: UTF8.self)
    }
}
