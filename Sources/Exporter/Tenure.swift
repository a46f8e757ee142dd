import Enforcement
import HTTPClient
import LiveKit
import Metrics
import Pipeline
import Platform
import Reconciliation
import Recording
import RemoteWrite
import Shipper

/// The parts that count while they run: the journal, the recorder, the store, the enforcer, the poller, and the shippers of
/// what is counted.
///
/// One thread starts and stops it, each once. Any thread may call the rest.
final class Tenure: Sendable {
    private struct Parts {
        /// Nil if sessions are not enforced.
        var enforcer: EnforcerThread?
        /// Nil if nothing is compared with LiveKit's API.
        var poller: PollerThread?
        var store: StoreThread?
        var journal: JournalThread?
        /// Nil if no receiver is configured.
        var destinations: Destinations?
        var recorder: RecorderThread?
    }

    /// The result of a stop.
    struct End {
        /// Every part ended in time.
        var isInTime: Bool
        var rowsLeft: Int
        /// Nil if nothing is pushed.
        var shipped: ShipperReport?
    }

    let plan: TenurePlan
    private let process: Plan
    private let running: RunningParts
    private let reservations: any EventReservations
    private let log: Log
    private let time: any TimeSource
    private let parts = Monitor(Parts())

    /// - Parameter reservations: gets back the reservations of events that the recorder has taken.
    init(
        _ plan: TenurePlan, of process: Plan, running: RunningParts, reservations: any EventReservations, log: Log,
        time: any TimeSource
    ) {
        self.plan = plan
        self.process = process
        self.running = running
        self.reservations = reservations
        self.log = log
        self.time = time
    }

    /// The destinations and their state. Nil before pushing has started, and if nothing is pushed.
    var destinations: Destinations? { parts.withLock { $0.destinations } }

    /// Compares with LiveKit's API. Nil if nothing is compared.
    var poller: PollerThread? { parts.withLock { $0.poller } }

    // MARK: Starting

    /// Makes the parts that fail where something is configured wrongly. They do not work yet.
    func prepare() throws(StartError) {
        do throws(TransportError) {
            if let (settings, signer) = process.enforcer {
                let enforcer = try EnforcerThread(
                    settings, signer: running.signer ?? signer, registry: plan.registry, log: log, time: time)
                parts.change { $0.enforcer = enforcer }
            }
            if let (settings, signer) = process.poller {
                let poller = try PollerThread(
                    settings, signer: running.signer ?? signer, recorder: plan.recorderInbox, registry: plan.registry,
                    log: log, time: time)
                parts.change { $0.poller = poller }
            }
        } catch {
            throw StartError.unavailable("\(error)")
        }
    }

    /// Restores the state, and starts to count and to push. It waits for the state; `TenurePlan.cancelStart` ends that.
    ///
    /// If it fails, `stop` ends the parts that were started.
    func start(until patience: Duration) throws(StartError) {
        let begin = time.monotonic()
        startStore()
        var state = try restoreState()
        running.hasState = true
        // After a restart many webhooks come at once, and their look-ups should not wait for a connection that is just
        // being opened. A database that does not answer does not keep the webhooks out.
        if state.isFresh { plan.storeInbox.askForPresence() }
        plan.storeInbox.awaitFirstAttempt(until: begin + patience)
        // The first reading comes before the first event, so every counter is known to have been zero.
        try startDestinations(restoring: state)
        // The recorder needs no list of every series that was pushed.
        state.shipped = ShippedStates()
        startRecorder(with: state)
        poller?.begin()
    }

    private func startStore() {
        let (recorder, journal) = (plan.recorderInbox, plan.journalInbox)
        let store = StoreThread(
            plan.storeInbox, settings: process.storeSettings, open: plan.openDatabase, clocks: process.clocks, log: log,
            time: time, interruption: plan.interruption, answer: { recorder.leave($0) },
            progress: { journal.note($0) })
        parts.change { $0.store = store }
    }

    /// Starts the journal, and waits for the state that it restores.
    private func restoreState() throws(StartError) -> RecorderStart {
        let journal = JournalThread(
            plan.journalInbox, settings: plan.journalSettings, store: plan.storeInbox, events: plan.recorderInbox,
            reservations: reservations, restoration: plan.restoration, registry: plan.registry,
            readiness: plan.readiness, log: log, time: time)
        parts.change { $0.journal = journal }
        guard let state = journal.awaitStart() else { throw StartError.stopped }
        return state
    }

    private func startDestinations(restoring state: RecorderStart) throws(StartError) {
        guard !process.destinations.isEmpty else {
            log.info("no receiver is configured: metrics are served at /metrics and pushed nowhere")
            return
        }
        let destinations = Destinations(
            process.destinations, registry: plan.registry, journal: plan.journalInbox, clocks: process.clocks,
            refresh: { [recorder = plan.recorderInbox] in recorder.requestUsage() }, log: log, time: time)
        do throws(TransportError) {
            let own = process.replica?.ownDestinations.map(\.destination) ?? []
            try destinations.makeFirstReading(restoring: state.shipped, beside: own)
        } catch {
            throw StartError.unavailable("\(error)")
        }
        parts.change { $0.destinations = destinations }
    }

    private func startRecorder(with state: RecorderStart) {
        let recorder = RecorderThread(
            plan.recorderInbox, start: state, reservations: reservations, journal: plan.journalInbox,
            store: plan.storeInbox, removals: parts.withLock { $0.enforcer },
            unknownRooms: UnknownRoomsLog(source: process.recorderSettings.organizationSource, log: log), log: log,
            time: time)
        parts.change { $0.recorder = recorder }
    }

    // MARK: Running

    /// Signs calls of LiveKit's API with the newest key from now on.
    func use(_ signer: TokenSigner) {
        let (enforcer, poller) = parts.withLock { ($0.enforcer, $0.poller) }
        enforcer?.use(signer)
        poller?.use(signer)
    }

    // MARK: Stopping

    /// Stops the parts from the top down: what was accepted is counted, rows are written, the last samples are pushed.
    /// No event may come any more.
    ///
    func stop(_ deadline: StopTime) -> End {
        let parts = parts.withLock { $0 }
        plan.journalInbox.close()
        if parts.recorder == nil { plan.journalInbox.noteRecorderDone() }
        let recorded = parts.recorder?.stop(by: deadline(0.4)) ?? true
        let enforced = parts.enforcer?.stop(by: deadline(0.5)) ?? true
        let polled = parts.poller?.stop(by: deadline(0.5)) ?? true
        let stored = parts.store?.stop(by: deadline(0.6))
        // The last reading has what was counted up to the stop.
        if parts.destinations != nil && parts.recorder != nil && recorded {
            _ = plan.journalInbox.waitForUsage(until: deadline(0.65))
        }
        let shipped = parts.destinations?.stop(by: deadline(0.85))
        let isKept = parts.journal?.stop(by: deadline(0.95)) ?? true
        return End(
            isInTime: recorded && enforced && polled && stored?.isFinished ?? true && isKept,
            rowsLeft: stored?.rowsLeft ?? 0, shipped: shipped)
    }
}

extension EnforcerThread: SessionRemovals {}
