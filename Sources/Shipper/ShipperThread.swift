package import HTTPClient
package import Metrics
package import Platform
package import RemoteWrite

/// Pushes the registry to a remote-write receiver on the thread `shipper`, until it is stopped.
///
/// Any thread may call it, in this order: first `makeFirstReading`, at last `stop`.
package final class ShipperThread: Sendable {
    private struct Inbox {
        var hasRead = false
        var failure: TransportError?
        var waker: Waker?
        var wantsReload = false
        var stopBy: MonotonicTime?
        var report: ShipperReport?
        var thread: NamedThread?
    }

    private let settings: ShipperSettings
    private let registry: Registry
    private let metrics: ShipperMetrics
    private let journal: (any ReadingJournal)?
    private let log: Log
    private let time: any TimeSource
    private let inbox = Monitor(Inbox())

    /// Declares the shipper's metrics. Traps if the registry has a shipper already.
    ///
    /// - Parameter journal: keeps what the next process must know. Without one, nothing survives this process.
    package init(
        _ settings: ShipperSettings, registry: Registry, journal: (any ReadingJournal)? = nil, log: Log,
        time: any TimeSource = SystemTime()
    ) {
        self.settings = settings
        self.registry = registry
        self.journal = journal
        self.log = log
        self.time = time
        metrics = ShipperMetrics(in: registry, remoteName: settings.remoteName, url: settings.url.description)
    }

    /// Starts the thread, and returns when it has read every series. Call it before events are let in, so that every
    /// counter is known to have been zero.
    ///
    /// - Parameter state: what an earlier process sent. Its series that do not exist any more get a stale marker, and
    ///   nothing is sent at or before its last time. If the clock is behind that time, the first reading waits until it
    ///   is past it.
    package func makeFirstReading(restoring state: ShippedState? = nil) throws(TransportError) {
        let thread = NamedThread(name: "shipper") { [settings, registry, metrics, journal, log, time, inbox] in
            do throws(TransportError) {
                let loop = try ShipperWorker(settings, registry, metrics, restoring: state, journal, log, time)
                loop.read()
                inbox.change { inbox in
                    inbox.waker = loop.waker
                    inbox.hasRead = true
                }
                Self.run(loop, inbox)
            } catch {
                inbox.change { $0.failure = error }
            }
        }
        let failure: TransportError?? = inbox.wait(until: nil) { inbox in
            if inbox.hasRead { return .some(nil) }
            return inbox.failure.map { .some($0) }
        }
        inbox.change { $0.thread = thread }
        if let failure = failure ?? nil {
            thread.join()
            inbox.change { $0.thread = nil }
            throw failure
        }
        log.info(
            "metrics are pushed",
            [
                "url": .text(settings.url), "every_ms": .milliseconds(settings.schedule.pushInterval),
                "idle_ms": .milliseconds(settings.schedule.idleInterval),
            ])
    }

    private static func run(_ loop: ShipperWorker, _ inbox: Monitor<Inbox>) {
        while true {
            let (stopBy, wantsReload) = inbox.withLock { inbox in
                defer { inbox.wantsReload = false }
                return (inbox.stopBy, inbox.wantsReload)
            }
            if let stopBy {
                let report = loop.finish(by: stopBy)
                inbox.change { inbox in
                    inbox.waker = nil
                    inbox.report = report
                }
                return
            }
            if wantsReload { loop.reloadCredentials(endWait: true) }
            loop.turn()
        }
    }

    /// Reads the credentials again now. Requests that wait are tried at once.
    package func reloadCredentials() {
        let waker: Waker? = inbox.change { inbox in
            inbox.wantsReload = true
            return inbox.waker
        }
        waker?.wake()
    }

    /// Takes a last reading, ends every series, sends what it can until `deadline`, and ends the thread.
    ///
    /// It returns right after the deadline at the latest. Call it at most once. Before the first reading it does
    /// nothing.
    package func stop(by deadline: MonotonicTime) -> ShipperReport {
        let (thread, waker): (NamedThread?, Waker?) = inbox.change { inbox in
            inbox.stopBy = deadline
            defer { inbox.thread = nil }
            return (inbox.thread, inbox.waker)
        }
        guard let thread else { return ShipperReport(DeliveryStatistics()) }
        waker?.wake()
        thread.join()
        let report = inbox.withLock { $0.report } ?? ShipperReport(DeliveryStatistics())
        log.info(
            "pushing has ended",
            [
                "accepted": .int(Int(report.accepted)), "rejected": .int(Int(report.rejected)),
                "ambiguous": .int(Int(report.ambiguous)), "dropped": .int(Int(report.dropped)),
            ])
        return report
    }
}

/// The fates of all samples since the start. `enqueued` is the sum of the others.
package struct ShipperReport: Sendable, Equatable {
    package let enqueued: UInt64
    package let accepted: UInt64
    package let rejected: UInt64
    package let ambiguous: UInt64
    package let dropped: UInt64

    package init(_ statistics: DeliveryStatistics) {
        enqueued = statistics.enqueued
        accepted = statistics.accepted
        rejected = statistics.rejected
        ambiguous = statistics.ambiguous
        dropped = statistics.droppedInAll
    }
}
