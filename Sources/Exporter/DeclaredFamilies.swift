import Enforcement
package import Metrics
import Pipeline
package import Platform
import Reconciliation
import Shipper

/// All metrics that the program would have with these settings, without starting it.
package enum DeclaredFamilies {
    /// Throws if the program could not start.
    package static func names(_ settings: Settings, log: Log) throws(StartError) -> [String] {
        try all(settings, log: log).map(\.name)
    }

    /// Throws if the program could not start.
    package static func all(_ settings: Settings, log: Log) throws(StartError) -> [FamilyDescriptor] {
        let plan = try Plan(settings, log: log, time: SystemTime(), isTrial: true)
        var counting = plan.registry
        if let replica = plan.replica {
            // A replica has the rest while it leads.
            counting = Registry(partOf: plan.registry)
            do {
                _ = try replica.tenure(
                    epoch: 0, of: plan, settings, in: counting, log: log, time: SystemTime(), noteReplaced: {})
            } catch {
                throw StartError.unavailable("\(error)")
            }
            Replica.declareMetrics(in: plan.registry)
            if settings.pushes { Destinations.declareMetrics(in: plan.registry) }
        }
        _ = ListenerMetrics(in: plan.registry)
        JournalThread.declareMetrics(in: counting)
        if settings.singleSession { EnforcerThread.declareMetrics(in: counting) }
        if settings.polls { PollerThread.declareMetrics(in: counting) }
        if settings.pushes { Destinations.declareMetrics(in: counting) }
        return plan.registry.descriptors
    }

    /// The metrics that the program would have with these settings, and those that only a replica has.
    package static func ofAnySetup(_ settings: Settings, log: Log) throws(StartError) -> [FamilyDescriptor] {
        let replicas = Registry(maxSeries: 1_000)
        Replica.declareMetrics(in: replicas)
        ReplicaPlan.declareMetrics(in: replicas)
        var families = try all(settings, log: log)
        let names = Set(families.map(\.name))
        families += replicas.descriptors.filter { !names.contains($0.name) }
        return families.sorted { $0.name < $1.name }
    }

    static func names(in registry: Registry) -> [String] { registry.descriptors.map(\.name) }
}
