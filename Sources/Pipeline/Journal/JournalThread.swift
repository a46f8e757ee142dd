package import Metrics
package import Platform
package import Recording
import Wire

/// The `journal` thread: owns the journal. Restores the state at start; then commits events before they are answered,
/// and what the recorder did before its outcome leaves.
package final class JournalThread: Sendable {
    /// Makes a recorder out of what was kept.
    package struct Restoration: Sendable {
        /// An empty one.
        let fresh: @Sendable () -> Recorder
        /// An empty one, and no series are left of an attempt to restore one.
        let emptied: @Sendable () -> Recorder
        /// One with this state; `keepsTotals` is false where counters and histograms begin at zero.
        let restored: @Sendable (MessageReader, [IDSegment], _ keepsTotals: Bool) throws(StateFault) -> Recorder
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

    private enum Start: Sendable {
        /// Can become: ready, none.
        case pending
        /// Can become: none.
        case ready(RecorderStart)
        /// It was taken, or will never come.
        case none
    }

    /// The format of the snapshots that it writes.
    package static let snapshotFormat = SnapshotBody.format

    /// Takes events, turns, readings, and what became of rows.
    package let inbox: JournalInbox
    private let start = Monitor(Start.pending)
    /// Nil when it was joined.
    private let thread: Monitor<NamedThread?>

    /// Starts the thread, which restores the state first.
    ///
    /// - Parameters:
    ///   - store: where committed rows go.
    ///   - events: where committed events go.
    ///   - room: gets the room back of events that could not be committed.
    package init(
        _ inbox: JournalInbox, settings: JournalSettings, store: StoreInbox, events: any CommittedEventReceiver,
        room: any EventRoom, restoration: Restoration, registry: Registry, readiness: Readiness, log: Log,
        time: any TimeSource = SystemTime()
    ) {
        self.inbox = inbox
        let metrics = JournalMetrics(in: registry)
        let start = start
        let thread = NamedThread(name: "journal") {
            let worker = JournalWorker(
                inbox, settings: settings, store: store, receiver: events, room: room, restoration: restoration,
                metrics: metrics, readiness: readiness, log: log, time: time)
            if let begin = worker.begin() {
                start.change { $0 = .ready(begin) }
                worker.run()
            } else {
                start.change { $0 = .none }
            }
            worker.end()
        }
        self.thread = Monitor(thread)
    }

    /// Waits for the state; nil where a stop came first. Once.
    package func awaitStart() -> RecorderStart? {
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

    /// Writes what is left and ends the thread; call it when nobody uses it any more.
    /// False where it did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.stop(by: deadline)
        guard inbox.waitForEnd(until: deadline + .milliseconds(500)) else { return false }
        thread.withLock { $0.take() }?.join()
        return true
    }
}
