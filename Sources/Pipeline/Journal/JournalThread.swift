package import Metrics
package import Platform
package import Recording
import Wire

/// The `journal` thread, the owner of the journal.
///
/// It restores the state at the start. Then it commits events before they are answered, and other inputs of the
/// recorder before anything leaves that they caused.
package final class JournalThread: Sendable {
    /// Makes a recorder from the state that was kept.
    package struct Restoration: Sendable {
        /// Makes an empty recorder.
        let fresh: @Sendable () -> Recorder
        /// Makes an empty recorder, and ends the series that an attempt to restore one has left.
        let emptied: @Sendable () -> Recorder
        /// Makes a recorder with this state. Where `keepsTotals` is false, counters and histograms begin at zero.
        let restored: @Sendable (MessageReader, [IDSegment], _ keepsTotals: Bool) throws(StateFault) -> Recorder
        /// Returns how long ids of a kind are remembered.
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
        /// The start was taken, or will never come.
        case none
    }

    /// The format of the snapshots that it writes.
    package static let snapshotFormat = SnapshotBody.format

    /// Takes events, turns, readings, and news about rows.
    package let inbox: JournalInbox
    private let start = Monitor(Start.pending)
    /// Nil once the thread was joined.
    private let thread: Monitor<NamedThread?>

    /// Starts the thread, which restores the state first.
    ///
    /// - Parameters:
    ///   - store: takes committed rows.
    ///   - events: takes committed events.
    ///   - reservations: gets back the reservations of events that could not be committed.
    package init(
        _ inbox: JournalInbox, settings: JournalSettings, store: StoreInbox, events: any CommittedEventSink,
        reservations: any EventReservations, restoration: Restoration, registry: Registry, readiness: Readiness,
        log: Log,
        time: any TimeSource = SystemTime()
    ) {
        self.inbox = inbox
        let metrics = JournalMetrics(in: registry)
        let start = start
        let thread = NamedThread(name: "journal") {
            let worker = JournalWorker(
                inbox, settings: settings, store: store, recorder: events, reservations: reservations,
                restoration: restoration,
                metrics: metrics, readiness: readiness, log: log, time: time)
            if let begin = worker.begin() {
                // Before anybody can ask for a stop of a program that has started.
                worker.tellStore()
                start.change { $0 = .ready(begin) }
                worker.run()
            } else {
                start.change { $0 = .none }
            }
            worker.end()
        }
        self.thread = Monitor(thread)
    }

    /// Waits for the state; nil where a stop came first. Call it once.
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

    /// Writes what is left and ends the thread. Call it when nobody uses the journal any more. False where the thread
    /// did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.stop(by: deadline)
        guard inbox.waitForEnd(until: deadline + .milliseconds(500)) else { return false }
        thread.withLock { $0.take() }?.join()
        return true
    }
}
