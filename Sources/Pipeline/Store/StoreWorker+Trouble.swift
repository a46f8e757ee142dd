import Platform
import Storage
import Synchronization
import Wire

// The log lines about a database that does not work.

extension StoreWorker {
    /// Counts a failure, lets the operation wait, and logs it where it is news.
    func failed(_ operation: StoreOperation, _ error: StoreError) {
        let now = time.monotonic()
        metrics.failed(operation)
        schedule.failed(operation, at: now, chance: .random(in: 0...1))
        log.debug("the database failed", ["operation": .string(operation.rawValue), "error": .text(error)])
        let isGeneral = error.isGeneral || operation == .open || operation == .migrate
        let notice = trouble.failed(operation, isGeneral: isGeneral, at: now)
        let news = StoreAdvice.of(error, isGeneral: isGeneral)
        failures[operation] = (error, news, now)
        publish()
        switch notice {
        case .away(let untold):
            log.error(
                news.what,
                [
                    "operation": .string(operation.rawValue), "error": .text(error), "rows_waiting": .int(rowsWaiting),
                    "lookups_waiting": .int(mail.withLock { $0.lookupCount }), "troubles_not_told": .int(untold),
                    "action": news.field,
                ])
        case .stillAway(let duration):
            let advice = StoreAdvice.stillAway
            log.warning(
                advice.what,
                [
                    "away_ms": .milliseconds(duration), "operation": .string(operation.rawValue), "error": .text(error),
                    "rows_waiting": .int(rowsWaiting), "action": advice.field,
                ])
        case .failing(let untold):
            log.error(
                news.what,
                [
                    "operation": .string(operation.rawValue), "error": .text(error), "rows_waiting": .int(rowsWaiting),
                    "troubles_not_told": .int(untold), "action": news.field,
                ])
        case .stillFailing(let duration):
            let advice = StoreAdvice.stillFailing
            log.warning(
                advice.what,
                [
                    "failing_ms": .milliseconds(duration), "operation": .string(operation.rawValue),
                    "error": .text(error), "rows_waiting": .int(rowsWaiting), "action": advice.field,
                ])
        case .back, .doesAgain, nil: break
        }
    }

    /// Publishes what fails now. It costs nothing while all is well and was well.
    private func publish() {
        let failing = trouble.failing
        if failing.isEmpty && failures.isEmpty { return }
        failures = failures.filter { failing.contains($0.key) }
        let last = failures.values.max { $0.at < $1.at }
        let (wall, now) = (time.now(), time.monotonic())
        inbox.published.withLock { condition in
            condition.failing = StoreOperation.allCases.filter { failing.contains($0) }.map(\.rawValue)
            condition.since = trouble.since.map { wall - now.since($0) }
            condition.error = last.map { "\($0.error)" } ?? ""
            condition.advice = last?.advice
        }
    }

    /// Notes a success, and logs it where the operation had failed.
    func succeeded(_ operation: StoreOperation) {
        let idle: Set<StoreOperation> = mail.withLock { mail in
            var idle: Set<StoreOperation> = []
            if !mail.hasLookups { idle.insert(.lookup) }
            if !mail.wantsPresence { idle.insert(.restore) }
            return idle
        }
        let notice = trouble.succeeded(operation, idle: idle, at: time.monotonic())
        publish()
        guard case .doesAgain(let duration, let failures) = notice else { return }
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
