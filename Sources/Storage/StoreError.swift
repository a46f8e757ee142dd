/// What the database did not do. Values of parameters and credentials never appear in it.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Kind: Sendable, Equatable {
        /// The connection is gone and must be made again.
        case connectionLost
        /// The data cannot be stored, now or ever: PostgreSQL's SQLSTATE classes 22 and 23, SQLite's constraints.
        /// https://www.postgresql.org/docs/15/errcodes-appendix.html
        case refused
        /// Anything else: it may work later.
        case other
    }

    package let kind: Kind
    /// What was attempted, such as `step`.
    package let operation: String
    /// SQLSTATE, or SQLite's extended result code; empty where lkpush itself says no.
    package let code: String
    /// What the database says about it.
    package let text: String
    /// A policy of row level security is in the way, which has the SQLSTATE of a right that was not granted. What it
    /// refuses depends on the row, but the policy is what is wrong: lkpush writes for everybody. So the row waits, as for
    /// a missing right, and none is lost.
    package let isPolicy: Bool

    package init(_ kind: Kind, operation: String, code: String = "", text: String, isPolicy: Bool = false) {
        self.kind = kind
        self.operation = operation
        self.code = code
        self.text = text
        self.isPolicy = isPolicy
    }

    /// Whether the database as a whole does not work, and not this operation alone: the connection is gone, a statement
    /// took too long (57014), resources (53), the system (58) or the server itself (XX) fail.
    /// https://www.postgresql.org/docs/15/errcodes-appendix.html
    package var isGeneral: Bool {
        kind == .connectionLost || code == "57014" || ["53", "58", "XX"].contains { code.hasPrefix($0) }
    }

    /// PostgreSQL's code for a right that the role lacks: `insufficient_privilege`.
    static let forbidden = "42501"

    package var description: String {
        code.isEmpty ? "\(operation): \(text)" : "\(operation): \(text) (\(code))"
    }
}
