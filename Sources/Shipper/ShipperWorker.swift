import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Wire

/// The loop of the thread `shipper`: it reads the registry at each tick and sends what the delivery decides.
///
/// It is made, used and ended on that thread.
final class ShipperWorker {
    private let settings: ShipperSettings
    private let registry: Registry
    private let metrics: ShipperMetrics
    private let journal: (any ReadingJournal)?
    let log: Log
    let time: any TimeSource

    private var transport: Transport
    private var requests: ShipperRequests
    private var table: SeriesTable
    private var writer: BatchWriter
    var delivery: Delivery
    private var clock: ClockGuard
    private let fingerprint: String
    private var trust: [FileStamp?] = []

    private let startedAt: MonotonicTime
    private var nextTick: MonotonicTime
    private var inFlight: Sent?
    /// The number of failed requests since the last success.
    private var failures = 0

    /// Samples that the receiver refused, and samples that were dropped before they were sent.
    var rejected = SampleLosses()
    var dropped = SampleLosses()
    var droppedBefore: UInt64 = 0

    private var batches: [Batch] = []
    private var effects: [Delivery.Effect] = []
    private var completions: [Completion] = []

    /// The request that is under way.
    private struct Sent {
        let id: RequestID
        let samples: Int
    }

    private enum Limits {
        /// The time that a journal may take for a commit. The last commit is left out if there is less time than this.
        static let commit = Duration.seconds(1)
    }

    var waker: Waker { transport.waker }

    init(
        _ settings: ShipperSettings, _ registry: Registry, _ metrics: ShipperMetrics, restoring state: ShippedState?,
        _ journal: (any ReadingJournal)?, _ log: Log, _ time: any TimeSource
    ) throws(TransportError) {
        self.settings = settings
        self.registry = registry
        self.metrics = metrics
        self.journal = journal
        self.log = log
        self.time = time
        transport = try Transport(ShipperRequests.options(settings), time: time)
        requests = ShipperRequests(settings)
        clock = ClockGuard(after: state?.lastReading)
        fingerprint = settings.labels.fingerprint
        table = SeriesTable(labels: settings.labels, schedule: settings.schedule)
        table.recordsKeys = journal != nil
        writer = BatchWriter(limits: settings.batches)
        // The memory for waiting batches must hold several of them. Otherwise a single reading could be too large for
        // it.
        let cap_bytes = min(settings.batches.compressed_bytes, settings.delivery.queue.bytes / 4)
        delivery = Delivery(settings.delivery, cap_bytes: cap_bytes, seed: UInt64.random(in: 0 ... .max))
        startedAt = time.monotonic()
        nextTick = startedAt + settings.schedule.pushInterval
        metrics.note(limits: settings.batches)
        trust = currentTrust()
        registry.startRecordingChanges()
        if let state { table.restore(state, families: registry.descriptors) }
        reloadCredentials()
    }

    // MARK: Reading

    /// Reads the registry now, commits the reading in the journal, and enqueues its samples.
    ///
    /// - Parameter isLast: no other reading follows. So this one is made even if no time has passed, and every series
    ///   ends with it if `staleOnStop` is set.
    func read(isLast: Bool = false) {
        let monotonic = time.monotonic()
        var wall = time.now()
        switch clock.check(wall, monotonic) {
        case .good: break
        case .earlierWasWrong:
            table.forgetFloor()
            log.warning("the last reading of the process before lies far ahead: its clock was wrong")
        // Whatever the clock shows, the last values come right after those before them.
        case _ where isLast: wall = (table.lastReading ?? table.floor).map { $0 + .milliseconds(1) } ?? wall
        case .wentBack: return skip("clock_went_back")
        case .jumpedAhead: return skip("clock_jumped_ahead")
        }
        metrics.noteReading()
        metrics.update(delivery.statistics, at: wall)
        registry.collect()
        table.apply(registry.takeChanges())
        table.noteSettled(before: delivery.oldestSequence ?? .max)
        writer.limits.compressed_bytes = min(settings.batches.compressed_bytes, delivery.cap_bytes)
        if table.read(at: wall, into: &writer) == .skipped { return skip("clock_went_back") }
        writer.finish(into: &batches)
        if isLast && settings.staleOnStop {
            table.endAll(at: wall + .milliseconds(1), into: &writer)
            writer.finish(into: &batches)
        }
        metrics.note(markersGivenUp: table.markersGivenUp)
        switch commit(evenIfNothingChanged: true) {
        case .maySend: delivery.release()
        case .withhold: if let first = batches.first { delivery.withhold(from: first.sequence) }
        }
        for batch in batches { delivery.enqueue(batch, into: &effects) }
        batches.removeAll(keepingCapacity: true)
        apply(&effects)
    }

    private func skip(_ reason: StaticString) {
        metrics.noteSkipped("\(reason)")
        log.throttled(.warning, "a reading was skipped: the clock is wrong", ["reason": .string("\(reason)")])
    }

    /// Commits the reading, with the series that began and ended, before any of it is sent.
    private func commit(evenIfNothingChanged: Bool) -> ReadingOutcome {
        guard let journal, let at = table.lastReading else { return .maySend }
        let (began, ended) = table.takeKeys()
        if !evenIfNothingChanged && began.isEmpty && ended.isEmpty { return .maySend }
        return journal.commit(reading: at, labels: fingerprint, began: began, ended: ended)
    }

    /// Passes the effects of the delivery to the series table and the writer.
    private func apply(_ effects: inout [Delivery.Effect]) {
        var index = 0
        // Handling one effect may append others.
        while index < effects.count {
            switch effects[index] {
            case .attempted(let rows, let sequence): table.noteAttempt(rows: rows, sequence: sequence)
            case .lost(let rows, let sequence, let wasAttempted):
                let starts = table.noteLoss(rows: rows, sequence: sequence, wasAttempted: wasAttempted)
                if !starts.isEmpty {
                    table.noteRestart(delivery.restart(starts, after: sequence, into: &effects))
                }
            case .released(let body): writer.recycle(body)
            }
            index += 1
        }
        effects.removeAll(keepingCapacity: true)
    }

    // MARK: One round of the loop

    /// Makes the reading that is due, begins the request that is due, and waits for the next event.
    func turn(until limit: MonotonicTime? = nil, ticks: Bool = true) {
        let now = time.monotonic()
        if ticks && now >= nextTick {
            tick()
            // Ticks stay on the grid of the first reading. A missed tick is not made up for.
            let interval = settings.schedule.pushInterval
            let passed = Int64(time.monotonic().since(startedAt) / interval)
            nextTick = startedAt + interval * Int(passed + 1)
        }
        tellLosses()
        var deadline = ticks ? nextTick : nil
        if let due = rejected.dueAt { deadline = min(deadline ?? due, due) }
        if let due = dropped.dueAt { deadline = min(deadline ?? due, due) }
        if let limit { deadline = min(deadline ?? limit, limit) }
        switch delivery.next(at: time.monotonic(), into: &effects) {
        case .idle: break
        case .wait(let until): deadline = min(deadline ?? until, until)
        case .send(let attempt): begin(attempt)
        }
        apply(&effects)
        transport.poll(until: deadline, into: &completions)
        for completion in completions { finish(completion) }
        completions.removeAll(keepingCapacity: true)
        metrics.update(delivery.statistics, at: time.now())
    }

    private func tick() {
        reloadCredentials()
        renewTrust()
        read()
    }

    private func begin(_ attempt: Delivery.Attempt) {
        if attempt.renewsCredentials { reloadCredentials() }
        let id = transport.start(requests.request(attempt.body, .v1, retry: attempt.retry))
        inFlight = Sent(id: id, samples: attempt.samples)
    }

    private func finish(_ completion: Completion) {
        guard let sent = inFlight, sent.id == completion.id else { return }
        inFlight = nil
        metrics.noteCompletion(completion)
        let outcome: Delivery.Outcome
        switch completion.outcome {
        case .failure(let failure): outcome = .failed(mayHaveArrived: failure.mayHaveArrived)
        case .response(let response):
            outcome = .answered(
                status: response.status, retryAfter: response.retryAfter(at: time.now()),
                wasResent: completion.deliveries > 1)
        }
        let verdict = delivery.settle(outcome, at: time.monotonic(), wall: time.now(), into: &effects)
        apply(&effects)
        report(verdict, completion.outcome, sent)
    }

    private func report(_ verdict: Delivery.Verdict, _ outcome: Completion.Outcome, _ sent: Sent) {
        let status: Int
        let reason: String
        switch outcome {
        case .response(let response):
            status = response.status
            reason = ShipperRequests.words(of: response)
        case .failure(let failure):
            status = 0
            reason = failure.description
        }
        let samples = Log.Value.int(sent.samples)
        switch verdict {
        case .accepted:
            if failures > 0 { log.info("the receiver takes samples again", ["failures": .int(failures)]) }
            failures = 0
            if case .response(let response) = outcome { noteAccepted(response) }
        case .rejected: noteRejected(sent.samples, status: status, answer: reason)
        case .ambiguous:
            log.throttled(
                .warning, "the receiver refused samples that it may have stored before",
                ["status": .int(status), "answer": .string(reason), "samples": samples])
        case .retried(let wait):
            failures += 1
            log.throttled(
                .warning, "samples could not be sent and are kept",
                [
                    "status": .int(status), "answer": .string(reason), "samples": samples,
                    "again_ms": .milliseconds(wait),
                ])
        case .held(let wait):
            failures += 1
            log.throttled(
                .error,
                status == 407
                    ? """
                    the proxy refused the credentials: samples wait, the oldest are lost when their memory is full; mend \
                    HTTPS_PROXY or HTTP_PROXY
                    """
                    : """
                    the receiver refused the credentials: samples wait, the oldest are lost when their memory is full; \
                    mend GRAFANA_PROM_USERNAME and GRAFANA_API_KEY, or REMOTE_WRITE_BEARER_TOKEN
                    """,
                ["status": .int(status), "answer": .string(reason), "again_ms": .milliseconds(wait)])
        case .split:
            log.throttled(
                .warning, "the receiver found a request too large", ["cap_bytes": .int(delivery.cap_bytes)])
        }
    }

    // MARK: Secrets and trust

    /// Reads the credentials again. New ones end a wait that the old ones caused.
    func reloadCredentials(endWait: Bool = false) {
        do throws(SecretSource.SecretError) {
            if try requests.reload() || endWait { delivery.hurry() }
        } catch {
            log.throttled(
                .error,
                """
                the credentials for the receiver cannot be read again: those from before stay in use, and samples wait \
                where they are not good any more; mend the file
                """, ["error": .text(error)])
        }
    }

    /// Makes new connections if certificates or keys have changed.
    private func renewTrust() {
        let current = currentTrust()
        guard current != trust, inFlight == nil else { return }
        do throws(TransportError) {
            let renewed = try Transport(ShipperRequests.options(settings), time: time, waker: transport.waker)
            transport = renewed
            trust = current
            log.info("certificates have changed: new connections are made")
        } catch {
            log.throttled(.error, "changed certificates cannot be used", ["error": .text(error)])
        }
    }

    private func currentTrust() -> [FileStamp?] {
        [settings.authorityFile, settings.certificateFile, settings.keyFile].map { $0.flatMap(FileStamp.init(path:)) }
    }

    // MARK: Stopping

    /// Takes the last reading, ends the series, sends what can be sent before the deadline, and counts the rest.
    ///
    /// A wait that would last longer than the deadline is not begun.
    func finish(by deadline: MonotonicTime) -> ShipperReport {
        read(isLast: true)
        delivery.hurry()
        while !delivery.isEmpty && canSend(before: deadline) {
            turn(until: deadline, ticks: false)
        }
        commitEnd(by: deadline)
        tellLosses(isLast: true)
        if let inFlight { transport.cancel(inFlight.id) }
        delivery.abandon(into: &effects)
        effects.removeAll()
        if let left = delivery.statistics.dropped[.stopped], left > 0 {
            log.warning("samples are lost: the receiver did not take them before the stop", ["lost": .int(Int(left))])
        }
        let statistics = delivery.statistics
        metrics.update(statistics, at: time.now())
        return ShipperReport(statistics)
    }

    /// Commits which series the receiver knows to have ended.
    private func commitEnd(by deadline: MonotonicTime) {
        guard settings.staleOnStop, time.monotonic() + Limits.commit <= deadline else { return }
        table.noteSettled(before: delivery.oldestSequence ?? .max)
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
