import Platform
import Storage

// The log lines about a database that does not work.

extension StoreWorker {
    /// Counts a failure, lets the operation wait, and logs it where it is news.
    func failed(_ operation: StoreOperation, _ error: StoreError) {
        let now = time.monotonic()
        metrics.failed(operation)
        schedule.failed(operation, at: now, chance: .random(in: 0...1))
        log.debug("the database failed", ["operation": .string(operation.rawValue), "error": .text(error)])
        let isGeneral = error.isGeneral || operation == .open || operation == .migrate
        switch trouble.failed(operation, isGeneral: isGeneral, at: now) {
        case .away(let untold):
            log.error(
                error.isPolicy
                    ? Self.policy
                    : "the database does not work: rows and lookups wait until it does, webhooks do not; see the error",
                [
                    "operation": .string(operation.rawValue), "error": .text(error), "rows_waiting": .int(rowsWaiting),
                    "lookups_waiting": .int(mail.withLock { $0.lookupCount }), "troubles_not_told": .int(untold),
                ])
        case .stillAway(let duration):
            log.warning(
                "the database still does not work: rows and lookups wait",
                [
                    "away_ms": .milliseconds(duration), "operation": .string(operation.rawValue), "error": .text(error),
                    "rows_waiting": .int(rowsWaiting),
                ])
        case .failing(let untold):
            log.error(
                error.isPolicy
                    ? Self.policy
                    : "the database answers, but fails an operation: it is tried again, the rest goes on; see the error",
                [
                    "operation": .string(operation.rawValue), "error": .text(error), "rows_waiting": .int(rowsWaiting),
                    "troubles_not_told": .int(untold),
                ])
        case .stillFailing(let duration):
            log.warning(
                "the database still fails an operation",
                [
                    "failing_ms": .milliseconds(duration), "operation": .string(operation.rawValue),
                    "error": .text(error), "rows_waiting": .int(rowsWaiting),
                ])
        case .back, .doesAgain, nil: break
        }
    }

    private static let policy: StaticString = """
        a policy of row level security refuses what lkpush does: rows wait, none is lost; let its role bypass row level \
        security, or give it a policy that lets everything through, see lkpush check
        """

    /// Notes a success, and logs it where the operation had failed.
    func succeeded(_ operation: StoreOperation) {
        let idle: Set<StoreOperation> = mail.withLock { mail in
            var idle: Set<StoreOperation> = []
            if !mail.hasLookups { idle.insert(.lookup) }
            if !mail.wantsPresence { idle.insert(.restore) }
            return idle
        }
        guard
            case .doesAgain(let duration, let failures) = trouble.succeeded(
                operation, idle: idle, at: time.monotonic())
        else { return }
        log.info(
            "the database does the operation again",
            [
                "operation": .string(operation.rawValue), "failing_ms": .milliseconds(duration),
                "failures": .int(failures),
            ])
    }

    /// Logs that the database works again, once the rows that waited for it are written.
    ///
    /// - Parameter isLast: this process writes no more rows.
    func tellReturn(isLast: Bool = false) {
        guard trouble.isReturning else { return }
        let waiting = rowsWaiting
        guard
            case .back(let duration, let failures, let rows) = trouble.returned(
                rowsWaiting: waiting, isLast: isLast, at: time.monotonic())
        else { return }
        log.info(
            "the database works again",
            [
                "away_ms": .milliseconds(duration), "failures": .int(failures), "rows_written": .int(rows),
                "rows_waiting": .int(waiting),
            ])
    }

    /// The number of rows that wait, in memory and on disk.
    private var rowsWaiting: Int { mail.withLock { $0.rowsWaiting } }
}
