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
    var delivery: Delivery
    private var clock: ClockGuard
    private let fingerprint: String
    /// The files of certificates and keys as they are, and as they were when the transport was made.
    private var trust: [FileStamp?] = []
    private var usedTrust: [FileStamp?] = []

    private let startedAt: MonotonicTime
    private var nextTick: MonotonicTime
    private var inFlight: [Sent] = []
    /// The number of failed requests since the last success.
    private var failures = 0

    /// Samples that the receiver refused, and samples that were dropped before they were sent.
    var rejected = SampleLosses()
    var dropped: [DropReason: SampleLosses] = [:]
    var droppedBefore: [DropReason: UInt64] = [:]

    private var completions: [Completion] = []

    /// A request that is under way.
    private struct Sent {
        let id: RequestID
        let shard: Int
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
        table = SeriesTable(labels: settings.labels, schedule: settings.schedule, selection: settings.selection)
        table.recordsKeys = journal != nil
        delivery = Delivery(settings.delivery, limits: settings.batches, seed: UInt64.random(in: 0 ... .max))
        startedAt = time.monotonic()
        nextTick = startedAt + settings.schedule.pushInterval
        metrics.note(limits: settings.batches, maxShards: settings.delivery.maxShards)
        trust = currentTrust()
        usedTrust = trust
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
        if let newest = delivery.statistics.newestSent { clock.noteAccepted(until: newest) }
        switch clock.check(wall, monotonic) {
        case .good: break
        case .setBack:
            table.setBack(to: wall)
            delivery.dropFuture(after: wall, &table)
            log.warning(
                """
                the clock was ahead and is set back: readings go on from its time, and samples with later times are \
                given up; see what sets the clock
                """)
        // Whatever the clock shows, the last values come right after those before them.
        case _ where isLast: wall = (table.lastReading ?? table.floor).map { $0 + .milliseconds(1) } ?? wall
        case .wentBack: return skip("clock_went_back")
        case .jumpedAhead: return skip("clock_jumped_ahead")
        }
        metrics.noteReading()
        metrics.update(delivery.statistics, at: wall)
        registry.collect()
        table.applyChanges(of: registry)
        var block = delivery.emptyBlock()
        if table.read(at: wall, into: &block) == .skipped { return skip("clock_went_back") }
        var blocks = [block]
        if isLast && settings.staleOnStop {
            var markers = delivery.emptyBlock()
            table.endAll(at: wall + .milliseconds(1), into: &markers)
            blocks.append(markers)
        }
        metrics.note(markersGivenUp: table.markersGivenUp)
        let outcome = commit(evenIfNothingChanged: true)
        if outcome == .maySend { delivery.release() }
        delivery.noteTick(at: monotonic)
        for block in blocks { delivery.enqueue(block, isWithheld: outcome == .withhold, &table) }
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
        return journal.commit(
            reading: at, destination: settings.destination, labels: fingerprint, began: began, ended: ended)
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
        if let due = dropped.values.compactMap(\.dueAt).min() { deadline = min(deadline ?? due, due) }
        if let limit { deadline = min(deadline ?? limit, limit) }
        if let until = beginRequests() { deadline = min(deadline ?? until, until) }
        transport.poll(until: deadline, into: &completions)
        for completion in completions { finish(completion) }
        completions.removeAll(keepingCapacity: true)
        metrics.update(delivery.statistics, at: time.now())
    }

    private func tick() {
        reloadCredentials()
        trust = currentTrust()
        read()
    }

    /// Begins all requests that are due. Returns the time of the next one, if it is known.
    private func beginRequests() -> MonotonicTime? {
        // Changed certificates need new connections, and these come when the old ones are not used any more.
        if trust != usedTrust { renewTrust() }
        guard trust == usedTrust else { return nil }
        while true {
            switch delivery.next(at: time.monotonic(), &table) {
            case .idle: return nil
            case .wait(let until): return until
            case .send(let attempt): begin(attempt)
            }
        }
    }

    private func begin(_ attempt: Delivery.Attempt) {
        if attempt.renewsCredentials { reloadCredentials() }
        let id = transport.start(requests.request(attempt.body, attempt.message, retry: attempt.retry))
        inFlight.append(Sent(id: id, shard: attempt.shard, samples: attempt.samples))
    }

    private func finish(_ completion: Completion) {
        guard let index = inFlight.firstIndex(where: { $0.id == completion.id }) else { return }
        let sent = inFlight.remove(at: index)
        metrics.noteCompletion(completion)
        let outcome: Delivery.Outcome
        switch completion.outcome {
        case .failure(let failure): outcome = .failed(mayHaveArrived: failure.mayHaveArrived)
        case .response(let response):
            outcome = .answered(
                status: response.status, retryAfter: response.retryAfter(at: time.now()),
                wasResent: completion.deliveries > 1, written: ShipperRequests.written(in: response))
        }
        let before = delivery.statistics.message
        let verdict = delivery.settle(
            shard: sent.shard, outcome, at: time.monotonic(), wall: time.now(), &table)
        report(verdict, completion.outcome, sent)
        let message = delivery.statistics.message
        if case .fellBack = verdict { return }
        if message != before {
            log.info("the receiver gets another message from now on", ["remote_write": .string(message.rawValue)])
        }
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
        case .acceptedInPart(let missing):
            failures = 0
            rejected.noteAccepted()
            log.throttled(
                .warning, every: SampleLosses.Limits.interval,
                """
                the receiver took a request and counted fewer samples than it holds: these count as ambiguous; see the \
                receiver's own log for what it left out
                """, ["status": .int(status), "missing": .int(missing), "samples": samples])
        case .rejected(let lost): if lost > 0 { noteRejected(lost, status: status, answer: reason) }
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
        case .fellBack(let reason):
            log.info(
                "the receiver does not read remote write 2.0: it gets 1.0, and is asked again in an hour",
                ["reason": .string(reason.rawValue), "status": .int(status)])
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
        for sent in inFlight { transport.cancel(sent.id) }
        delivery.abandon(&table)
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
