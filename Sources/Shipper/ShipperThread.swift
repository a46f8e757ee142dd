import HTTPClient
import Metrics
import Platform
package import RemoteWrite
import Wire

/// Pushes readings to one destination on a thread of its own, `shipper-` and its name.
///
/// Any thread may call it: first `start`, then `offer`, at last `stop`.
final class ShipperThread: Sendable {
    let settings: ShipperSettings
    /// What the thread last told of its receiver.
    let published: PublishedStatus
    private let metrics: ShipperMetrics
    private let journal: (any ReadingJournal)?
    private let log: Log
    private let time: any TimeSource
    private let noteClock: NoteClock
    private let inbox = ShipperInbox()
    private let thread = Monitor<NamedThread?>(nil)

    /// Takes what an answer allows for the difference of the clocks, and when it came.
    typealias NoteClock = @Sendable (ClockInterval, MonotonicTime) -> Void

    /// Traps if there is a destination of this name already.
    init(
        _ settings: ShipperSettings, _ families: ShipperFamilies, journal: (any ReadingJournal)?, log: Log,
        time: any TimeSource, noteClock: @escaping NoteClock
    ) {
        self.noteClock = noteClock
        self.settings = settings
        published = PublishedStatus(settings)
        self.journal = journal
        self.log = log
        self.time = time
        metrics = ShipperMetrics(
            families, destination: settings.destination, remoteName: settings.remoteName,
            url: settings.url.description)
    }

    /// Begins the start of the thread. `awaitStart` tells how it went.
    ///
    /// - Parameter configured: the names of all destinations, if this one looks after the spools of those that are not
    ///   among them.
    func start(restoring state: ShippedState, families: [FamilyDescriptor], configured: [String]?) {
        // A thread keeps what its closure has for as long as it runs, and the state has every series.
        let former = Monitor<ShippedState?>(state)
        let started = NamedThread(name: "shipper-\(settings.destination)") {
            [settings, published, metrics, journal, log, time, noteClock, inbox] in
            do throws(TransportError) {
                let state: ShippedState? = former.change { former in
                    defer { former = nil }
                    return former
                }
                let worker = try ShipperWorker(
                    settings, published, metrics, restoring: state ?? ShippedState(), families: families,
                    configured: configured, journal, log, time, noteClock)
                inbox.noteStart(.ready(newest: worker.newestSpooled), worker.waker)
                Self.run(worker, inbox)
            } catch {
                inbox.noteStart(.failed(error), nil)
            }
        }
        thread.change { $0 = started }
    }

    /// Waits for the start. Returns the newest time in the spool of an earlier process.
    func awaitStart() throws(TransportError) -> Timestamp? {
        switch inbox.awaitStart() {
        case .ready(let newest): return newest
        case .failed(let error):
            let failed: NamedThread? = thread.change { thread in
                defer { thread = nil }
                return thread
            }
            failed?.join()
            throw error
        }
    }

    private static func run(_ worker: ShipperWorker, _ inbox: ShipperInbox) {
        while true {
            let mail = inbox.take()
            for tick in mail.ticks { worker.take(tick, merged: inbox.merged) }
            if let newest = worker.newestAccepted { inbox.note(accepted: newest) }
            if let stopBy = mail.stopBy { return inbox.noteEnd(worker.finish(by: stopBy)) }
            if mail.wantsReload { worker.reloadCredentials(endWait: true) }
            worker.turn()
        }
    }

    /// Passes on a reading.
    func offer(_ tick: Tick) { inbox.offer(tick) }

    /// The newest time that the receiver has accepted.
    var accepted: Timestamp? { inbox.accepted }

    /// Reads the credentials again now. Requests that wait are tried at once.
    func reloadCredentials() { inbox.requestReload() }

    /// Asks the thread to send what it can until `deadline`, and to end. `awaitEnd` tells what became of it.
    func requestStop(by deadline: MonotonicTime) { inbox.requestStop(by: deadline) }

    /// Waits for the end, but not much longer than the deadline of the stop. A thread whose disk does not answer ends
    /// with the process.
    func awaitEnd(until deadline: MonotonicTime) -> ShipperReport {
        let ended: NamedThread? = thread.change { thread in
            defer { thread = nil }
            return thread
        }
        guard let ended else { return ShipperReport() }
        guard let report = inbox.awaitReport(until: deadline) else { return ShipperReport() }
        ended.join()
        log.info(
            "pushing has ended",
            [
                "destination": .string(settings.destination), "accepted": .int(Int(report.accepted)),
                "rejected": .int(Int(report.rejected)), "ambiguous": .int(Int(report.ambiguous)),
                "dropped": .int(Int(report.dropped)), "kept": .int(Int(report.kept)),
            ])
        return report
    }
}

/// The fates of all samples since the start. `enqueued` is the sum of the others.
package struct ShipperReport: Sendable, Equatable {
    package var enqueued: UInt64 = 0
    package var accepted: UInt64 = 0
    package var rejected: UInt64 = 0
    package var ambiguous: UInt64 = 0
    package var dropped: UInt64 = 0
    /// Samples that wait in the spool for the next process.
    package var kept: UInt64 = 0

    package init() {}

    package init(_ statistics: DeliveryStatistics) {
        enqueued = statistics.enqueued
        accepted = statistics.accepted
        rejected = statistics.rejected
        ambiguous = statistics.ambiguous
        dropped = statistics.droppedInAll
        kept = statistics.pending
    }

    /// The sum of both.
    package static func + (a: ShipperReport, b: ShipperReport) -> ShipperReport {
        var sum = a
        sum.enqueued += b.enqueued
        sum.accepted += b.accepted
        sum.rejected += b.rejected
        sum.ambiguous += b.ambiguous
        sum.dropped += b.dropped
        sum.kept += b.kept
        return sum
    }
}
