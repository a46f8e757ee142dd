package import Journal
package import Metrics
package import Platform

/// The thread `append`, which makes events of this replica durable in the shared log, or in the spill while the log cannot
/// be reached.
package final class AppendThread: Sendable {
    private let inbox: AppendInbox
    private let caller: LogCaller
    private let interruption: Interruption
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - events: makes the end of the log, on a thread of its own.
    ///   - spill: opens the spill; nil where nothing is kept on this machine.
    ///   - reservations: gets back the reservations of events that are durable or refused.
    ///   - interruption: ends the waits of what `events` makes.
    ///   - appended: is called after each append, on the thread. It must not wait.
    package init(
        _ inbox: AppendInbox, settings: AppendSettings, events: @escaping @Sendable () -> any EventLog,
        spill: OpenSpill?, reservations: any EventReservations, registry: Registry, readiness: Readiness,
        interruption: Interruption, log: Log, time: any TimeSource = SystemTime(),
        appended: @escaping @Sendable () -> Void
    ) {
        self.inbox = inbox
        self.interruption = interruption
        let caller = LogCaller(events) { outcome in inbox.mail.change { $0.outcome = outcome } }
        self.caller = caller
        let metrics = AppendMetrics(in: registry)
        thread = NamedThread(name: "append") {
            AppendWorker(
                inbox, settings, caller, spill, reservations, metrics, readiness, log, time, appended
            ).run()
        }
    }

    /// Appends or spills what waits until `deadline`, and ends the thread. Call it once, when no event comes any more.
    /// False where the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        inbox.stop(by: deadline)
        let isFinished = inbox.waitForEnd(until: deadline + .milliseconds(500))
        caller.stop()
        interruption.interrupt()
        guard isFinished else { return false }
        thread.join()
        caller.join()
        return true
    }

    /// Declares the metrics of a thread that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) { _ = AppendMetrics(in: registry) }
}
