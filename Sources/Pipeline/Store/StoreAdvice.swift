import Platform
import Storage

/// The troubles of the database, each with the way to repair it.
enum StoreAdvice {
    static var away: Advice {
        Advice(
            what: "the database does not work: rows and lookups wait until it does, webhooks do not; see the error",
            action: lookAtServer)
    }

    static var stillAway: Advice {
        Advice(what: "the database still does not work: rows and lookups wait", action: lookAtServer)
    }

    static var failing: Advice {
        Advice(
            what: """
                the database answers, but fails an operation: it is tried again, the rest goes on; see the error
                """,
            action: lookAtOperation)
    }

    static var stillFailing: Advice {
        Advice(what: "the database still fails an operation", action: lookAtOperation)
    }

    static var policy: Advice {
        Advice(
            what: "a policy of row level security refuses what lkpush does: rows wait, none is lost",
            action: """
                let lkpush's role bypass row level security, or give it a policy that lets everything through, see \
                lkpush check
                """)
    }

    /// The advice about a failure that is news.
    static func of(_ error: StoreError, isGeneral: Bool) -> Advice {
        if error.isPolicy { return policy }
        let usual = isGeneral ? away : failing
        if error.code == StoreError.forbidden { return Advice(what: usual.what, action: lookAtOperation) }
        return lookAtFile(error).map { Advice(what: usual.what, action: $0) } ?? usual
    }

    /// The way to repair the file of an embedded database. Nil if something else is wrong.
    /// https://www.sqlite.org/rescode.html#primary_result_codes_versus_extended_result_codes
    private static func lookAtFile(_ error: StoreError) -> String? {
        guard error.code.hasPrefix("sqlite "), let code = Int(error.code.dropFirst("sqlite ".count)) else { return nil }
        switch code & 0xFF {
        case 13: return "make room on the file system of the database's file: without DATABASE_URL it is in STATE_DIR"
        case 8, 14:
            return """
                let lkpush write to the database's file and its folder: see owner, mode, and how the file system is mounted; \
                without DATABASE_URL it is in STATE_DIR; lkpush check says what is missing
                """
        case 10, 11, 26: return "see whether the disk of the database's file has errors: the kernel's log tells"
        default: return nil
        }
    }

    private static let lookAtServer = """
        see whether the database runs and can be reached from here, and whether DATABASE_URL is right; lkpush check says \
        what is missing
        """
    private static let lookAtOperation = """
        run lkpush check: it names a missing table, column or right; see the database's own log for a statement that takes \
        too long
        """
}
