import Metrics
import Pipeline
import Platform
import Shipper

/// The thread `tenure`: it begins a tenure when this replica takes the lease, and ends it when the lease is lost or the
/// program stops.
///
/// Any thread may call it; only `stop` waits.
final class TenureThread: Sendable {
    private struct Mail {
        /// The epoch that this replica leads; nil while it does not.
        var epoch: Int64?
        /// The time of a stop that was asked for.
        var stop: StopTime?
        /// The result of the last tenure, when the thread is done.
        var end: Tenure.End?
    }

    private let mail = Monitor(Mail())
    private let running: RunningParts
    private let thread: NamedThread

    /// Starts the thread.
    ///
    /// - Parameter giveUp: gives up the lease of an epoch whose tenure has ended or cannot begin. It does not wait.
    init(
        _ plan: ReplicaPlan, of process: Plan, _ settings: Settings, running: RunningParts, log: Log,
        time: any TimeSource, giveUp: @escaping @Sendable (_ epoch: Int64) -> Void
    ) {
        self.running = running
        thread = NamedThread(name: "tenure") { [mail] in
            let worker = TenureWorker(plan, of: process, settings, running: running, log: log, time: time) { epoch in
                // The next wait ends the tenure.
                mail.change { if $0.epoch == epoch { $0.epoch = nil } }
            }
            var last = Tenure.End(isInTime: true, rowsLeft: 0)
            while true {
                let next: (epoch: Int64?, stop: StopTime?)? = mail.wait(until: nil) { mail in
                    mail.epoch != nil || mail.stop != nil ? (mail.epoch, mail.stop) : nil
                }
                guard let epoch = next?.epoch, next?.stop == nil else { break }
                var isBegun = worker.begin(epoch: epoch)
                if isBegun {
                    isBegun =
                        mail.wait(until: nil) { mail -> Bool? in
                            mail.epoch != epoch ? false : mail.stop != nil ? true : nil
                        } ?? false
                }
                let end = worker.end(within: isBegun ? mail.withLock { $0.stop } : nil)
                // A tenure that was lost says nothing of the stop.
                if isBegun { last = end }
                let isStopping = mail.change { mail in
                    if mail.epoch == epoch { mail.epoch = nil }
                    return mail.stop != nil
                }
                if isStopping { break }
                giveUp(epoch)
            }
            mail.change { $0.end = last }
        }
    }

    /// This replica leads the log from now on.
    func begin(epoch: Int64) { mail.change { $0.epoch = epoch } }

    /// This replica does not lead the log any more.
    func end() {
        mail.change { $0.epoch = nil }
        // A start may be waiting for the state.
        running.tenurePlan?.cancelStart()
    }

    /// Ends the tenure in order, and the thread.
    func stop(_ deadline: StopTime) -> Tenure.End {
        mail.change { $0.stop = deadline }
        // A start may be waiting for the state.
        running.tenurePlan?.cancelStart()
        guard let end = mail.wait(until: deadline(0.96), { $0.end }) else {
            return Tenure.End(isInTime: false, rowsLeft: 0)
        }
        thread.join()
        return end
    }
}

/// Begins and ends one tenure after another, on the thread `tenure`.
private final class TenureWorker {
    private enum Limits {
        /// The time that the parts of a tenure that was lost have to end. Nothing of them leaves any more.
        static let farewell = Duration.seconds(2)
        /// The longest wait of a new tenure for the database of the rows.
        static let databasePatience = Duration.milliseconds(250)
    }

    private let plan: ReplicaPlan
    private let process: Plan
    private let settings: Settings
    private let running: RunningParts
    private let log: Log
    private let time: any TimeSource
    private let noteReplaced: @Sendable (_ epoch: Int64) -> Void

    private var tenure: Tenure?

    init(
        _ plan: ReplicaPlan, of process: Plan, _ settings: Settings, running: RunningParts, log: Log,
        time: any TimeSource, noteReplaced: @escaping @Sendable (Int64) -> Void
    ) {
        self.plan = plan
        self.process = process
        self.settings = settings
        self.running = running
        self.log = log
        self.time = time
        self.noteReplaced = noteReplaced
    }

    /// Begins the tenure of an epoch. False where it could not begin.
    func begin(epoch: Int64) -> Bool {
        let begin = time.monotonic()
        // Samples of an earlier tenure are older than those that another leader may have sent since.
        Destinations.discardSpools(of: process.destinations, log: log)
        do {
            let doors = try plan.tenure(
                epoch: epoch, of: process, settings, in: Registry(partOf: process.registry), log: log, time: time
            ) { [noteReplaced] in
                noteReplaced(epoch)
            }
            let tenure = Tenure(
                doors, of: process, running: running, reservations: doors.journalInbox, log: log, time: time)
            self.tenure = tenure
            running.tenurePlan = doors
            running.tenure = tenure
            try tenure.prepare()
            try tenure.start(until: Limits.databasePatience)
        } catch {
            if error as? StartError != .stopped {
                log.error(
                    "this replica cannot lead the log, so another one has to: nothing is counted until one does",
                    [
                        "error": .string("\(error)"),
                        "action": .string("See the error; lkpush check looks at what leading needs."),
                    ])
            }
            return false
        }
        log.info("leading", ["epoch": .int(Int(epoch)), "took_ms": .milliseconds(time.monotonic().since(begin))])
        return true
    }

    /// Ends the tenure.
    ///
    /// - Parameter stop: the time for a tenure that ends in order; nil for one that was lost.
    func end(within stop: StopTime?) -> Tenure.End {
        guard let tenure else { return Tenure.End(isInTime: true, rowsLeft: 0) }
        if stop == nil {
            tenure.plan.journalInbox.giveWay()
            tenure.plan.interruption.interrupt()
        }
        let end = tenure.stop(stop ?? StopTime(begin: time.monotonic(), length: Limits.farewell))
        running.tenure = nil
        running.tenurePlan = nil
        running.hasState = false
        process.registry.end(part: tenure.plan.registry)
        self.tenure = nil
        if stop == nil {
            Destinations.discardSpools(of: process.destinations, log: log)
            log.info("not leading any more")
        }
        return end
    }
}
