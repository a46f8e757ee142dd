package import HTTPClient
package import LiveKit
package import Metrics
package import Platform
package import Wire

/// The `enforcer` thread: has LiveKit remove the sessions that the recorder found replaced. SPEC 3.3.
///
/// Any thread may call it; nobody ever waits for LiveKit. What LiveKit does not answer is tried again for a minute.
package final class EnforcerThread: Sendable {
    package enum Limits {
        /// How long a stop waits for requests that are under way: LiveKit answers in milliseconds, or is not well.
        package static let farewell = Duration.seconds(1)
        /// How much longer it waits for the thread: curl may be looking up a name.
        static let grace = Duration.milliseconds(500)
    }

    private let inbox: Monitor<EnforcerWorker.Inbox>
    private let thread: NamedThread
    private let log: Log
    private let time: any TimeSource

    /// Starts the thread. Fails where curl cannot be set up.
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
            // Only now: what curl still holds is let go by then.
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

    private static func show(_ inbox: Monitor<EnforcerWorker.Inbox>, in registry: Registry) {
        let replaced = registry.counter(
            "lkpush_sessions_replaced_total", "Older sessions of a person, by what became of their removal.",
            labels: ["result"])
        let series = RemovalQueue.Result.allCases.map { ($0, replaced.series([$0.rawValue])) }
        registry.onRead {
            let results = inbox.withLock { $0.queue.results }
            for (result, counter) in series { counter?.set(total: Double(results[result] ?? 0)) }
        }
    }

    // MARK: What others want

    /// Has whoever has this identity in the room of this name removed, but not later than `limit`; never waits.
    package func remove(room: String, identity: String, until limit: Timestamp) {
        let now = time.monotonic()
        let deadline = now + min(limit.since(time.now()), RemovalQueue.Limits.patience)
        let (isTaken, waker) = inbox.withLock { inbox in
            (inbox.queue.add(room: room, identity: identity, deadline: deadline, at: now), inbox.waker)
        }
        waker?.wake()
        if !isTaken { log.throttled(.warning, "a session is not removed: too many wait, or it is too late") }
    }

    /// The session has ended: what has not been done yet is not done any more; never waits.
    package func withdraw(room: String, identity: String) {
        inbox.withLock { $0.queue.withdraw(room: room, identity: identity) }
    }

    /// Signs with another key from now on.
    package func use(_ signer: TokenSigner) { inbox.withLock { $0.signer = signer } }

    /// Removals that wait or are under way.
    package var count: Int { inbox.withLock { $0.queue.count } }

    /// Drops and counts what waits, lets what is under way end until `deadline`, but not for longer than
    /// `Limits.farewell`, and ends the thread. Call it once. False where the thread did not end in time.
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
