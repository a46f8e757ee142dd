import Synchronization

/// A compiled regular expression with named groups that is safe to match against texts from strangers.
///
/// Any thread may use it. One match runs at a time, in memory that is allocated once. A match takes bounded time and
/// memory for every text: see `Limits`. The syntax is Perl's, the encoding UTF-8.
/// https://www.pcre.org/current/doc/html/pcre2pattern.html
package final class Pattern: Sendable {
    package enum Limits {
        /// The longest expression in bytes: it fits an environment variable that people can still read.
        package static let pattern_bytes = 4_096
        /// The longest text in bytes. LiveKit's room names have at most 256 characters.
        package static let text_bytes = 4_096
        /// The most steps of one match. They take some milliseconds; an ordinary match needs some dozens.
        package static let steps: UInt32 = 100_000
        /// The deepest nesting of backtracking points.
        package static let depth: UInt32 = 10_000
        /// The most memory for backtracking, in KiB.
        package static let heap_kibibytes: UInt32 = 1_024
    }

    /// The result of a match.
    package enum Outcome: Sendable, Equatable {
        /// The text of each named group. A group that took no part is absent.
        case matched([String: String])
        case notMatched
        /// A limit was reached before the result was known.
        case gaveUp
    }

    /// The expression as the user wrote it.
    package let text: String
    /// The names of its groups, sorted.
    package let groupNames: [String]
    private let program: Mutex<CompiledPattern>

    /// - Throws: a message about the mistake in the expression, and its offset.
    package init(_ text: String) throws(PatternFault) {
        let compiled = try CompiledPattern(text)
        self.text = text
        groupNames = Set(compiled.groups.map(\.name)).sorted()
        program = Mutex(compiled)
    }

    /// Searches `text` for the expression. It may match anywhere unless the expression is anchored.
    package func match(_ text: String) -> Outcome {
        guard text.utf8.count <= Limits.text_bytes else { return .gaveUp }
        return program.withLock { $0.match(text) }
    }
}
