/// The `Accept` header: the media types that a client accepts.
/// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
package struct AcceptHeader: Sendable {
    package enum Limits {
        /// The most media ranges that are read. Prometheus sends four.
        static let ranges = 64
    }

    /// A client's preference for a media type.
    package struct Preference: Sendable, Equatable {
        /// From 0, which means not acceptable, to 1.
        package let quality: Double
        /// The client named this very type, and not only a pattern such as `*/*`.
        package let isNamed: Bool
    }

    private struct Range {
        /// In lower case: `text/plain`, `text/*` or `*/*`, for example.
        let type: String
        let version: String?
        let quality: Double

        /// Returns how precisely the range matches a type; nil if it does not. Only the parameter `version`
        /// distinguishes types here.
        func precision(for type: String, version: String) -> Int? {
            if self.type == "*/*" { return 0 }
            if self.type.hasSuffix("/*") { return type.hasPrefix(self.type.dropLast()) ? 1 : nil }
            guard self.type == type else { return nil }
            guard let named = self.version else { return 2 }
            return named == version ? 3 : nil
        }
    }

    private let ranges: [Range]

    /// Reads the header's value and skips malformed parts.
    package init(_ text: String) {
        ranges = text.split(separator: ",", maxSplits: Limits.ranges).prefix(Limits.ranges).compactMap(Self.range)
    }

    /// Returns the preference for a type and its version: that of the most precise range that matches, and 0 if none
    /// does.
    package func preference(for type: String, version: String) -> Preference {
        var best: (precision: Int, quality: Double)?
        for range in ranges {
            guard let precision = range.precision(for: type, version: version) else { continue }
            if let best, (best.precision, best.quality) >= (precision, range.quality) { continue }
            best = (precision, range.quality)
        }
        return Preference(quality: best?.quality ?? 0, isNamed: (best?.precision ?? 0) >= 2)
    }

    private static func range(_ text: Substring) -> Range? {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard let type = parts.first?.lowercased(), type.contains("/") else { return nil }
        var version: String?
        var quality = 1.0
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
            guard pair.count == 2 else { continue }
            switch pair[0].lowercased() {
            case "version": version = String(pair[1].drop { $0 == "\"" }.prefix { $0 != "\"" })
            case "q":
                guard let number = Double(pair[1]), (0...1).contains(number) else { return nil }
                quality = number
            default: break
            }
        }
        return Range(type: type, version: version, quality: quality)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
