import Glibc

/// The families of metrics that are pushed: those that a glob includes, or all, but those that a glob excludes.
///
/// A glob is matched against the whole name of a family. A histogram is one family: `x` leaves out `x_bucket`, `x_sum`
/// and `x_count`, and a glob over those names leaves out nothing. The series `up` is no family, and is always pushed.
package struct FamilySelection: Sendable, Equatable {
    /// The reason why a text is no glob that can match the name of a family.
    package enum GlobFault: Error, Sendable, Equatable, CustomStringConvertible {
        case openBracket
        /// A character that is neither part of a name nor of a glob.
        case character(Character)

        package var description: String {
            switch self {
            case .openBracket: "is no glob: [ without a ]"
            case .character(let character): "holds \(character); a glob has letters, digits, _, :, *, ? and [...]"
            }
        }
    }

    /// Empty if all families are pushed that are not excluded.
    private let included: [String]
    private let excluded: [String]

    /// Includes the families whose names match any of the globs, all without any, and of them excludes those whose
    /// names match any of the others. Without globs everything is pushed.
    package init(including included: [String] = [], excluding excluded: [String] = []) {
        self.included = included
        self.excluded = excluded
    }

    /// True if the series of this family are pushed.
    package func includes(_ family: String) -> Bool {
        (included.isEmpty || Self.matches(family, anyOf: included)) && !Self.matches(family, anyOf: excluded)
    }

    /// The globs that match none of the families: they are probably mistyped.
    package static func globsWithoutMatch(_ globs: [String], in families: [String]) -> [String] {
        globs.filter { glob in !families.contains { matches($0, glob) } }
    }

    private static func matches(_ name: String, anyOf globs: [String]) -> Bool { globs.contains { matches(name, $0) } }

    /// Throws if the text is no glob. `fnmatch` takes any text, and one with a fault just matches nothing.
    package static func check(_ glob: String) throws(GlobFault) {
        var rest = glob[...]
        while let character = rest.popFirst() {
            switch character {
            case "*", "?", "_", ":": continue
            case _ where character.isASCII && (character.isLetter || character.isNumber): continue
            case "[":
                // The first character of a set may be a bracket itself: it does not end the set.
                guard let end = rest.dropFirst(rest.hasPrefix("!") || rest.hasPrefix("^") ? 2 : 1).firstIndex(of: "]")
                else { throw .openBracket }
                rest = rest[rest.index(after: end)...]
            default: throw .character(character)
            }
        }
    }

    /// Wraps `fnmatch`. https://man7.org/linux/man-pages/man3/fnmatch.3.html
    private static func matches(_ name: String, _ glob: String) -> Bool { fnmatch(glob, name, FNM_NOESCAPE) == 0 }
}
