/// A failed operation of the database. Parameter values and credentials never appear in it.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The classes of errors, by what the caller can do.
    package enum Kind: Sendable, Equatable {
        /// The connection is lost and must be opened again.
        case connectionLost
        /// The data can never be stored: PostgreSQL's SQLSTATE classes 22 and 23, and SQLite's constraints.
        /// https://www.postgresql.org/docs/15/errcodes-appendix.html
        case refused
        /// Any other error: the operation may work later.
        case other
    }

    package let kind: Kind
    /// The name of the operation, such as `step`.
    package let operation: String
    /// The SQLSTATE, or SQLite's extended result code; empty if lkpush itself refuses.
    package let code: String
    /// The database's message.
    package let text: String
    /// A policy of row level security refused the row, with the SQLSTATE of a missing right. Which row is refused
    /// depends on its data, but the mistake is in the policy: lkpush writes for all organizations. So the row waits, as
    /// it does for a missing right, and no row is lost.
    package let isPolicy: Bool

    package init(_ kind: Kind, operation: String, code: String = "", text: String, isPolicy: Bool = false) {
        self.kind = kind
        self.operation = operation
        self.code = code
        self.text = text
        self.isPolicy = isPolicy
    }

    /// The database as a whole does not work, and not only this operation: the connection is lost, a statement took too
    /// long (57014), or resources (53), the system (58) or the server itself (XX) failed.
    /// https://www.postgresql.org/docs/15/errcodes-appendix.html
    package var isGeneral: Bool {
        kind == .connectionLost || code == "57014" || ["53", "58", "XX"].contains { code.hasPrefix($0) }
    }

    /// PostgreSQL's code for a right that the role lacks: `insufficient_privilege`.
    package static let forbidden = "42501"

    package var description: String {
        code.isEmpty ? "\(operation): \(text)" : "\(operation): \(text) (\(code))"
    }
}
