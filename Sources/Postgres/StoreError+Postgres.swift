import Storage

extension StoreError {
    /// The server's error, without any value of a parameter. `isAlive` is false if the connection was lost with it.
    init(_ operation: String, _ result: borrowing QueryResult, isAlive: Bool) {
        let code = result.errorField(.code) ?? ""
        let function = result.errorField(.function)
        let isRaised = code == "P0001" || function == "exec_stmt_raise"
        // The tables of a prepared statement have changed. It must be prepared anew, on a new connection.
        let isStale = code == "0A000" && function == "RevalidateCachedQuery"
        // The message may be in any language, so it cannot show whether this is a policy or a missing GRANT.
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
            // The message is the trigger's own and may hold values that it was given. The first line of the context
            // names the place.
            let place = result.errorField(.context)?.split(separator: "\n").first { $0.hasPrefix("PL/pgSQL function") }
            text = "an exception was raised" + (place.map { " in \($0)" } ?? "")
        } else if code.hasPrefix("22") {
            // The message quotes the value, and other languages use other quotation marks.
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

    /// True if the data cannot be stored: a value or constraint (22, 23), a view's check (44), a size that an index
    /// cannot hold (54000). https://www.postgresql.org/docs/15/errcodes-appendix.html
    private static func isRefusal(_ code: String) -> Bool {
        code.hasPrefix("22") || code.hasPrefix("23") || code.hasPrefix("44") || code == "54000"
    }

    /// True for codes that do not blame the row itself, even if a trigger raises them.
    private static func isTrouble(_ code: String) -> Bool {
        ["25", "40", "42", "53", "55", "58"].contains { code.hasPrefix($0) }
    }

    /// True if the connection is over or useless: shut down (57P), idle in a transaction for too long (25P03), the
    /// server became read-only (25006: another host may be the primary now), prepared statements are gone (26000).
    private static func isLoss(_ code: String) -> Bool {
        // 08P01 on a live connection means a wrong number of parameters, so it does not count.
        code.hasPrefix("08") && code != "08P01" || code.hasPrefix("57P") || code == "25P03" || code == "25006"
            || code == "26000"
    }
}
