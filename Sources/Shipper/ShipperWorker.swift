import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Status
import Wire

/// The loop of the thread of one destination: it takes readings and sends what the delivery decides.
///
/// It is made, used and ended on that thread.
final class ShipperWorker {
    let settings: ShipperSettings
    let published: PublishedStatus
    let metrics: ShipperMetrics
    private let journal: (any ReadingJournal)?
    let log: Log
    let time: any TimeSource
    private let noteClock: ShipperThread.NoteClock

    private var transport: Transport
    private var requests: ShipperRequests
    var table: SeriesTable
    var delivery: Delivery
    private let fingerprint: String
    /// The files of certificates and keys as they are, and as they were when the transport was made.
    private var trust: [FileStamp?] = []
    private var usedTrust: [FileStamp?] = []

    var inFlight: [Sent] = []
    /// What is known of the receiver, and what its answers mean.
    var receiver = ReceiverState()
    let hint: ReceiverHint
    var lastAnswer: AnswerStatus?
    /// The time at which samples were lost last.
    var lastLoss: Timestamp?
    /// Why the spool cannot be used; empty while it can.
    var spoolFault = ""
    /// How long the spool lasts. Nil before it is known.
    var spoolLasts: Duration?
    var isReserveReached = false

    /// Samples that the receiver refused, and samples that were dropped before they were sent.
    var rejected = SampleLosses()
    /// What the last refusal for good meant.
    var refusal: ReceiverHint.Meaning?
    var dropped: [DropReason: SampleLosses] = [:]
    var droppedBefore: [DropReason: UInt64] = [:]

    /// The file of the spool. Nil if none is open.
    var spool: SpoolFile?
    /// The contents of the spool of an earlier process, until the first reading.
    var spoolContents: SpoolContents?
    /// The time until which the spool of an earlier process is waited for, and that of the next attempt to open it. Nil if
    /// it is open, or if there is none.
    var formerSpoolWait: (until: MonotonicTime, next: MonotonicTime)?
    /// The bytes in the spool at the last reading.
    var bytesAtTick = 0
    /// The spools of destinations that are gone. Nil if another destination looks after them.
    private var formerSpools: FormerSpools?
    /// True until the line about the spool that is filled now is written.
    var isSpoolingTold = false
    /// The samples of the last reading, from which `spool_lasts_seconds` was computed.
    var toldSamples = 0

    private var completions: [Completion] = []

    /// A request that is under way.
    struct Sent {
        let id: RequestID
        let shard: Int
        let samples: Int
        let at: MonotonicTime
        let wall: Timestamp
        /// True after the log was told that it has no answer yet.
        var isLate = false
    }

    private enum Limits {
        /// The time that a journal may take for a commit. The last commit is left out if there is less time than this.
        static let commit = Duration.seconds(1)
        /// The time for sending at a stop, if the spool keeps the rest.
        static let farewell = Duration.seconds(3)
    }

    var waker: Waker { transport.waker }

    init(
        _ settings: ShipperSettings, _ published: PublishedStatus, _ metrics: ShipperMetrics,
        restoring state: ShippedState,
        families: [FamilyDescriptor], configured: [String]?, _ journal: (any ReadingJournal)?, _ log: Log,
        _ time: any TimeSource, _ noteClock: @escaping ShipperThread.NoteClock = { _, _ in }
    ) throws(TransportError) {
        self.noteClock = noteClock
        self.settings = settings
        self.published = published
        hint = ReceiverHint(settings, about: .delivery)
        self.metrics = metrics
        self.journal = journal
        self.log = log.marked("destination", settings.destination)
        self.time = time
        transport = try Transport(ShipperRequests.options(settings), time: time)
        requests = ShipperRequests(settings)
        fingerprint = settings.labels.fingerprint
        table = SeriesTable(labels: settings.labels, schedule: settings.schedule, selection: settings.selection)
        table.recordsKeys = journal != nil
        var bounded = settings.delivery
        bounded.spool = settings.spool.map { SpoolBounds(bytes: $0.maxBytes.bytes, age: $0.maxAge) }
        delivery = Delivery(
            bounded, limits: settings.batches, endpoint: settings.url.description,
            seed: UInt64.random(in: 0 ... .max))
        metrics.note(limits: settings.batches, maxShards: settings.delivery.maxShards)
        trust = currentTrust()
        usedTrust = trust
        table.restore(state, families: families)
        openSpoolOfEarlierProcess()
        if let spools = settings.spool ?? settings.unusedSpools, let configured {
            formerSpools = FormerSpools(
                spools, configured: settings.spool == nil ? [] : configured, dropped: metrics.spoolDropped, log: log,
                now: time.now())
        }
        reloadCredentials()
    }

    // MARK: Readings

    /// The newest time that the receiver has accepted.
    var newestAccepted: Timestamp? { delivery.statistics.newestSent }

    /// Takes a reading, commits it in the journal, and enqueues its samples.
    ///
    /// - Parameter merged: the readings that became one with another, since the start.
    func take(_ tick: Tick, merged: UInt64) {
        reloadCredentials()
        trust = currentTrust()
        metrics.note(merged: merged)
        formerSpools?.removeOld(at: time.now())
        bytesAtTick = delivery.spooled_bytes
        // An outage must not cost memory.
        if delivery.isSpooling { Heap.giveBack() }
        if let time = tick.setBackTo {
            table.setBack(to: time)
            delivery.dropFuture(after: time, &table)
        }
        var block = delivery.emptyBlock()
        // The reader makes no reading that is not later than all before it.
        guard table.take(tick.reading, isLast: tick.isLast, into: &block) == .made else { return }
        var blocks = [block]
        if tick.isLast && settings.staleOnStop {
            var markers = delivery.emptyBlock()
            table.endAll(at: tick.reading.time + .milliseconds(1), into: &markers)
            blocks.append(markers)
        }
        metrics.note(markersGivenUp: table.markersGivenUp)
        restoreSpool()
        let outcome = commit(evenIfNothingChanged: true)
        if outcome == .maySend { delivery.release() }
        delivery.noteTick(at: tick.at)
        tellSpoolLasts(samples: block.samples.count)
        for block in blocks { delivery.enqueue(block, isWithheld: outcome == .withhold, &table) }
        metrics.update(delivery.statistics, at: time.now())
    }

    /// Commits the reading, with the series that began and ended, before any of it is sent.
    private func commit(evenIfNothingChanged: Bool) -> ReadingOutcome {
        guard let journal, let at = table.lastReading else { return .maySend }
        let (began, ended) = table.takeKeys()
        if !evenIfNothingChanged && began.isEmpty && ended.isEmpty { return .maySend }
        return journal.commit(
            reading: at, destination: settings.destination, labels: fingerprint, began: began, ended: ended)
    }

    // MARK: One round of the loop

    /// Begins the requests that are due, and waits for the next event: an answer, a reading, or another message in the
    /// inbox.
    func turn(until limit: MonotonicTime? = nil) {
        tellLosses()
        var deadline = limit
        if let due = rejected.dueAt { deadline = min(deadline ?? due, due) }
        if let due = dropped.values.compactMap(\.dueAt).min() { deadline = min(deadline ?? due, due) }
        if let until = beginRequests() { deadline = min(deadline ?? until, until) }
        if let late = tellLateRequests() { deadline = min(deadline ?? late, late) }
        // The wait that follows may be long.
        publish()
        transport.poll(until: deadline, into: &completions)
        for completion in completions { finish(completion) }
        completions.removeAll(keepingCapacity: true)
        metrics.update(delivery.statistics, at: time.now())
        publish()
    }

    /// Begins all requests that are due. Returns the time of the next one, if it is known.
    private func beginRequests() -> MonotonicTime? {
        // Changed certificates need new connections, and these come when the old ones are not used any more.
        if trust != usedTrust { renewTrust() }
        guard trust == usedTrust else { return nil }
        if let until = awaitFormerSpool() { return until }
        noteRoom()
        let wasSpooling = delivery.isSpooling
        // The wait that follows may be long.
        defer { if delivery.isSpooling != wasSpooling { noteRoom() } }
        while true {
            switch delivery.next(at: time.monotonic(), &table) {
            case .idle: return nil
            case .wait(let until): return until
            case .send(let attempt): begin(attempt)
            case .spool(let order): perform(order)
            }
        }
    }

    private func begin(_ attempt: Delivery.Attempt) {
        if attempt.renewsCredentials { reloadCredentials() }
        let now = time.monotonic()
        let id = transport.start(requests.request(attempt.body, attempt.message, retry: attempt.retry))
        inFlight.append(Sent(id: id, shard: attempt.shard, samples: attempt.samples, at: now, wall: time.now()))
    }

    private func finish(_ raw: Completion) {
        let completion = requests.masked(raw)
        guard let index = inFlight.firstIndex(where: { $0.id == completion.id }) else { return }
        let sent = inFlight.remove(at: index)
        metrics.noteCompletion(completion)
        let outcome: Delivery.Outcome
        switch completion.outcome {
        case .failure(let failure): outcome = .failed(mayHaveArrived: failure.mayHaveArrived)
        case .response(let response):
            let (receivedAt, now) = (time.now(), time.monotonic())
            if let clock = response.clock(receivedAt: receivedAt, took: now.since(sent.at)) { noteClock(clock, now) }
            outcome = .answered(
                status: response.status, retryAfter: response.retryAfter(at: time.now()),
                wasResent: completion.deliveries > 1, written: ShipperRequests.written(in: response))
        }
        let before = delivery.statistics.message
        let verdict = delivery.settle(
            shard: sent.shard, outcome, at: time.monotonic(), wall: time.now(), &table)
        report(verdict, completion, sent)
        let message = delivery.statistics.message
        if case .fellBack = verdict { return }
        if message != before {
            log.info("the receiver gets another message from now on", ["remote_write": .string(message.rawValue)])
        }
    }

    // MARK: Secrets and trust

    /// Reads the credentials again. New ones end a wait that the old ones caused.
    func reloadCredentials(endWait: Bool = false) {
        do throws(SecretSource.SecretError) {
            if try requests.reload() || endWait { delivery.hurry() }
            receiver.note(credentialFault: nil)
        } catch {
            receiver.note(credentialFault: hint.ofCredentials(error))
            log.throttled(
                .error,
                """
                the credentials for the receiver cannot be read again: those from before stay in use, and samples wait \
                where they are not good any more; mend the file
                """, ["error": .text(error)])
        }
    }

    /// Makes new connections if certificates or keys have changed, and no request is under way.
    private func renewTrust() {
        guard inFlight.isEmpty else { return }
        do throws(TransportError) {
            transport = try Transport(ShipperRequests.options(settings), time: time, waker: transport.waker)
            log.info("certificates have changed: new connections are made")
        } catch {
            log.throttled(.error, "changed certificates cannot be used", ["error": .text(error)])
        }
        usedTrust = trust
    }

    private func currentTrust() -> [FileStamp?] {
        [settings.authorityFile, settings.certificateFile, settings.keyFile].map { $0.flatMap(FileStamp.init(path:)) }
    }

    // MARK: Stopping

    /// Sends what can be sent before the deadline, and puts the rest into the spool. What that does not take is counted as
    /// lost.
    ///
    /// A wait that would last longer than the deadline is not begun. With a spool, nobody waits for a receiver that does
    /// not answer.
    func finish(by deadline: MonotonicTime) -> ShipperReport {
        let hasSpool = settings.spool != nil
        if !(hasSpool && delivery.isReceiverAway(at: time.monotonic())) {
            delivery.hurry()
            // The spool needs time as well.
            let left = max(.zero, deadline.since(time.monotonic()))
            send(
                until: hasSpool ? time.monotonic() + min(Limits.farewell, left / 2) : deadline, endsAtFailure: hasSpool)
        }
        if hasSpool && !delivery.isEmpty && formerSpoolWait == nil {
            fillSpool(until: deadline)
            // The disk did not take everything: the receiver gets its last chance.
            if delivery.hasUnspooled && !delivery.isWithholding {
                delivery.hurry()
                send(until: deadline)
            }
        }
        commitEnd(by: deadline)
        tellLosses(isLast: true)
        for sent in inFlight { transport.cancel(sent.id) }
        let isHeld = delivery.isWithholding
        delivery.abandon(&table)
        closeSpool()
        if let left = delivery.statistics.dropped[.stopped], left > 0 {
            if isHeld {
                log.info(
                    "readings that the journal did not confirm are not sent: the next leader's have all of it",
                    ["samples": .int(Int(left))])
            } else {
                log.warning(
                    """
                    samples are lost: the receiver did not take them before the stop, and no spool keeps them; see why it \
                    does not answer, and SPOOL_MAX_BYTES
                    """, ["lost": .int(Int(left))])
            }
        }
        let statistics = delivery.statistics
        metrics.update(statistics, at: time.now())
        inFlight.removeAll()
        publish()
        return ShipperReport(statistics)
    }

    /// - Parameter endsAtFailure: a failed request is not tried again.
    private func send(until deadline: MonotonicTime, endsAtFailure: Bool = false) {
        while !delivery.isEmpty && canSend(before: deadline) && !(endsAtFailure && delivery.hasFailed) {
            turn(until: deadline)
        }
    }

    /// Commits which series the receiver knows to have ended.
    private func commitEnd(by deadline: MonotonicTime) {
        guard settings.staleOnStop, time.monotonic() + Limits.commit <= deadline else { return }
        table.releaseEnded()
        // Nothing is sent after this commit, so its outcome does not matter.
        _ = commit(evenIfNothingChanged: false)
    }

    private func canSend(before deadline: MonotonicTime) -> Bool {
        if delivery.isWithholding { return false }
        let now = time.monotonic()
        return max(now, delivery.waitsUntil ?? now) < deadline
    }
}
