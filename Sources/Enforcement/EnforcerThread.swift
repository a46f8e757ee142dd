package import HTTPClient
package import LiveKit
package import Metrics
package import Platform
package import Wire

/// The thread `enforcer`: it has LiveKit remove the sessions that the recorder found replaced. The rules are in
/// Specification, *Single-session enforcement*.
///
/// Any thread may call it, and no caller waits for LiveKit. A call that LiveKit does not answer is retried for a
/// minute.
package final class EnforcerThread: Sendable {
    package enum Limits {
        /// The time for which a stop waits for requests that are under way. LiveKit answers in milliseconds unless it
        /// has trouble.
        package static let farewell = Duration.seconds(1)
        /// The additional time for which a stop waits for the thread: curl may be resolving a name.
        static let grace = Duration.milliseconds(500)
    }

    private let inbox: Monitor<EnforcerWorker.Inbox>
    private let thread: NamedThread
    private let log: Log
    private let time: any TimeSource

    /// Starts the thread. Throws if curl cannot be set up.
    package init(
        _ settings: EnforcerSettings, signer: TokenSigner, registry: Registry, log: Log,
        time: any TimeSource = SystemTime()
    ) throws(TransportError) {
        let inbox = Monitor(
            EnforcerWorker.Inbox(
                queue: RemovalQueue(
                    minBackoff: settings.minBackoff, maxBackoff: settings.maxBackoff, seed: .random(in: 0 ... .max)),
                signer: signer))
        self.inbox = inbox
        self.log = log
        self.time = time
        thread = NamedThread(name: "enforcer") {
            Self.work(settings, inbox, log, time)
            // This comes last: by now curl has released everything that it held.
            inbox.change { $0.isFinished = true }
        }
        let failure: TransportError?? = inbox.wait(until: nil) { inbox in
            if inbox.waker != nil { return .some(nil) }
            return inbox.failure.map { .some($0) }
        }
        if let failure = failure ?? nil {
            thread.join()
            throw failure
        }
        Self.show(inbox, in: registry)
        log.info("older sessions of a person are removed", ["url": .text(settings.endpoint)])
    }

    private static func work(
        _ settings: EnforcerSettings, _ inbox: Monitor<EnforcerWorker.Inbox>, _ log: Log, _ time: any TimeSource
    ) {
        do throws(TransportError) {
            try EnforcerWorker(settings, inbox, log, time).run()
        } catch {
            inbox.change { $0.failure = error }
        }
    }

    /// Declares the metrics of an enforcer that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) { _ = replaced(in: registry) }

    private static func replaced(in registry: Registry) -> Family<Counter> {
        registry.counter(
            "lkpush_sessions_replaced_total", "Older sessions of a person, by what became of their removal.",
            labels: ["result"])
    }

    private static func show(_ inbox: Monitor<EnforcerWorker.Inbox>, in registry: Registry) {
        let replaced = replaced(in: registry)
        let series = RemovalQueue.Result.allCases.map { ($0, replaced.series([$0.rawValue])) }
        registry.onRead {
            let results = inbox.withLock { $0.queue.results }
            for (result, counter) in series { counter?.set(total: Double(results[result] ?? 0)) }
        }
    }

    // MARK: Requests of other threads

    /// Has the participant with this identity removed from the room of this name, but not later than `limit`. Never
    /// blocks.
    package func remove(room: String, identity: String, until limit: Timestamp) {
        let now = time.monotonic()
        let deadline = now + min(limit.since(time.now()), RemovalQueue.Limits.patience)
        let (isTaken, waker) = inbox.withLock { inbox in
            (inbox.queue.add(room: room, identity: identity, deadline: deadline, at: now), inbox.waker)
        }
        waker?.wake()
        if !isTaken { log.throttled(.warning, "a session is not removed: too many wait, or it is too late") }
    }

    /// The session has ended: a removal that was not sent yet is withdrawn. Never blocks.
    package func withdraw(room: String, identity: String) {
        inbox.withLock { $0.queue.withdraw(room: room, identity: identity) }
    }

    /// Signs with another key from now on.
    package func use(_ signer: TokenSigner) { inbox.withLock { $0.signer = signer } }

    /// The number of removals that wait or are under way.
    package var count: Int { inbox.withLock { $0.queue.count } }

    /// Stops the thread: drops and counts the removals that wait, and gives those under way until `deadline`, but at
    /// most `Limits.farewell`. Call it once. Returns false if the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        let limit = min(deadline, time.monotonic() + Limits.farewell)
        let waker: Waker? = inbox.change { inbox in
            inbox.stopBy = limit
            inbox.queue.close()
            return inbox.waker
        }
        waker?.wake()
        guard inbox.wait(until: limit + Limits.grace, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.join()
        return true
    }
}
