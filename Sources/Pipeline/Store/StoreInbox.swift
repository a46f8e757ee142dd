package import Journal
package import Metrics
package import Platform
package import Status
import Storage
import Synchronization
import Wire

/// The only door of the store thread: rows of the journal thread, look-ups of the recorder, and the stop.
///
/// Nobody waits for the database here. Two calls wait for the thread, one at the start and one at the end.
package final class StoreInbox: Sendable {
    /// Everything that waits for the thread, and the state that its callers need to know.
    struct Mail {
        var rows: RowBuffer
        /// Rows that wait on disk for room in memory.
        var rowsOnDisk = 0
        /// Rows may come that are counted nowhere yet. A stop waits for them.
        var areRowsExpected = false
        /// Rows that are left at the end are kept for the next process.
        var areRowsKept = false
        /// The rooms to look up, each once, in the order in which they were asked for.
        private var rooms = Deque<String>()
        private var asked: Set<ExactText> = []
        /// The database was tried once, with success or without.
        var isTried = false
        /// The presence has to be asked for, once.
        var wantsPresence = false
        /// The deadline of a stop that was asked for. Rows are drained until then.
        var stopBy: MonotonicTime?
        /// The number of rows that are left; nil before the thread is done.
        var rowsLeft: Int?

        init(rows: RowBuffer) { self.rows = rows }

        /// The number of rows that are not applied.
        var rowsWaiting: Int { rows.count + rowsOnDisk }

        /// Rooms wait for an answer.
        var hasLookups: Bool { !rooms.isEmpty }
        var lookupCount: Int { rooms.count }

        /// Adds a room to the look-ups; false where `limit` rooms wait already.
        mutating func ask(_ room: String, limit: Int) -> Bool {
            if asked.contains(ExactText(room)) { return true }
            guard rooms.count < limit else { return false }
            asked.insert(ExactText(room))
            rooms.append(room)
            return true
        }

        /// Returns the first `limit` rooms. They wait on until they are `answered`.
        func pending(limit: Int) -> [String] { Array(rooms.all.prefix(limit)) }

        /// Removes the first room, because it has its answer.
        mutating func answered() {
            if let room = rooms.popFirst() { asked.remove(ExactText(room)) }
        }
    }

    let mail: Monitor<Mail>
    let metrics: StoreMetrics
    /// What the thread has published of the database.
    let published = Mutex(StoreCondition())
    private let settings: StoreSettings
    private let log: Log

    /// Declares the metrics of the store. Traps where the registry has a store already.
    package init(_ settings: StoreSettings, registry: Registry, log: Log) {
        // Until a journal gives the names of rows, the process that makes the rows names them.
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

    // MARK: Status

    /// The database, as the thread found it last. Any thread may ask, and none waits for the database.
    package var condition: StoreCondition { published.withLock { $0 } }

    /// What waits for the database in memory.
    package var tables: [TableMemory] {
        let (rows, lookups) = mail.withLock { ($0.rows.count, $0.lookupCount) }
        return [
            TableMemory("store_rows", rows, max: settings.rowsWaiting),
            TableMemory("store_lookups", lookups, max: StoreSettings.Limits.lookupsWaiting),
        ]
    }

    // MARK: Journal

    /// Sets the names under which rows are written: before the first row, and where the names change.
    func use(_ lineage: RowLineage, beganAfter number: Int64, appliedInput: Int64) {
        mail.change { $0.rows.use(lineage, beganAfter: number, appliedInput: appliedInput) }
    }

    /// Takes rows for the database, in the order of their numbers. It never waits. Where too many rows wait, the oldest
    /// are given up and counted.
    ///
    /// - Parameter count: the rows that then wait on disk. It is changed in the same step, so that no row counts twice.
    package func store(_ rows: Committed<[NumberedRow]>, onDisk count: Int) {
        var lost = 0
        mail.changeWakingIfNeeded { [full = settings.rowsInBatch] mail in
            let before = mail.rows.count
            mail.rowsOnDisk = count
            lost = rows.value.reduce(0) { $0 + mail.rows.append($1) }
            // The first row starts the wait for others, and a full batch ends it.
            return before == 0 || before < full && mail.rows.count >= full
        }
        guard lost > 0 else { return }
        noteGivenUp(lost)
        log.throttled(.error, "rows for the database given up: too many wait", ["limit": .int(settings.rowsWaiting)])
    }

    /// Counts rows that the journal gave up.
    func noteGivenUp(_ count: Int) { metrics.count(.given_up, count) }

    /// Notes which rows the store does not have.
    ///
    /// - Parameters:
    ///   - onDisk: the number of rows that wait on disk for room in memory.
    ///   - areExpected: rows may come that are counted nowhere yet. A stop waits for them.
    ///   - areKept: rows that are left at the end are kept for the next process.
    func noteRows(onDisk count: Int, areExpected: Bool, areKept: Bool) {
        mail.change { mail in
            mail.rowsOnDisk = count
            mail.areRowsExpected = areExpected
            mail.areRowsKept = areKept
        }
    }

    /// The number of rows in memory.
    var rowsInMemory: Int { mail.withLock { $0.rows.count } }

    /// Returns the rows in memory after `number`.
    func rows(after number: Int64) -> [NumberedRow] { mail.withLock { $0.rows.rows(after: number) } }

    // MARK: Recorder

    /// Asks for the organization of a room. It never waits. The answer comes once, however often it is asked for
    /// meanwhile.
    ///
    /// False where too many look-ups wait: then no answer will come.
    package func lookUp(room: String) -> Bool {
        let isAsked = mail.change { $0.ask(room, limit: StoreSettings.Limits.lookupsWaiting) }
        if !isAsked { metrics.unasked?.increment() }
        return isAsked
    }

    /// Asks for the presence, as soon as the database answers. It never waits.
    package func askForPresence() { mail.change { $0.wantsPresence = true } }

    // MARK: Start and stop

    /// Waits until the database was tried once, with success or without, but no longer than `deadline`.
    package func awaitFirstAttempt(until deadline: MonotonicTime) {
        _ = mail.wait(until: deadline) { $0.isTried ? true : nil }
    }

    /// Ends the wait of `awaitFirstAttempt`: whoever waits has no time any more.
    package func endFirstAttempt() { mail.change { $0.isTried = true } }

    /// The number of rows that wait for the database, in memory and on disk.
    package var rowsWaiting: Int { mail.withLock { $0.rowsWaiting } }
}
