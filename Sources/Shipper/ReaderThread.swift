import Metrics
import Platform
import RemoteWrite
import Wire

/// Reads the registry at each tick on the thread `reader`.
///
/// It waits for nothing but the next tick, so no destination can delay the readings of another. It asks for fresh totals of
/// usage before a tick, and does not wait for them.
final class ReaderThread: Sendable {
    private struct Inbox {
        var hasRead = false
        var stops = false
        var hasEnded = false
    }

    private let inbox = Monitor(Inbox())
    private let thread: NamedThread

    /// Starts the thread, and returns when it has read every series.
    init(
        _ registry: Registry, _ metrics: ReaderMetrics, _ shippers: [ShipperThread], _ schedule: SeriesTable.Schedule,
        after newest: Timestamp?, refresh: ReaderWorker.Refresh?, log: Log, time: any TimeSource
    ) {
        thread = NamedThread(name: "reader") { [inbox] in
            let worker = ReaderWorker(
                registry, metrics, shippers, schedule, after: newest, refresh: refresh, log, time)
            worker.read()
            inbox.change { $0.hasRead = true }
            while true {
                // The wait is that of the clock that was given, which may be ahead of the one that ends it.
                let wait = worker.wakeAt.since(time.monotonic())
                if inbox.wait(until: SystemTime().monotonic() + wait, { $0.stops ? true : nil }) == true { break }
                worker.workIfDue()
            }
            worker.read(isLast: true)
            inbox.change { $0.hasEnded = true }
        }
        inbox.wait(until: nil) { $0.hasRead ? () : nil }
    }

    /// Makes the last reading, and ends the thread. Returns right after the deadline at the latest.
    func stop(by deadline: MonotonicTime) {
        inbox.change { $0.stops = true }
        // A collector that hangs ends with the process.
        if inbox.wait(until: deadline, { $0.hasEnded ? true : nil }) == true { thread.join() }
    }
}
