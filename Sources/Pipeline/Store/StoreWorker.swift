import Metrics
import Platform
import Storage
import Synchronization
import Wire

/// The body of the store thread. In each round it answers look-ups, writes a batch of rows, and runs one background
/// job.
///
/// It belongs to the store thread, which makes it.
final class StoreWorker {
    let inbox: StoreInbox
    let mail: Monitor<StoreInbox.Mail>
    let settings: StoreSettings
    private let open: OpenDatabase
    let metrics: StoreMetrics
    let log: Log
    let time: any TimeSource
    let answer: (StoreAnswer) -> Void
    private let progress: (RowProgress) -> Void
    private let clocks: ClockSkew
    var schedule: StoreSchedule
    /// The troubles of the database, and what the log was told of them.
    var trouble: StoreTrouble
    /// The last failure of each operation that fails now.
    var failures: [StoreOperation: (error: StoreError, advice: Advice, at: MonotonicTime)] = [:]
    private var lookupBatch = LookupBatch()
    private var store: ApplicationStore?
    /// The tables to which policies applied at the last look.
    private var guarded: [GuardedTable] = []
    /// What was told of each optional table: whether it can be used.
    var toldOptions: [OptionalTable: Bool] = [:]
    /// Rows gather until this time, unless they are a full batch.
    private var nextBatch: MonotonicTime
    /// The database is not asked for its time before this.
    private var nextClockLook: MonotonicTime
    /// The time when the database was last asked for anything.
    private var lastAsked: MonotonicTime

    init(
        _ inbox: StoreInbox, settings: StoreSettings, open: @escaping OpenDatabase, clocks: ClockSkew, log: Log,
        time: any TimeSource, answer: @escaping (StoreAnswer) -> Void, progress: @escaping (RowProgress) -> Void
    ) {
        self.clocks = clocks
        self.inbox = inbox
        mail = inbox.mail
        self.settings = settings
        self.open = open
        metrics = inbox.metrics
        self.log = log
        self.time = time
        self.answer = answer
        self.progress = progress
        nextBatch = time.monotonic()
        nextClockLook = nextBatch
        lastAsked = nextBatch
        trouble = StoreTrouble(at: nextBatch)
        schedule = StoreSchedule(minBackoff: settings.minBackoff, maxBackoff: settings.maxBackoff, at: nextBatch)
    }

    /// Works until a stop is asked for.
    func run() {
        while true {
            tellReturn()
            if let deadline = waitForWork() {
                let left = drain(until: deadline)
                tellReturn(isLast: true)
                disconnect()
                mail.change { $0.rowsLeft = left }
                return
            }
            askForPresence()
            answerLookups()
            if schedule.isReady(.write, at: time.monotonic()), mail.withLock({ isBatchDue($0) }) { _ = writeBatch() }
            tellReturn()
            if let job = schedule.job(at: time.monotonic()) { run(job) }
            // Nothing else may need the database for minutes. The log should tell its return before that.
            if store == nil && trouble.isAway { _ = connected() }
            lookIfIdle()
        }
    }

    // MARK: Waiting

    /// Waits until there is work that may be tried. Returns the deadline of a stop that was asked for, else nil.
    private func waitForWork() -> MonotonicTime? {
        let now = time.monotonic()
        let takesLookups = schedule.isReady(.lookup, at: now) || isImpatient(at: now)
        let takesRows = schedule.isReady(.write, at: now)
        let takesPresence = schedule.isReady(.restore, at: now)
        var wakeAt = schedule.nextJobAt ?? now + settings.maxBackoff
        if !takesLookups { wakeAt = min(wakeAt, schedule.notBefore(.lookup)) }
        if !takesRows { wakeAt = min(wakeAt, schedule.notBefore(.write)) }
        if store == nil && trouble.isAway { wakeAt = min(wakeAt, schedule.notBefore(.open)) }
        if store != nil { wakeAt = min(wakeAt, lastAsked + settings.idle) }
        if now < nextBatch { wakeAt = min(wakeAt, nextBatch) }
        return mail.wait(until: wakeAt) { mail -> MonotonicTime?? in
            if let deadline = mail.stopBy { return .some(deadline) }
            if takesPresence && mail.wantsPresence { return .some(nil) }
            if takesLookups && mail.hasLookups || takesRows && isBatchDue(mail) { return .some(nil) }
            return nil
        } ?? nil
    }

    // MARK: Lookups

    /// Look-ups have failed for so long that new ones are answered at once.
    private func isImpatient(at now: MonotonicTime) -> Bool {
        schedule.trouble(of: .lookup, at: now).map { $0 >= settings.lookupPatience } ?? false
    }

    /// Answers the look-ups that wait. Where there are very many, rows get their turn between.
    private func answerLookups() {
        var turns = 0
        while turns < LookupBatch.Limits.turns, answerBatch() { turns += 1 }
    }

    /// Answers one batch. False where no room waits, some of the batch still waits, or a stop was asked for.
    private func answerBatch() -> Bool {
        let limit = lookupBatch.size
        let rooms = mail.withLock { $0.pending(limit: limit) }
        guard !rooms.isEmpty else { return false }
        var answered = 0
        if schedule.isReady(.lookup, at: time.monotonic()) {
            let begin = time.monotonic()
            _ = attempt(.lookup) { (store) throws(StoreError) in
                let organizations = try store.organizations(ofRooms: rooms)
                for (room, organization) in zip(rooms, organizations) { reply(room, organization) }
                answered = rooms.count
            }
            // A query that took too long to be answered at all counts as a slow one, too.
            lookupBatch.answered(rooms.count, in: time.monotonic().since(begin))
        }
        let left = rooms.dropFirst(answered)
        if !left.isEmpty && isImpatient(at: time.monotonic()) {
            for room in left { reply(room, .failure(.lookup_error)) }
        }
        return left.isEmpty && mail.withLock { $0.stopBy } == nil
    }

    /// Removes the room from the look-ups first, so that a request after the answer is a new question.
    private func reply(_ room: String, _ organization: Result<Organization, LookupError>) {
        mail.withLock { $0.answered() }
        answer(.organization(room: room, organization))
    }

    // MARK: Presence

    /// Answers with the presence, where it was asked for.
    private func askForPresence() {
        guard mail.withLock({ $0.wantsPresence }), schedule.isReady(.restore, at: time.monotonic()) else { return }
        _ = attempt(.restore) { (store) throws(StoreError) in
            let people = try store.openPresence()
            mail.change { $0.wantsPresence = false }
            if !people.isEmpty {
                log.info("participants were restored from the database", ["participants": .int(people.count)])
            }
            answer(.presence(people))
        }
    }

    // MARK: Rows

    /// There are rows, and they are a full batch or have waited for others.
    private func isBatchDue(_ mail: StoreInbox.Mail) -> Bool {
        let count = mail.rows.count
        return count >= settings.rowsInBatch || count > 0 && time.monotonic() >= nextBatch
    }

    /// Writes one batch; nil where there is none, false where it failed.
    private func writeBatch() -> Bool? {
        let limit = settings.rowsInBatch
        let batch = mail.withLock { mail -> (rows: [StoreRow], origin: RowOrigin)? in
            guard mail.rows.take(limit: limit), let origin = mail.rows.origin else { return nil }
            return (mail.rows.batch, origin)
        }
        guard let batch else { return nil }
        var refused: [RefusedRow] = []
        var copiedAfter: Int64?
        let isWritten = attempt(.write) { (store) throws(StoreError) in
            try compareClocksIfDue(store)
            // The batch may be in the database, whatever the outcome is.
            defer { if copiedAfter == nil { mail.withLock { $0.rows.tried() } } }
            let outcome = try store.write(batch.rows, from: batch.origin, at: time.now())
            copiedAfter = outcome.copiedAfter
            if outcome.isBehind { noteBehind() }
            metrics.count(outcome)
            trouble.wrote(outcome.written + outcome.repeated, of: batch.rows.count)
            refused = outcome.refusals.map { refusal in
                RefusedRow(
                    number: batch.origin.firstSequence + Int64(refusal.index), row: batch.rows[refusal.index],
                    error: refusal.error)
            }
        }
        if let copiedAfter {
            mail.withLock { $0.rows.refuseName() }
            progress(.copied(after: copiedAfter))
        } else if isWritten {
            nextBatch = time.monotonic() + settings.gathering
            report(refused)
            let (number, buffer) = mail.withLock { mail in (mail.rows.applied(), mail.rows) }
            progress(.applied(upTo: number, input: buffer.appliedInput, left: buffer.count, refused: refused))
        }
        return isWritten
    }

    /// Warns that the database lacks rows. They are not made again, because nobody has them any more.
    private func noteBehind() {
        log.throttled(
            .warning,
            """
            the database has less than was written to it: it was restored from an older backup, or is another one. Rows \
            that were written in between are missing in it and are not written again; new ones are. Copy what is missing \
            from where it still is
            """)
    }

    /// Logs why rows were refused, one line for each table and code.
    private func report(_ refused: [RefusedRow]) {
        let groups = Dictionary(grouping: refused, by: { "\($0.row.table) \($0.error.code)" })
        for (key, rows) in groups.sorted(by: { $0.key < $1.key }) {
            log.throttled(
                .error, by: key, "the database refused rows: they are set aside",
                [
                    "rows": .int(rows.count), "table": .string(rows[0].row.table), "code": .string(rows[0].error.code),
                    "error": .text(rows[0].error),
                ])
        }
    }

    // MARK: Background work

    private func run(_ job: StoreOperation) {
        let now = time.now()
        let isDone = attempt(job) { (store) throws(StoreError) in
            try compareClocksIfDue(store)
            switch job {
            case .licenses: answer(.report(try store.licenses()))
            case .activity:
                answer(.report(try store.recent(at: now)))
                for window in Report.Window.ofActivity { answer(.report(try store.activity(window, at: now))) }
            case .recordings:
                for window in Report.Window.allCases { answer(.report(try store.recordings(window, at: now))) }
                try lookAtOptions(of: store, at: now)
            case .presence: answer(.report(try store.presence()))
            case .purge: try purge(store, at: now)
            case .open, .migrate, .lookup, .write, .restore: preconditionFailure("no background job")
            }
        }
        guard isDone else { return }
        schedule.succeeded(
            job, at: time.monotonic(), interval: settings.interval(of: job), chance: .random(in: 0...1))
    }

    /// Asks for the time on the database's clock, together with something else that is sent now.
    private func compareClocksIfDue(_ store: ApplicationStore) throws(StoreError) {
        let begin = time.monotonic()
        guard begin >= nextClockLook else { return }
        let told = try store.now()
        let (receivedAt, end) = (time.now(), time.monotonic())
        nextClockLook = end + StoreSettings.Limits.clockPace
        guard let told else { return }
        let interval = ClockInterval(
            told: told, roundedTo: .milliseconds(1), receivedAt: receivedAt, took: end.since(begin))
        clocks.note(database: interval, at: end)
    }

    private func purge(_ store: ApplicationStore, at now: Timestamp) throws(StoreError) {
        let own = mail.withLock { $0.rows.name }
        _ = try store.forgetOrigins(before: now - StoreSettings.Limits.originsKept, except: own)
        let retention = settings.activityRetention
        guard retention > .zero else { return }
        if !settings.isRetentionSet {
            guard try !store.isActivityForeign() else { return }
        }
        let count = try store.purge(before: CivilDate(now - retention))
        if count > 0 { log.info("old activity deleted", ["rows": .int(count)]) }
    }

    // MARK: Connection

    /// Runs one operation on a connection that works. Where it fails, that is counted and logged, and the next attempt
    /// is scheduled.
    private func attempt(_ operation: StoreOperation, _ body: (ApplicationStore) throws(StoreError) -> Void) -> Bool {
        let connected = connected()
        mail.change { $0.isTried = true }
        guard let store = connected else {
            schedule.postpone(operation, behind: .open, at: time.monotonic())
            return false
        }
        defer { lastAsked = time.monotonic() }
        do throws(StoreError) {
            try body(store)
            schedule.succeeded(operation, at: time.monotonic())
            succeeded(operation)
            return true
        } catch {
            failed(operation, error)
            if error.kind == .connectionLost { disconnect() }
            return false
        }
    }

    /// Returns the connection. Where there is none, it makes one and brings the schema up to date; nil where that is
    /// not due or failed.
    private func connected() -> ApplicationStore? {
        if let store { return store }
        guard schedule.isReady(.open, at: time.monotonic()) else { return nil }
        var step = StoreOperation.open
        do throws(StoreError) {
            let new = ApplicationStore(try open(), lookup: settings.lookup)
            step = .migrate
            do throws(StoreError) {
                let applied = try new.migrate(at: time.now())
                if !applied.isEmpty {
                    log.info("database schema changed", ["migrations": .string(applied.joined(separator: " "))])
                }
                try warnOfPolicies(new)
            } catch {
                new.close()
                throw error
            }
            schedule.succeeded(.open, at: time.monotonic())
            store = new
            noteConnected(true)
            tellOptions(of: new, isNew: true)
            lastAsked = time.monotonic()
            succeeded(.open)
            return new
        } catch {
            failed(step, error)
            if step == .migrate { schedule.failed(.open, at: time.monotonic(), chance: .random(in: 0...1)) }
            return nil
        }
    }

    /// Warns where policies of row level security apply, once until they change.
    private func warnOfPolicies(_ store: ApplicationStore) throws(StoreError) {
        let found: [GuardedTable]
        do throws(StoreError) {
            found = try store.guardedTables(asksForRooms: settings.asksForRooms)
        } catch {
            if error.kind == .connectionLost { throw error }
            // Tables that cannot be looked at may still work.
            log.debug("row level security could not be looked at", ["error": .text(error)])
            return
        }
        if found == guarded { return }
        guarded = found
        if found.isEmpty { return }
        log.warning(
            """
            row level security applies to lkpush's role: rooms and organizations that its policies hide count as unknown, \
            reports leave out what they hide, and rows that they refuse wait; let the role bypass it, or give it policies \
            that let everything through
            """, ["tables": .string(found.map(\.description).joined(separator: ", "))])
    }

    private func disconnect() {
        store?.close()
        store = nil
        noteConnected(false)
    }

    private func noteConnected(_ isConnected: Bool) {
        metrics.up?.set(isConnected ? 1 : 0)
        inbox.published.withLock { $0.isConnected = isConnected }
    }

    /// Looks whether the database is there, where nothing was asked of it for a while: a trouble is told before
    /// somebody needs the database. It counts as a failure to open it, because the connection is made anew.
    private func lookIfIdle() {
        guard let store, time.monotonic() >= lastAsked + settings.idle else { return }
        lastAsked = time.monotonic()
        do throws(StoreError) {
            try store.ping()
        } catch {
            failed(.open, error)
            disconnect()
        }
    }

    // MARK: Stopping

    /// The pause between attempts to drain rows into a database that is busy.
    private static let drainPause = Duration.milliseconds(50)

    /// Writes the rows that wait, as long as the database works and the time allows. Returns how many are left.
    private func drain(until deadline: MonotonicTime) -> Int {
        for room in mail.withLock({ $0.pending(limit: .max) }) { reply(room, .failure(.lookup_error)) }
        while time.monotonic() < deadline {
            schedule.hurry(.open, at: time.monotonic())
            let isWritten = writeBatch()
            if isWritten == true { continue }
            if isWritten == nil && mail.withLock({ $0.rowsWaiting == 0 && !$0.areRowsExpected }) { break }
            // A lost database does not come back in the time that is left. A busy one may, and the journal may bring
            // rows.
            if isWritten == false && store == nil { break }
            let count = mail.withLock { $0.rows.count }
            _ = mail.wait(until: min(deadline, time.monotonic() + Self.drainPause)) { mail -> Bool? in
                isWritten == nil && mail.rows.count > count ? true : nil
            }
        }
        let (left, areKept) = mail.withLock { ($0.rowsWaiting, $0.areRowsKept) }
        if left > 0 && !areKept {
            metrics.count(.given_up, left)
            log.error("rows did not reach the database before the stop", ["rows": .int(left)])
        }
        return left
    }
}
