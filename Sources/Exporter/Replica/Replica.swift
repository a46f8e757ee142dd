import HTTPClient
import Journal
import Metrics
import Pipeline
import Platform
import RemoteWrite
import Shipper

/// The parts of a replica that live with the process: the end of the shared log, the lease, and the shippers of its own
/// metrics. What it counts while it leads is a `Tenure`.
///
/// One thread starts and stops it, each once.
final class Replica: Sendable {
    private struct Parts {
        var append: AppendThread?
        var lease: LeaseThread?
        var tenures: TenureThread?
        var durability: DurabilityThread?
    }

    private let plan: ReplicaPlan
    private let process: Plan
    private let settings: Settings
    private let running: RunningParts
    private let log: Log
    private let time: any TimeSource
    private let parts = Monitor(Parts())

    init(
        _ plan: ReplicaPlan, of process: Plan, _ settings: Settings, running: RunningParts, log: Log,
        time: any TimeSource
    ) {
        self.plan = plan
        self.process = process
        self.settings = settings
        self.running = running
        self.log = log
        self.time = time
    }

    /// Starts to take webhooks, and to compete for the lease. It does not wait for the database.
    func start() throws(StartError) {
        let append = AppendThread(
            plan.appendInbox, settings: plan.appendSettings,
            events: { [plan] in plan.eventLog() }, spill: plan.openSpill,
            reservations: process.intake, registry: process.registry, readiness: process.readiness,
            interruption: plan.appendInterruption, log: log, time: time
        ) { [running] in running.tenurePlan?.journalInbox.noteAppended() }
        parts.change { $0.append = append }
        try startOwnDestinations()
        let tenures = TenureThread(plan, of: process, settings, running: running, log: log, time: time) { [running] in
            running.lease?.giveUp($0)
        }
        let bar: LeaseThread.Bar = { [readiness = process.readiness] record in
            let reason = LogMark(record.fingerprint)?.bar
            if let reason { readiness.block(.state, because: reason) } else { readiness.clear(.state) }
            return reason
        }
        let lease = LeaseThread(
            { [plan] in plan.logLease() }, settings: plan.lease, bar: bar,
            registry: process.registry, interruption: plan.leaseInterruption, log: log, time: time,
            began: { tenures.begin(epoch: $0) }, lost: { tenures.end() })
        running.lease = lease
        let durability = DurabilityThread(registry: process.registry, time: time) { [plan] in plan.look($0) }
        parts.change { ($0.tenures, $0.lease, $0.durability) = (tenures, lease, durability) }
    }

    private func startOwnDestinations() throws(StartError) {
        guard !plan.ownDestinations.isEmpty else { return }
        let destinations = Destinations(
            plan.ownDestinations, registry: process.registry, clocks: process.clocks, log: log, time: time)
        do throws(TransportError) {
            try destinations.makeFirstReading(beside: process.destinations.map(\.destination))
        } catch {
            throw StartError.unavailable("\(error)")
        }
        running.ownDestinations = destinations
    }

    /// Declares the metrics of a replica that does not run, for a list of all names.
    static func declareMetrics(in registry: Registry) {
        AppendThread.declareMetrics(in: registry)
        LeaseThread.declareMetrics(in: registry)
        DurabilityThread.declareMetrics(in: registry)
    }

    /// Appends what was accepted, ends the tenure, and gives up the lease, so that another replica leads at once.
    func stop(_ deadline: StopTime) -> Tenure.End {
        let parts = parts.withLock { $0 }
        parts.durability?.stop()
        let isAppended = parts.append?.stop(by: deadline(0.3)) ?? true
        var end = parts.tenures?.stop(deadline) ?? Tenure.End(isInTime: true, rowsLeft: 0)
        // A lease that cannot be given up runs out.
        _ = parts.lease?.stop(by: deadline(0.95))
        let shipped = running.ownDestinations?.stop(by: deadline(0.97))
        end.isInTime = end.isInTime && isAppended
        if let shipped { end.shipped = (end.shipped ?? ShipperReport()) + shipped }
        return end
    }
}
