package import Metrics
package import Platform
package import Storage

/// The `store` thread: owns the database, takes rows to it, and brings organizations and reports back.
///
/// Any thread may hand rows and lookups over; nobody ever waits for the database. The database is opened on the thread,
/// when it is first needed, and opened again with a growing delay after it was lost. Rows wait meanwhile, in order; when
/// too many wait, the oldest are given up and counted.
package final class StoreLoop: Sendable {
    /// How a stop ended.
    package struct Stopped: Sendable, Equatable {
        /// Rows that did not reach the database.
        package let rowsLeft: Int
        /// The thread is gone. If not, a call of the database did not return in time.
        package let isFinished: Bool

        package init(rowsLeft: Int, isFinished: Bool) {
            self.rowsLeft = rowsLeft
            self.isFinished = isFinished
        }
    }

    private let mail: Monitor<StoreMail>
    private let settings: StoreSettings
    private let instruments: StoreInstruments
    private let log: Log
    private let interruption: Interruption
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - journal: keeps the rows that are not in memory; nil where there is no disk for them.
    ///   - interruption: ends the wait of the databases that `open` makes.
    ///   - answer: called on the store thread; it must not wait.
    package init(
        settings: StoreSettings, open: @escaping StoreDriver.Open, journal: CommitQueue? = nil, registry: Registry,
        log: Log, time: any TimeSource = SystemTime(), interruption: Interruption = Interruption(),
        answer: @escaping @Sendable (StoreAnswer) -> Void
    ) {
        let mail = Monitor(StoreMail(capacity: settings.rowsWaiting))
        let instruments = StoreInstruments(in: registry)
        self.mail = mail
        self.settings = settings
        self.instruments = instruments
        self.log = log
        self.interruption = interruption
        registry.onRead { [weak mail] in
            instruments.waiting?.set((mail?.withLock { $0.outbox.count } ?? 0) + (journal?.rowsOnDisk ?? 0))
        }
        thread = NamedThread(name: "store") {
            StoreWorker(
                mail: mail, settings: settings, open: open, journal: journal, instruments: instruments, log: log,
                time: time,
                answer: answer
            ).run()
        }
    }

    /// Says who numbers the rows: before the first of them, and where that changes.
    func use(_ lineage: RowLineage, beganAfter number: Int64, appliedInput: Int64) {
        mail.change { $0.outbox.use(lineage, beganAfter: number, appliedInput: appliedInput) }
    }

    /// Hands the row over that follows the newest; never waits. Where too many wait, the oldest is given up.
    package func store(_ row: StoreRow) {
        give(up: mail.change { $0.outbox.append(row) })
    }

    /// Hands rows over that a journal numbers.
    func store(_ rows: [NumberedRow]) {
        var lost = 0
        mail.changeWakingIfNeeded { [full = settings.rowsInBatch] mail in
            let before = mail.outbox.count
            lost = rows.reduce(0) { $0 + mail.outbox.append($1) }
            // The first row starts the wait for others, a full batch ends it.
            return before == 0 || before < full && mail.outbox.count >= full
        }
        give(up: lost)
    }

    private func give(up count: Int) {
        guard count > 0 else { return }
        instruments.count(.given_up, count)
        log.throttled(.error, "rows for the database given up: too many wait", ["limit": .int(settings.rowsWaiting)])
    }

    /// Counts rows that the journal gave up.
    func noteGivenUp(_ count: Int) { instruments.count(.given_up, count) }

    /// Rows that are in memory.
    var rowsInMemory: Int { mail.withLock { $0.outbox.count } }

    /// The rows in memory that come after this number.
    func rows(after number: Int64) -> [NumberedRow] { mail.withLock { $0.outbox.rows(after: number) } }

    /// Asks whose room it is; never waits. The answer comes once, however often it is asked for meanwhile.
    ///
    /// False where too many lookups wait: then no answer will come.
    package func lookUp(room: String) -> Bool {
        let isAsked = mail.change { $0.ask(room, limit: StoreSettings.Limits.lookupsWaiting) }
        if !isAsked { instruments.unasked?.increment() }
        return isAsked
    }

    /// Asks who is in a room, as soon as the database answers; never waits.
    func askForPresence() { mail.change { $0.wantsPresence = true } }

    /// Waits until the database was tried once, whatever came of it, but no longer than `deadline`.
    package func awaitFirstAttempt(until deadline: MonotonicTime) {
        _ = mail.wait(until: deadline) { $0.isTried ? true : nil }
    }

    /// Rows that wait for the database.
    package var rowsWaiting: Int { mail.withLock { $0.outbox.count } }

    /// Ends the thread. Rows are drained into a database that works until `deadline`; call it once, after the last row.
    package func stop(by deadline: MonotonicTime) -> Stopped {
        mail.change { $0.stopBy = deadline }
        if let left = mail.wait(until: deadline, { $0.rowsLeft }) {
            thread.join()
            return Stopped(rowsLeft: left, isFinished: true)
        }
        // One statement may be waiting: over the network until it is interrupted, for a lock of a file until the
        // database's own time-out.
        interruption.interrupt()
        guard let left = mail.wait(until: deadline + .seconds(2), { $0.rowsLeft }) else {
            return Stopped(rowsLeft: rowsWaiting, isFinished: false)
        }
        thread.join()
        return Stopped(rowsLeft: left, isFinished: true)
    }
}
