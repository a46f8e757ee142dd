import Synchronization

/// A compiled regular expression with named groups, safe to use on texts from strangers.
///
/// Any thread may use it; one match at a time runs, in memory that is made once. A match takes bounded time and
/// memory whatever the text: see `Limits`. Perl syntax, UTF-8. https://www.pcre.org/current/doc/html/pcre2pattern.html
package final class Pattern: Sendable {
    package enum Limits {
        /// Longest expression, in bytes: what fits an environment variable that people still read.
        package static let pattern_bytes = 4_096
        /// Longest text that is looked at, in bytes: LiveKit's room names have at most 256 characters.
        package static let text_bytes = 4_096
        /// Steps of one match: some milliseconds, where an honest match takes some dozens.
        package static let steps: UInt32 = 100_000
        /// Nesting of backtracking points.
        package static let depth: UInt32 = 10_000
        /// Memory for backtracking, in KiB.
        package static let heap_kibibytes: UInt32 = 1_024
    }

    /// What became of a match.
    package enum Outcome: Sendable, Equatable {
        /// What each named group matched; a group that took no part is absent.
        case matched([String: String])
        case notMatched
        /// A limit was reached before the answer was known.
        case gaveUp
    }

    /// The expression as it was written.
    package let text: String
    /// Names of its groups, sorted.
    package let groupNames: [String]
    private let program: Mutex<CompiledPattern>

    /// - Throws: what is wrong with the expression, and where.
    package init(_ text: String) throws(PatternFault) {
        let compiled = try CompiledPattern(text)
        self.text = text
        groupNames = Set(compiled.groups.map(\.name)).sorted()
        program = Mutex(compiled)
    }

    /// Searches `text` for the expression; it may match anywhere unless it is anchored.
    package func match(_ text: String) -> Outcome {
        guard text.utf8.count <= Limits.text_bytes else { return .gaveUp }
        return program.withLock { $0.match(text) }
    }
}
