import Enforcement
import Metrics
import Pipeline
package import Platform
import Shipper

/// The names of all metrics that the program would have with these settings, without starting it.
package enum DeclaredFamilies {
    /// Throws if the program could not start.
    package static func names(_ settings: Settings, log: Log) throws(StartError) -> [String] {
        let registry = try Plan(settings, log: log, time: SystemTime()).registry
        _ = ListenerMetrics(in: registry)
        JournalThread.declareMetrics(in: registry)
        if settings.singleSession { EnforcerThread.declareMetrics(in: registry) }
        if settings.pushes { Destinations.declareMetrics(in: registry) }
        return names(in: registry)
    }

    static func names(in registry: Registry) -> [String] { registry.descriptors.map(\.name) }
}
