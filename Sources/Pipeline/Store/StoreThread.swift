package import Platform
package import Storage

/// The `store` thread: owns the database, writes rows to it, and brings organizations and reports back.
///
/// Any thread may leave rows and look-ups in its inbox; nobody ever waits for the database. The thread opens the
/// database when it is first needed, and opens it again with a growing delay after it was lost. Meanwhile rows wait, in
/// order. When too many wait, the oldest are given up and counted.
package final class StoreThread: Sendable {
    /// The outcome of a stop.
    package struct Stopped: Sendable, Equatable {
        /// The number of rows that did not reach the database.
        package let rowsLeft: Int
        /// The thread has ended. If not, a call of the database did not return in time.
        package let isFinished: Bool

        package init(rowsLeft: Int, isFinished: Bool) {
            self.rowsLeft = rowsLeft
            self.isFinished = isFinished
        }
    }

    /// The warning about an optional table that cannot be used: what that costs, and what to do.
    package static func warning(withheld table: OptionalTable) -> StaticString {
        switch table {
        case .positions:
            """
            lkpush_outbox_positions cannot be used: rows are still written once, but an upgrade that changes what is counted \
            may skip or repeat some, and a copied STATE_DIR is found by numbers alone. Run `lkpush migrate` as the owner of the \
            tables, and GRANT SELECT, INSERT, UPDATE, DELETE on that table to this role
            """
        case .usage:
            """
            lkpush_usage_daily cannot be used: usage per organization and day waits in the state, within a bound, and lkpush \
            report does not show it; metrics and all other rows go on. Run `lkpush migrate` as the owner of the tables, and \
            GRANT SELECT, INSERT, UPDATE on that table to this role
            """
        }
    }

    /// Takes rows and look-ups.
    package let inbox: StoreInbox
    private let interruption: Interruption
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - interruption: ends the wait of the databases that `open` makes.
    ///   - answer: receives what the recorder asked for, on the store thread; it must not wait.
    ///   - progress: receives news about rows, on the store thread; it must not wait.
    package init(
        _ inbox: StoreInbox, settings: StoreSettings, open: @escaping OpenDatabase, clocks: ClockSkew = ClockSkew(),
        log: Log, time: any TimeSource = SystemTime(), interruption: Interruption = Interruption(),
        answer: @escaping @Sendable (StoreAnswer) -> Void,
        progress: @escaping @Sendable (RowProgress) -> Void = { _ in }
    ) {
        self.inbox = inbox
        self.interruption = interruption
        thread = NamedThread(name: "store") {
            StoreWorker(
                inbox, settings: settings, open: open, clocks: clocks, log: log, time: time, answer: answer,
                progress: progress
            ).run()
        }
    }

    /// Ends the thread. Rows are drained into a database that works until `deadline`. Call it once, after the last row.
    package func stop(by deadline: MonotonicTime) -> Stopped {
        let mail = inbox.mail
        mail.change { $0.stopBy = deadline }
        if let left = mail.wait(until: deadline, { $0.rowsLeft }) {
            thread.join()
            return Stopped(rowsLeft: left, isFinished: true)
        }
        // One statement may still wait: for the network until it is interrupted, or for a lock of a file until the
        // database's own time-out.
        interruption.interrupt()
        guard let left = mail.wait(until: deadline + .seconds(2), { $0.rowsLeft }) else {
            return Stopped(rowsLeft: mail.withLock { $0.rows.count }, isFinished: false)
        }
        thread.join()
        return Stopped(rowsLeft: left, isFinished: true)
    }
}
