package import HTTPClient
package import LiveKit
package import Metrics
package import Platform
package import Status
import Synchronization
import Wire

/// The thread `poller`: it asks LiveKit's server API for its rooms and jobs, and leaves the differences to the recorder.
/// The rules are in Specification, *Reconciliation with LiveKit's API*.
///
/// Any thread may call it, and no caller waits for LiveKit. The recorder compares and corrects, and waits for nothing. An
/// API that is down, slow or refuses delays corrections only.
package final class PollerThread: Sendable {
    package enum Limits {
        /// The time for which a stop waits for the thread: curl may be resolving a name, or a long list may be parsed.
        static let grace = Duration.milliseconds(900)
    }

    private let inbox: Monitor<PollerWorker.Inbox>
    private let published: PublishedStatus
    private let thread: NamedThread
    private let time: any TimeSource

    /// Starts the thread. It asks nothing before `begin`. Throws if curl cannot be set up.
    package init(
        _ settings: PollerSettings, signer: TokenSigner, recorder: any PolledRecorder, registry: Registry, log: Log,
        time: any TimeSource = SystemTime()
    ) throws(TransportError) {
        let inbox = Monitor(PollerWorker.Inbox(signer: signer))
        let published = PublishedStatus(settings)
        let metrics = PollMetrics(in: registry)
        self.inbox = inbox
        self.published = published
        self.time = time
        thread = NamedThread(name: "poller") {
            do throws(TransportError) {
                try PollerWorker(settings, inbox, recorder, PollReport(settings, metrics, published, log), time).run()
            } catch {
                inbox.change { $0.failure = error }
            }
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
        log.info(
            "the state is compared with LiveKit's API",
            ["url": .text(settings.server), "interval_ms": .milliseconds(settings.interval)])
    }

    /// Declares the metrics of a poller that does not run, for a list of all names.
    package static func declareMetrics(in registry: Registry) { _ = PollMetrics(in: registry) }

    // MARK: Requests of other threads

    /// Lets the polls begin: the recorder can answer now.
    package func begin() {
        let waker: Waker? = inbox.change { inbox in
            inbox.hasBegun = true
            return inbox.waker
        }
        waker?.wake()
    }

    /// Signs with another key from now on.
    package func use(_ signer: TokenSigner) { inbox.withLock { $0.newSigner = signer } }

    /// The polls as they are now.
    package var status: ReconciliationStatus { published.status }

    /// Stops the thread, and gives up what is under way. Call it once. Returns false if the thread did not end in time.
    package func stop(by deadline: MonotonicTime) -> Bool {
        let waker: Waker? = inbox.change { inbox in
            inbox.isStopping = true
            return inbox.waker
        }
        waker?.wake()
        let limit = min(deadline, time.monotonic() + Limits.grace)
        guard inbox.wait(until: limit, { $0.isFinished ? true : nil }) != nil else { return false }
        thread.join()
        return true
    }
}

/// The status of the polls. The poller writes it, and any thread reads it.
final class PublishedStatus: Sendable {
    private let state: Mutex<ReconciliationStatus>

    init(_ settings: PollerSettings) {
        var status = ReconciliationStatus()
        status.url = settings.server.description
        status.interval_seconds = settings.interval.inSeconds
        state = Mutex(status)
    }

    var status: ReconciliationStatus { state.withLock { $0 } }

    func change(_ body: (inout ReconciliationStatus) -> Void) { state.withLock { body(&$0) } }
}
