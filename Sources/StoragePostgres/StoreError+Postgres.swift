import Storage

extension StoreError {
    /// What the server says, without any value of a parameter. `isAlive` is false where the connection is gone with it.
    init(_ operation: String, _ result: borrowing QueryResult, isAlive: Bool) {
        let code = result.errorField(.code) ?? ""
        let function = result.errorField(.function)
        let isRaised = code == "P0001" || function == "exec_stmt_raise"
        // A prepared statement whose tables changed is prepared anew on a new connection.
        let isStale = code == "0A000" && function == "RevalidateCachedQuery"
        // The message may be in any language, and is of no use to tell the two apart.
        let isPolicy =
            code == Self.insufficientPrivilege && ["ExecWithCheckOptions", "check_enable_rls"].contains(function)
        let kind: Kind =
            if !isAlive || isStale || Self.isLoss(code) {
                .connectionLost
            } else if Self.isRefusal(code) || isRaised && !Self.isTrouble(code) {
                .refused
            } else {
                .other
            }
        let message = result.errorField(.message) ?? "no answer that libpq understands"
        let text: String
        if isRaised {
            // The words are the trigger's own and may hold what it was given; where it is, is in the first line.
            let place = result.errorField(.context)?.split(separator: "\n").first { $0.hasPrefix("PL/pgSQL function") }
            text = "an exception was raised" + (place.map { " in \($0)" } ?? "")
        } else if code.hasPrefix("22") {
            // The value stands between quotes, which other languages write in other ways.
            let isPlain = message.utf8.allSatisfy { $0 < 0x80 }
            text = isPlain ? Redaction.withoutQuotations(message) : "a value that the column cannot hold"
        } else if isPolicy {
            text = message + "; that is a policy of row level security and no missing GRANT"
        } else {
            text = message
        }
        self.init(kind, operation: operation, code: code, text: text, isPolicy: isPolicy)
    }

    private static let insufficientPrivilege = "42501"

    /// The data cannot be stored: a value or constraint (22, 23), a view's check (44), a size that an index cannot hold
    /// (54000). https://www.postgresql.org/docs/15/errcodes-appendix.html
    private static func isRefusal(_ code: String) -> Bool {
        code.hasPrefix("22") || code.hasPrefix("23") || code.hasPrefix("44") || code == "54000"
    }

    /// A code that says, also where a trigger raises it, that the row itself is not to blame.
    private static func isTrouble(_ code: String) -> Bool {
        ["25", "40", "42", "53", "55", "58"].contains { code.hasPrefix($0) }
    }

    /// The connection is over, or of no more use: shut down (57P), idle in a transaction for too long (25P03), a server
    /// that became read-only (25006: another host may be the primary now), prepared statements that are gone (26000).
    private static func isLoss(_ code: String) -> Bool {
        // 08P01 with a connection that lives is a statement with other parameters than it was given.
        code.hasPrefix("08") && code != "08P01" || code.hasPrefix("57P") || code == "25P03" || code == "25006"
            || code == "26000"
    }
}
