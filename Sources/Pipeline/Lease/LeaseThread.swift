package import Journal
package import Metrics
package import Platform
import Synchronization
import Wire

/// The thread `lease`: it competes for the lease of the shared log, renews it while this replica leads, and gives it up.
///
/// A leadership never ends because the database does not answer: another replica cannot lead then either. It ends when
/// another epoch is seen, or a commit was refused. Any thread may call it; only `stop` waits.
package final class LeaseThread: Sendable {
    /// Returns the reason why nobody may lead the log now; nil where one may.
    package typealias Bar = @Sendable (LeaseRecord) -> String?

    struct Mail: Sendable {
        /// The epoch whose tenure has ended, so that the lease is to be given up.
        var ended: Int64?
        var isStopping = false
        var isFinished = false
    }

    private let mail = Monitor(Mail())
    private let published: PublishedLease
    private let interruption: Interruption
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - open: makes the lease, on the thread.
    ///   - bar: is asked after each look at the lease, on the thread. It must not wait.
    ///   - interruption: ends the waits of what `open` makes.
    ///   - began: is called when this replica leads under a new epoch. It must not wait.
    ///   - lost: is called when another replica was found to lead. It must not wait.
    package init(
        _ open: @escaping @Sendable () -> any LogLease, settings: LeaseSettings, bar: @escaping Bar = { _ in nil },
        registry: Registry, interruption: Interruption, log: Log, time: any TimeSource = SystemTime(),
        began: @escaping @Sendable (_ epoch: Int64) -> Void, lost: @escaping @Sendable () -> Void
    ) {
        let published = PublishedLease()
        self.published = published
        self.interruption = interruption
        LeaseMetrics.show(published, in: registry, time: time)
        let metrics = LeaseMetrics(in: registry)
        thread = NamedThread(name: "lease") { [mail] in
            let worker = LeaseWorker(open(), settings, bar, published, metrics, log, time, began, lost)
            worker.run(mail)
            mail.change { $0.isFinished = true }
        }
    }

    /// The lease, as it was found last. Any thread may ask.
    package var condition: LeaseCondition { published.state.withLock { $0 } }

    /// Gives up the lease of an epoch, because its tenure has ended. It does not wait.
    package func giveUp(_ epoch: Int64) { mail.change { $0.ended = epoch } }

    /// Gives up the lease if this replica has it, and ends the thread. False where it did not end in time: then the lease
    /// runs out.
    package func stop(by deadline: MonotonicTime) -> Bool {
        mail.change { $0.isStopping = true }
        if mail.wait(until: deadline, { $0.isFinished ? true : nil }) == nil {
            interruption.interrupt()
            guard mail.wait(until: deadline + .seconds(1), { $0.isFinished ? true : nil }) != nil else { return false }
            thread.join()
            return false
        }
        thread.join()
        return true
    }

    /// Declares the metrics of a thread that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) {
        LeaseMetrics.show(PublishedLease(), in: registry, time: SystemTime())
        _ = LeaseMetrics(in: registry)
    }
}

/// The condition of the lease, for any thread.
final class PublishedLease: Sendable {
    let state = Mutex(LeaseCondition())
}

/// The body of the thread `lease`.
private final class LeaseWorker {
    private let lease: any LogLease
    private let settings: LeaseSettings
    private let bar: LeaseThread.Bar
    private let published: PublishedLease
    private let metrics: LeaseMetrics
    private let log: Log
    private let time: any TimeSource
    private let began: @Sendable (Int64) -> Void
    private let lost: @Sendable () -> Void

    private var rule: LeaseRule
    /// The epoch that this replica leads, and the id of the log that it led when it began.
    private var epoch: Int64?
    private var ledLog = ""
    /// The log that was to be begun anew, and the id that it was to have then, where the answer of the database was lost.
    private var unconfirmedLoss: (former: LeaseRecord, newID: String)?
    /// The id of the log whose events are in hand, and an event whose death is to be counted.
    private var handOf: String?
    private var death: Int64?
    /// The time until which this replica leaves the lease to others.
    private var abstinence: MonotonicTime?
    /// The epoch that was told last.
    private var told: Int64 = -1

    init(
        _ lease: any LogLease, _ settings: LeaseSettings, _ bar: @escaping LeaseThread.Bar, _ published: PublishedLease,
        _ metrics: LeaseMetrics,
        _ log: Log, _ time: any TimeSource, _ began: @escaping @Sendable (Int64) -> Void,
        _ lost: @escaping @Sendable () -> Void
    ) {
        self.lease = lease
        self.settings = settings
        self.bar = bar
        self.published = published
        self.metrics = metrics
        self.log = log
        self.time = time
        self.began = began
        self.lost = lost
        rule = LeaseRule(ttl: settings.ttl)
    }

    func run(_ mail: Monitor<LeaseThread.Mail>) {
        var next = time.monotonic()
        while true {
            let (ended, isStopping) =
                mail.wait(until: next) { mail -> (Int64?, Bool)? in
                    guard mail.ended != nil || mail.isStopping else { return nil }
                    defer { mail.ended = nil }
                    return (mail.ended, mail.isStopping)
                } ?? (nil, false)
            if isStopping { break }
            if let ended { giveUp(ended) }
            next = time.monotonic() + rule.pace
            do throws(JournalError) {
                if let epoch { try renew(epoch) }
                try look()
            } catch {
                rule.noteFailure()
                noteFailure(error)
            }
        }
        if let epoch { release(epoch) }
        lease.close()
    }

    private func renew(_ epoch: Int64) throws(JournalError) {
        if try lease.renew(epoch, lasting: settings.ttl) { return }
        metrics.noteLost()
        if let why = reason() { noteReplaced(epoch, why) }
        end()
    }

    private enum Replacement {
        case lead
        case newLog
    }

    /// Returns why a renewal was refused; nil where the next look tells.
    private func reason() -> Replacement? {
        let seen = settings.marks?.seen
        guard let record = try? lease.look() else { return .lead }
        if record.id == unconfirmedLoss?.newID { return nil }
        if case .lost = LogMarks.verdict(on: record, after: seen) { return nil }
        return record.id == ledLog ? .lead : .newLog
    }

    private func noteReplaced(_ epoch: Int64, _ why: Replacement) {
        switch why {
        case .newLog:
            log.warning(
                """
                another replica began the shared log anew, because its database went back to an earlier state: this one \
                leads it no more, and counts nothing more
                """,
                [
                    "epoch": .int(Int(epoch)),
                    "action": .string("See the error of that replica: it says what is lost."),
                ])
        case .lead:
            log.warning(
                """
                another replica leads the log, because this one was silent for longer than LEASE_TTL: it counts nothing \
                more, and nothing is lost or counted twice
                """,
                [
                    "epoch": .int(Int(epoch)),
                    "action": .string(
                        "If it happens again, see what holds this replica up: its processor limit, its node, or the way "
                            + "to the database of JOURNAL_URL."),
                ])
        }
    }

    private func look() throws(JournalError) {
        // Before the log is read: others of this process note higher numbers meanwhile.
        let seen = settings.marks?.seen
        let record = try lease.look()
        let now = time.monotonic()
        published.state.withLock { condition in
            condition.record = record
            condition.readAt = now
            condition.error = ""
        }
        guard try isWhole(record, seen) else { return }
        try noteDeath(record)
        let ahead_ms = time.now().milliseconds - record.now.milliseconds
        let clocks = try lease.note(
            ahead_ms: ahead_ms, holder: settings.holder, within: ReplicaClocks.Limits.life)
        let reason =
            bar(record) ?? LogConfiguration.bar(
                settings.configuration, record.fingerprint, isReleased: record.isReleased)
            ?? ReplicaClocks.bar(own: ahead_ms, all: clocks)
        published.state.withLock { $0.bar = reason ?? "" }
        if epoch != nil { return }
        tell(record)
        guard case .take(let how) = rule.step(after: record, at: now), now >= abstinence ?? now else { return }
        if let reason {
            log.throttled(
                .error, "this replica may not lead the log, so another one has to: it only takes webhooks",
                ["reason": .string(reason)])
            return
        }
        let taken = try lease.take(
            how, after: record.epoch, holder: settings.holder,
            fingerprint: LogConfiguration.kept(settings.configuration, after: record.fingerprint),
            lasting: settings.ttl)
        guard let taken else { return }
        epoch = taken
        ledLog = record.id
        told = taken
        metrics.noteBegun()
        let wall = time.now()
        published.state.withLock { ($0.epoch, $0.since) = (taken, wall) }
        log.info("this replica leads the log", ["epoch": .int(Int(taken))])
        began(taken)
    }

    /// False where the log lacks something that this machine saw of it. Then it has begun anew.
    private func isWhole(_ record: LeaseRecord, _ seen: LogMarks.Seen?) throws(JournalError) -> Bool {
        guard let marks = settings.marks else { return true }
        guard case .lost(let epoch) = LogMarks.verdict(on: record, after: seen) else {
            // With the old id it has come back whole, and with a third one another replica has told of the loss.
            if let unconfirmed = unconfirmedLoss.take(), unconfirmed.newID == record.id { noteLoss(unconfirmed.former) }
            marks.note(record)
            return true
        }
        // An attempt whose answer was lost may still be on its way: it is the same one.
        let former = unconfirmedLoss.flatMap { $0.former.id == record.id ? $0 : nil }
        let newID = former?.newID ?? RandomID.make()
        unconfirmedLoss = (record, newID)
        if try lease.beginAnew(after: record.id, as: newID, aboveEpoch: epoch) {
            unconfirmedLoss = nil
            noteLoss(record)
        }
        // An epoch of this replica is over, whoever began the log anew.
        if self.epoch != nil { end() }
        return false
    }

    /// Tells of a log that was begun anew.
    private func noteLoss(_ former: LeaseRecord) {
        metrics.noteLoss()
        log.error(
            """
            the shared log has lost its end: its database went back to an earlier state. Webhooks that were answered \
            meanwhile are lost, and counters begin at zero, which rate() takes for a restart; nothing counts twice
            """,
            [
                "epoch": .int(Int(former.epoch)), "last_event": .int(Int(former.lastEvent)),
                "action": .string(
                    "Have commits wait for a standby (synchronous_standby_names), so that a promoted one lacks nothing."
                ),
            ])
    }

    /// Counts the death of the process before, of an event that it had in hand.
    private func noteDeath(_ record: LeaseRecord) throws(JournalError) {
        guard let hand = settings.hand else { return }
        if handOf != record.id {
            if handOf == nil { death = hand.begin(record.id) } else { hand.use(record.id) }
            handOf = record.id
        }
        guard let event = death else { return }
        // Once at most: a note whose outcome is unknown may be there. A death that is not noted costs one more restart.
        death = nil
        try lease.note(deathOf: event)
        metrics.noteEventDeath()
        log.warning(
            """
            the process before died while it applied an event: the event is applied again, and set aside after three \
            deaths. Nothing is lost so far. Look for the cause at the end of the log of that process
            """, ["event": .int(Int(event))])
    }

    private func tell(_ record: LeaseRecord) {
        guard record.epoch != told, !record.hasExpired else { return }
        told = record.epoch
        log.info("another replica leads the log", ["holder": .string(record.holder), "epoch": .int(Int(record.epoch))])
    }

    private func giveUp(_ ended: Int64) {
        guard epoch == ended else { return }
        release(ended)
        end()
        // Another replica may be able to do what this one could not.
        abstinence = time.monotonic() + settings.ttl
    }

    private func release(_ epoch: Int64) {
        do throws(JournalError) {
            try lease.release(epoch)
        } catch {
            log.info("the lease was not given up: it runs out", ["error": .text(error)])
        }
    }

    private func end() {
        epoch = nil
        published.state.withLock { ($0.epoch, $0.since) = (nil, nil) }
        lost()
    }

    private func noteFailure(_ error: JournalError) {
        published.state.withLock { $0.error = error.description }
        log.throttled(
            .warning, "the lease of the shared log cannot be read: no replica can begin to lead until it can",
            [
                "error": .text(error),
                "action": .string("See whether the database of JOURNAL_URL answers; lkpush check asks it."),
            ])
    }
}
