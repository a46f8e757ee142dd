package import Journal
package import Metrics
package import Platform
import Storage
import Wire

/// The one door of the store thread: rows of the journal thread, lookups of the recorder, and the stop. Nobody waits for
/// the database here; two calls wait for the thread, at the start and at the end.
package final class StoreInbox: Sendable {
    /// Everything that waits for the thread, and what its callers have to know of it.
    struct Mail {
        var rows: RowBuffer
        /// Rows that wait on disk for room in memory.
        var rowsOnDisk = 0
        /// Rows may come that are counted nowhere yet: a stop waits for them.
        var areRowsExpected = false
        /// Rows that are left at the end are kept for the next process.
        var areRowsKept = false
        /// Rooms to look up, in the order they were asked for, each once.
        private var rooms = Deque<String>()
        private var asked: Set<ExactText> = []
        /// The database was tried once: it works, or it is known not to.
        var isTried = false
        /// Who is in a room has to be asked, once.
        var wantsPresence = false
        /// A stop was asked for; rows are drained until then.
        var stopBy: MonotonicTime?
        /// The thread is done; so many rows are left.
        var rowsLeft: Int?

        init(rows: RowBuffer) { self.rows = rows }

        /// All rows that are not applied.
        var rowsWaiting: Int { rows.count + rowsOnDisk }

        /// Rooms wait for an answer.
        var hasLookups: Bool { !rooms.isEmpty }
        var lookupCount: Int { rooms.count }

        /// False where too many wait.
        mutating func ask(_ room: String, limit: Int) -> Bool {
            if asked.contains(ExactText(room)) { return true }
            guard rooms.count < limit else { return false }
            asked.insert(ExactText(room))
            rooms.append(room)
            return true
        }

        /// The first `limit` rooms; they wait until they are `answered`.
        func pending(limit: Int) -> [String] { Array(rooms.all.prefix(limit)) }

        /// The first room has its answer.
        mutating func answered() {
            if let room = rooms.popFirst() { asked.remove(ExactText(room)) }
        }
    }

    let mail: Monitor<Mail>
    let metrics: StoreMetrics
    private let settings: StoreSettings
    private let log: Log

    /// Declares the metrics of the store; traps where the registry has a store already.
    package init(_ settings: StoreSettings, registry: Registry, log: Log) {
        // Until a journal says otherwise, rows are named by the process that makes them.
        let mail = Monitor(Mail(rows: RowBuffer(capacity: settings.rowsWaiting, name: RandomID.make())))
        let metrics = StoreMetrics(in: registry)
        self.mail = mail
        self.metrics = metrics
        self.settings = settings
        self.log = log
        registry.onRead { [weak mail] in
            metrics.waiting?.set(mail?.withLock { $0.rowsWaiting } ?? 0)
        }
    }

    // MARK: Journal

    /// Says under which name rows are written: before the first of them, and where that changes.
    func use(_ lineage: RowLineage, beganAfter number: Int64, appliedInput: Int64) {
        mail.change { $0.rows.use(lineage, beganAfter: number, appliedInput: appliedInput) }
    }

    /// Takes rows for the database, in the order of their numbers; never waits. Where too many wait, the oldest are given
    /// up and counted.
    package func store(_ rows: Committed<[NumberedRow]>) {
        var lost = 0
        mail.changeWakingIfNeeded { [full = settings.rowsInBatch] mail in
            let before = mail.rows.count
            lost = rows.value.reduce(0) { $0 + mail.rows.append($1) }
            // The first row starts the wait for others, a full batch ends it.
            return before == 0 || before < full && mail.rows.count >= full
        }
        guard lost > 0 else { return }
        noteGivenUp(lost)
        log.throttled(.error, "rows for the database given up: too many wait", ["limit": .int(settings.rowsWaiting)])
    }

    /// Counts rows that the journal gave up.
    func noteGivenUp(_ count: Int) { metrics.count(.given_up, count) }

    /// Says where other rows are.
    ///
    /// - Parameters:
    ///   - onDisk: rows that wait on disk for room in memory.
    ///   - areExpected: rows may come that are counted nowhere yet: a stop waits for them.
    ///   - areKept: rows that are left at the end are kept for the next process.
    func noteRows(onDisk count: Int, areExpected: Bool, areKept: Bool) {
        mail.change { mail in
            mail.rowsOnDisk = count
            mail.areRowsExpected = areExpected
            mail.areRowsKept = areKept
        }
    }

    /// Rows that are in memory.
    var rowsInMemory: Int { mail.withLock { $0.rows.count } }

    /// The rows in memory that come after this number.
    func rows(after number: Int64) -> [NumberedRow] { mail.withLock { $0.rows.rows(after: number) } }

    // MARK: Recorder

    /// Asks whose room it is; never waits. The answer comes once, however often it is asked for meanwhile.
    ///
    /// False where too many lookups wait: then no answer will come.
    package func lookUp(room: String) -> Bool {
        let isAsked = mail.change { $0.ask(room, limit: StoreSettings.Limits.lookupsWaiting) }
        if !isAsked { metrics.unasked?.increment() }
        return isAsked
    }

    /// Asks who is in a room, as soon as the database answers; never waits.
    package func askForPresence() { mail.change { $0.wantsPresence = true } }

    // MARK: Start and stop

    /// Waits until the database was tried once, whatever came of it, but no longer than `deadline`.
    package func awaitFirstAttempt(until deadline: MonotonicTime) {
        _ = mail.wait(until: deadline) { $0.isTried ? true : nil }
    }

    /// Rows that wait for the database, in memory and on disk.
    package var rowsWaiting: Int { mail.withLock { $0.rowsWaiting } }
}
