import Journal
import Platform
import Recording
import Synchronization
import Wire

/// The body of the thread `append`, which makes it.
///
/// Events go to the log in groups, one call at a time. Where the log does not answer in time they go to the spill, under
/// the same producer and number, so the log takes them once, however often they are sent. While the spill has any, new
/// ones go behind them, so that the order of one replica's events stays.
final class AppendWorker {
    /// The call that is on its way, or is tried again.
    private enum Call {
        case none
        /// Groups whose events wait for the answer until `patience`.
        case direct([ProducedGroup], [UncommittedEvents], begin: MonotonicTime, patience: MonotonicTime)
        /// Groups whose events were spilled or refused meanwhile. The answer is only waited for.
        case abandoned
        /// The oldest groups of the spill.
        case forward(SpilledGroups, begin: MonotonicTime)
    }

    private let inbox: AppendInbox
    private let settings: AppendSettings
    private let caller: LogCaller
    private let openSpill: OpenSpill?
    private let reservations: any EventReservations
    private let metrics: AppendMetrics
    private let readiness: Readiness
    private let reports: SpillReports
    private let log: Log
    private let time: any TimeSource
    private let noteAppended: @Sendable () -> Void

    private var call = Call.none
    /// The answer to the call has come, and it has to be made again at `again`.
    private var isWaiting = false
    private var again: MonotonicTime
    private var failures = 0
    private var failuresAtStop = 0
    /// The log was moved, and nothing was appended since.
    private var isMoved = false
    private var spill: (any EventSpill)?
    private var nextSpillLook: MonotonicTime
    /// The spill failed at its last use. What waits in it is sent when it works again, and nothing waits behind that.
    private var isSpillBroken = false
    /// The last attempt to read the spill failed.
    private var isSpillUnreadable = false
    private var producer = RandomID.make()
    /// Groups of the producer are in the spill.
    private var isProducerSpilled = false
    private var lastNumber: Int64 = 0
    private var stopBy: MonotonicTime?

    init(
        _ inbox: AppendInbox, _ settings: AppendSettings, _ caller: LogCaller, _ openSpill: OpenSpill?,
        _ reservations: any EventReservations, _ metrics: AppendMetrics, _ readiness: Readiness, _ log: Log,
        _ time: any TimeSource, _ noteAppended: @escaping @Sendable () -> Void
    ) {
        self.inbox = inbox
        self.settings = settings
        self.caller = caller
        self.openSpill = openSpill
        self.reservations = reservations
        self.metrics = metrics
        self.readiness = readiness
        reports = SpillReports(metrics: metrics, log: log)
        self.log = log
        self.time = time
        self.noteAppended = noteAppended
        again = time.monotonic()
        nextSpillLook = again
    }

    /// Works until a stop is asked for and everything is in the log, or until the stop's time is over.
    func run() {
        openSpillIfDue()
        while true {
            if let outcome = wait() { take(outcome) }
            openSpillIfDue()
            probeSpillIfDue()
            spillIfLate()
            takeEvents()
            lookIfDue()
            forwardIfDue()
            publish()
            guard let stopBy else { continue }
            if isDone || time.monotonic() >= stopBy { break }
        }
        refuseAll()
        spill?.close()
        inbox.mail.change { mail in
            mail.takesEvents = false
            mail.isFinished = true
        }
    }

    private var hasSpilled: Bool { (spill?.events ?? 0) > 0 }
    private var goesBehindSpilled: Bool { hasSpilled && !isSpillBroken && !isSpillUnreadable }

    private var isDone: Bool {
        if case .direct = call { return false }
        guard inbox.mail.withLock({ $0.batches.isEmpty }) else { return false }
        // Spilled events are forwarded while that works, and tried once more where it did not; else they wait for the
        // next start.
        return !goesBehindSpilled || failures > failuresAtStop
    }

    // MARK: Waiting

    private func wait() -> LogOutcome? {
        let isStopping = stopBy != nil
        let canTake = canTakeEvents
        let outcome: LogOutcome?? = inbox.mail.wait(until: wakeAt) { mail -> LogOutcome?? in
            if let outcome = mail.outcome.take() { return .some(outcome) }
            if canTake && !mail.batches.isEmpty { return .some(nil) }
            return !isStopping && mail.stopBy != nil ? .some(nil) : nil
        }
        let stop = inbox.mail.withLock { $0.stopBy }
        if stopBy == nil && stop != nil {
            failuresAtStop = failures
            again = min(again, time.monotonic())
        }
        stopBy = stop
        return outcome ?? nil
    }

    /// New events can go on: nothing is on its way, or they go to the spill.
    private var canTakeEvents: Bool {
        // The groups on their way may come behind new ones in the spill, and the log takes no lower numbers later.
        if case .direct = call { return false }
        if isSpilling { return true }
        if case .none = call { return true }
        return false
    }

    /// New events go to the spill.
    private var isSpilling: Bool { goesBehindSpilled || spill != nil && (failures > 0 || isLogLate) }

    /// The log has not answered in time.
    private var isLogLate: Bool {
        switch call {
        case .none, .direct: false
        case .abandoned: true
        case .forward(_, let begin): time.monotonic().since(begin) >= AppendSettings.Limits.patience
        }
    }

    private var wakeAt: MonotonicTime? {
        var times: [MonotonicTime] = []
        if let stopBy { times.append(stopBy) }
        if case .direct(_, _, _, let patience) = call { times.append(patience) }
        if isWaiting { times.append(again) }
        if case .forward(_, let begin) = call, !isSpilling { times.append(begin + AppendSettings.Limits.patience) }
        if case .none = call, hasSpilled || isLookWanted { times.append(again) }
        if openSpill != nil && (spill == nil || isSpillBroken) { times.append(nextSpillLook) }
        return times.min()
    }

    // MARK: The log

    private func take(_ outcome: LogOutcome) {
        switch outcome {
        case .appended(let lastEvent): appended(lastEvent)
        case .failed(let error): failed(error)
        }
    }

    private func appended(_ lastEvent: Int64) {
        noteReachable()
        // Before the requests are answered: a database that loses this later is found out.
        settings.marks?.note(lastEvent: lastEvent)
        switch call {
        case .none, .abandoned: break
        case .direct(_, let batches, let begin, _):
            metrics.noteAppended(accept(batches), took: time.monotonic().since(begin))
        case .forward(let spilled, let begin):
            let events = spilled.groups.reduce(0) { $0 + $1.count }
            metrics.noteAppended(events, took: time.monotonic().since(begin))
            metrics.noteForwarded(events)
            remove(spilled)
        }
        call = .none
        isWaiting = false
        noteAppended()
    }

    private func failed(_ error: JournalError) {
        metrics.noteFailure()
        if error.kind == .conflict { return rename(error) }
        if error.kind == .replaced { return refuseMoved(error) }
        noteUnreachable(error)
        again = time.monotonic() + AppendSettings.Limits.backoff.wait(afterFailures: failures, chance: 0)
        if case .abandoned = call { call = .none }
        // A forwarded group is read again. A direct one waits for its next attempt, or for the spill.
        if case .forward = call { call = .none }
        if case .direct = call { isWaiting = true }
    }

    /// The log was moved, so nobody counts what is in it. What waits is kept, and new events are not taken: they would never
    /// be counted.
    private func refuseMoved(_ error: JournalError) {
        isMoved = true
        failures = 0
        if case .direct(_, let batches, _, _) = call { batches.forEach(refuse) }
        call = .none
        isWaiting = false
        again = time.monotonic() + AppendSettings.Limits.spillPace
        readiness.block(.journal, because: "the shared log is not in use: \(error)")
        log.throttled(
            .error, "the shared log was moved, so webhooks are refused: nobody would count them",
            [
                "error": .text(error),
                "action": .string(
                    "Stop this replica and start the process that has the state now, or move it back with "
                        + "lkpush migrate-journal --to-shared."),
            ])
    }

    /// Another process uses the same producer and numbers, because it has a copy of what was spilled. So these groups get
    /// another producer.
    private func rename(_ error: JournalError) {
        log.warning(
            """
            the shared log has other events under the numbers of this replica: its STATE_DIR is a copy, or was copied while \
            events waited in it. They are appended under a new name, so none is lost; some may count twice in \
            lk_webhook_events_total
            """,
            [
                "error": .text(error),
                "action": .string(
                    "Give each replica an empty STATE_DIR of its own, and never copy one that is in use."),
            ])
        beginProducer()
        again = time.monotonic()
        switch call {
        case .none, .abandoned: call = .none
        case .direct(let groups, let batches, let begin, let patience):
            call = .direct(groups.map { number($0.count, $0.bytes) }, batches, begin: begin, patience: patience)
            isWaiting = true
        case .forward(let spilled, _):
            call = .none
            let renamed: Void? = use { spill throws(JournalError) in
                try spill.rename(upTo: spilled.last, producer: producer)
            }
            if renamed == nil { again = time.monotonic() + AppendSettings.Limits.spillPace }
            beginProducer()
        }
    }

    private func beginProducer() {
        producer = RandomID.make()
        lastNumber = 0
        isProducerSpilled = false
    }

    private func number(_ count: Int, _ bytes: [UInt8]) -> ProducedGroup {
        lastNumber += 1
        return ProducedGroup(producer: producer, number: lastNumber, count: count, bytes: bytes)
    }

    private func noteReachable() {
        if failures > 0 { log.info("the shared log can be reached again") }
        failures = 0
        isMoved = false
        readiness.clear(.journal)
        inbox.mail.withLock { $0.takesEvents = true }
        inbox.published.withLock { condition in
            condition.isUp = true
            condition.error = ""
            condition.since = nil
        }
    }

    private func noteUnreachable(_ error: JournalError) {
        failures += 1
        inbox.published.withLock { condition in
            condition.isUp = false
            condition.error = error.description
            condition.since = condition.since ?? time.now()
        }
        if spill == nil || isSpillBroken {
            readiness.block(.journal, because: "the shared log cannot be reached: \(error)")
            log.throttled(
                .error,
                "the shared log cannot be reached and STATE_DIR takes nothing: webhooks are refused until it can",
                ["error": .text(error), "action": .string(Self.action)])
        } else {
            log.throttled(
                .warning,
                "the shared log cannot be reached: webhooks wait in STATE_DIR, and what they tell is counted later",
                ["error": .text(error), "action": .string(Self.action)])
        }
    }

    private static let action = "See whether the database of JOURNAL_URL answers; lkpush check asks it."

    // MARK: Events

    private func takeEvents() {
        guard canTakeEvents else { return }
        let batches = inbox.mail.withLock { mail -> [UncommittedEvents] in
            let taken = Array(mail.batches.prefix(AppendSettings.Limits.groups))
            mail.batches.removeFirst(taken.count)
            return taken
        }
        if batches.isEmpty { return }
        if isMoved && hasSpilled { return batches.forEach(refuse) }
        let isSpilling = isSpilling
        // The log takes no lower numbers of one producer later, and lower ones wait in the spill.
        if !isSpilling && hasSpilled && isProducerSpilled { beginProducer() }
        let groups = batches.map { number($0.count, $0.entries.bytes) }
        if isSpilling { return keep(groups, batches) }
        let now = time.monotonic()
        call = .direct(groups, batches, begin: now, patience: now + AppendSettings.Limits.patience)
        isWaiting = false
        caller.append(groups)
    }

    /// Makes the call again whose time has come, and spills the events of one that takes too long.
    private func spillIfLate() {
        guard case .direct(let groups, let batches, _, let patience) = call else { return }
        let now = time.monotonic()
        if now >= patience || isWaiting && spill != nil {
            call = isWaiting ? .none : .abandoned
            isWaiting = false
            keep(groups, batches)
        } else if isWaiting && now >= again {
            isWaiting = false
            caller.append(groups)
        }
    }

    /// Spills groups, and answers their requests.
    private func keep(_ groups: [ProducedGroup], _ batches: [UncommittedEvents]) {
        let bytes = groups.reduce(0) { $0 + $1.bytes.count }
        var isKept = false
        if let spill, spill.size_bytes + bytes > settings.maxSpill.bytes {
            log.throttled(
                .error,
                "STATE_DIR has as many events as JOURNAL_MAX_BYTES allows: webhooks are refused until some are sent",
                ["bytes": .int(spill.size_bytes), "action": .string(Self.action)])
        } else if spill != nil {
            isKept = use { spill throws(JournalError) in try spill.add(groups) } != nil
        }
        guard isKept else {
            if failures > 0 || isLogLate {
                readiness.block(.journal, because: "neither the shared log nor STATE_DIR takes events")
            }
            return batches.forEach(refuse)
        }
        isProducerSpilled = true
        noteSpillWorks()
        readiness.clear(.journal)
        metrics.noteSpilled(accept(batches))
    }

    /// Answers the requests of events that are durable. Returns the number of events.
    private func accept(_ batches: [UncommittedEvents]) -> Int {
        var count = 0
        for events in batches {
            events.accept(inbox.answers)
            count += events.count
        }
        reservations.free(count)
        return count
    }

    private func refuse(_ events: UncommittedEvents) {
        events.refuse(.journal_failed, inbox.answers)
        reservations.free(events.count)
    }

    private func refuseAll() {
        if case .direct(_, let batches, _, _) = call { batches.forEach(refuse) }
        let waiting = inbox.mail.change { mail in
            mail.takesEvents = false
            defer { mail.batches = [] }
            return mail.batches
        }
        waiting.forEach(refuse)
    }

    // MARK: The spill

    private func openSpillIfDue() {
        let now = time.monotonic()
        guard let openSpill, spill == nil, now >= nextSpillLook else { return }
        // An attempt may take long, and comes after the rest of a turn.
        defer { nextSpillLook = time.monotonic() + AppendSettings.Limits.spillPace }
        do throws(JournalError) {
            let opened = try openSpill()
            spill = opened
            if settings.marks == nil { reports.tellOfLateFolder() }
            inbox.published.withLock { $0.spillError = "" }
            if !isMoved { readiness.clear(.journal) }
            reports.tell(opened.takeRepairs())
            if opened.events > 0 {
                log.info("events wait in STATE_DIR for the shared log", ["events": .int(opened.events)])
            }
        } catch {
            noteUnusable(error)
        }
    }

    private func noteUnusable(_ error: JournalError) {
        inbox.published.withLock { $0.spillError = error.description }
        let advice = JournalAdvice.spillUnusable(error)
        log.throttled(.error, advice.what, ["error": .text(error), "action": .string(advice.action)])
    }

    /// Uses the spill; nil where that fails. Then it is opened again.
    private func use<Result>(_ body: (any EventSpill) throws(JournalError) -> Result) -> Result? {
        guard let spill else { return nil }
        defer { reports.tell(spill.takeRepairs()) }
        do throws(JournalError) {
            return try body(spill)
        } catch {
            noteUnusable(error)
            guard !isSpillBroken else { return nil }
            isSpillBroken = true
            nextSpillLook = time.monotonic() + AppendSettings.Limits.spillPace
            return nil
        }
    }

    private func noteSpillWorks() {
        guard isSpillBroken else { return }
        isSpillBroken = false
        inbox.published.withLock { $0.spillError = "" }
        if !isMoved { readiness.clear(.journal) }
        log.info("STATE_DIR keeps events again")
    }

    /// Asks whether a spill that failed works again. A replica that is not ready gets no webhook that would find out.
    private func probeSpillIfDue() {
        guard isSpillBroken, time.monotonic() >= nextSpillLook else { return }
        if use({ spill throws(JournalError) in try spill.probe() }) != nil { noteSpillWorks() }
        nextSpillLook = time.monotonic() + AppendSettings.Limits.spillPace
    }

    /// Sends the oldest events of the spill.
    private func forwardIfDue() {
        guard case .none = call, hasSpilled, time.monotonic() >= again else { return }
        let limit = AppendSettings.Limits.group_bytes
        let found = use { spill throws(JournalError) in try spill.oldest(limit_bytes: limit) }
        isSpillUnreadable = found == nil
        guard let oldest = found, oldest.last > 0 else {
            again = time.monotonic() + AppendSettings.Limits.spillPace
            return
        }
        if oldest.groups.isEmpty { return remove(oldest) }
        call = .forward(oldest, begin: time.monotonic())
        caller.append(oldest.groups)
    }

    /// The log did not take the last call, and nothing waits that can be the next one.
    private var isLookWanted: Bool { (failures > 0 || isMoved) && !goesBehindSpilled && stopBy == nil }

    /// Asks whether the log takes events again. A replica that is not ready gets no webhook that would find out.
    private func lookIfDue() {
        guard case .none = call, isLookWanted, time.monotonic() >= again else { return }
        call = .abandoned
        caller.append([])
    }

    private func remove(_ spilled: SpilledGroups) {
        if use({ spill throws(JournalError) in try spill.remove(upTo: spilled.last) }) == nil {
            // The log takes them again, which changes nothing.
            again = time.monotonic() + AppendSettings.Limits.spillPace
            return
        }
        noteSpillWorks()
        reports.tellDamaged(spilled.damagedEvents)
    }

    private func publish() {
        let (events, bytes) = (spill?.events ?? 0, spill?.size_bytes ?? 0)
        metrics.note(waiting: events, size_bytes: bytes)
        inbox.published.withLock { ($0.spilledEvents, $0.spilled_bytes) = (events, bytes) }
    }
}
