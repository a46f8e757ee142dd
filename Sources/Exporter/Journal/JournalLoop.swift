import Journal
package import Metrics
package import Platform
package import Recording
package import RemoteWrite
import Storage
package import Wire

/// The `journal` thread: owns the journal. Restores the state at start; then commits events before they are answered,
/// and what the recorder did before its outcome leaves.
///
/// Any thread may call it; only `commit(reading:)` waits.
package final class JournalLoop: Sendable {
    /// Makes a recorder out of what was kept.
    package struct Restoration: Sendable {
        /// An empty one.
        let fresh: @Sendable () -> Recorder
        /// An empty one, and no series are left of an attempt to restore one.
        let emptied: @Sendable () -> Recorder
        /// One with this state; `keepsTotals` is false where counters and histograms begin at zero.
        let restored:
            @Sendable (MessageReader, [Recording.IDSegment], _ keepsTotals: Bool) throws(StateFault) -> Recorder
        /// How long ids of a kind are remembered.
        let idLifetime: @Sendable (_ kind: Int) -> Duration

        package init(_ settings: RecorderSettings, _ catalog: Catalog) {
            fresh = { Recorder(settings: settings, catalog: catalog) }
            emptied = {
                catalog.endAll()
                return Recorder(settings: settings, catalog: catalog)
            }
            restored = { (state, ids, keepsTotals) throws(StateFault) in
                try Recorder(
                    restoring: state, ids: ids, keepsTotals: keepsTotals, settings: settings, catalog: catalog)
            }
            idLifetime = { Recorder.expiry(ofKind: $0, settings: settings) }
        }
    }

    enum Start: Sendable {
        /// Can become: ready, none.
        case pending
        /// Can become: none.
        case ready(RecorderStart)
        /// It was taken, or will never come.
        case none
    }

    /// What both threads look at.
    struct Shared: Sendable {
        /// State is kept on disk.
        var keepsState = false
        /// A snapshot is being written.
        var isSaving = false
        /// The file on disk is new: a complete snapshot has to come first.
        var needsSnapshot = false
        /// The remembered ids of all times belong into the next snapshot.
        var needsAllIDs = false
        /// Names the rows of all journals that this state had.
        var rowOrigin = ""
        /// The starts of the program and the names of its rows, and what the numbers of its inputs begin at.
        var lineage = ""
        var ordinalBase: Int64 = 0
        /// The size of the last snapshot, for the buffer of the next one.
        var snapshot_bytes = 0
        /// The number of the last input that a snapshot or an entry of the journal stands for.
        var lastState: (events: Int64, inputs: Int64) = (-1, -1)
    }

    private let queue: CommitQueue
    private let settings: JournalSettings
    private let time: any TimeSource
    private let start = Monitor(Start.pending)
    let shared = Monitor(Shared())
    private let metrics: JournalMetrics
    private let thread: Monitor<NamedThread?>

    /// Starts the thread.
    package init(
        settings: JournalSettings, queue: CommitQueue, intake: WebhookIntake, store: StoreLoop,
        restoration: Restoration, registry: Registry, readiness: Readiness, log: Log,
        time: any TimeSource = SystemTime()
    ) {
        self.queue = queue
        self.settings = settings
        self.time = time
        let metrics = JournalMetrics(in: registry)
        self.metrics = metrics
        thread = Monitor(nil)
        let (start, shared) = (start, shared)
        let thread = NamedThread(name: "journal") {
            let worker = JournalWorker(
                settings: settings, queue: queue, shared: shared, intake: intake, store: store,
                restoration: restoration, metrics: metrics, readiness: readiness, log: log, time: time)
            if let begin = worker.begin() {
                start.change { $0 = .ready(begin) }
                worker.run()
            } else {
                start.change { $0 = .none }
            }
            worker.end()
            queue.mail.change { $0.isFinished = true }
        }
        self.thread.withLock { $0 = thread }
    }

    // MARK: Recorder

    /// Inputs other than events are journaled.
    var keepsInputs: Bool { settings.directory != nil && settings.durability == .commit }

    /// What the recorder knows survives the process.
    var keepsState: Bool { shared.withLock { $0.keepsState } }

    /// Waits for the state; nil where a stop came first. Once.
    func awaitStart() -> RecorderStart? {
        let found: RecorderStart?? = start.wait(until: nil) { start in
            switch start {
            case .pending: return nil
            case .none: return .some(nil)
            case .ready(let begin):
                start = .none
                return .some(begin)
            }
        }
        return found ?? nil
    }

    /// Takes an input that the recorder is about to apply. It wakes nobody: what comes of it does.
    func note(_ input: AppliedInput) { queue.mail.withLock { $0.note(input) } }

    /// Takes what one turn of the recorder left.
    func take(_ turn: RecorderTurn) { queue.mail.change { $0.turns.append(turn) } }

    /// Whether a snapshot is worth making now.
    func wantsSnapshot(isLast: Bool) -> Bool {
        shared.withLock { $0.keepsState && (isLast || !$0.isSaving) }
    }

    /// A complete snapshot is wanted at once: nothing is accepted without it.
    var needsSnapshot: Bool { shared.withLock { $0.needsSnapshot && !$0.isSaving } }

    /// Makes the snapshot. On the recorder's thread: it takes as long as the state is large.
    func encode(
        _ recorder: inout Recorder, events: Int64, inputs: Int64, rows: Int64, isLast: Bool
    ) -> RecorderSnapshot? {
        let (size, all, isUnchanged, origin) = shared.withLock { shared in
            defer {
                shared.isSaving = true
                shared.needsAllIDs = false
            }
            let isUnchanged = shared.lastState == (events, inputs) && !shared.needsSnapshot && !isLast
            return (shared.snapshot_bytes, shared.needsAllIDs, isUnchanged, shared)
        }
        if isUnchanged {
            shared.withLock { $0.isSaving = false }
            return nil
        }
        let begin = time.monotonic()
        var writer = MessageWriter()
        writer.reserve(size + size / 8)
        SavedState.append(state: { recorder.encodeState(into: &$0) }, to: &writer)
        SavedState.append(
            rowOrigin: origin.rowOrigin, isJournaled: settings.durability == .commit, ordinalBase: origin.ordinalBase,
            lineage: origin.lineage, to: &writer)
        let ids = recorder.takeIDs(all: all)
        metrics.noteEncoded(took: time.monotonic().since(begin))
        shared.withLock { shared in
            shared.snapshot_bytes = writer.count
            shared.lastState = (events, inputs)
        }
        return RecorderSnapshot(
            state: writer.bytes, ids: ids, events: events, inputs: inputs, rows: rows, isLast: isLast)
    }

    // MARK: Stopping

    /// No event follows: commits what was accepted, and tells the intake when all of it is with the recorder.
    package func close() { queue.mail.change { $0.isClosing = true } }

    /// Writes what is left and ends the thread; call it when nobody uses it any more. False where it did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        queue.mail.change { $0.stopBy = deadline }
        let end = deadline + .milliseconds(500)
        guard queue.mail.wait(until: end, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.withLock { $0.take() }?.join()
        return true
    }
}

extension JournalLoop: ShipperJournal {
    /// Writes down what is about to be pushed, after everything that it shows. Waits for that, a second at most.
    package func commit(reading at: Timestamp, labels: String, began: [SeriesKey], ended: [SeriesKey]) {
        guard settings.directory != nil else { return }
        let reading = ShipperReading(
            at: at, labels: labels, began: began.map(\.bytes), ended: ended.map(\.bytes), isDone: Monitor(false))
        queue.mail.change { $0.readings.append(reading) }
        let deadline = time.monotonic() + JournalSettings.Limits.readingPatience
        _ = reading.isDone.wait(until: deadline) { $0 ? true : nil }
    }
}
