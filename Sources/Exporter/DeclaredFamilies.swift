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
        let registry = try Plan(settings, log: log, time: SystemTime(), isTrial: true).registry
        _ = ListenerMetrics(in: registry)
        JournalThread.declareMetrics(in: registry)
        if settings.singleSession { EnforcerThread.declareMetrics(in: registry) }
        if settings.polls { PollerThread.declareMetrics(in: registry) }
        if settings.pushes { Destinations.declareMetrics(in: registry) }
        return registry.descriptors
    }

    static func names(in registry: Registry) -> [String] { registry.descriptors.map(\.name) }
}
