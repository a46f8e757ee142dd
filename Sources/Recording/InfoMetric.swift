import Metrics
import Synchronization

/// A gauge that is always 1 and says something with its labels, whose values nobody knows in advance.
final class InfoMetric: Sendable {
    private let name: String
    private let help: String
    private let labels: [String]
    private let family = Mutex<Family<Gauge>?>(nil)

    init(_ name: String, _ help: String, labels: [String]) {
        self.name = name
        self.help = help
        self.labels = labels
    }

    func bind(in registry: Registry) {
        let made = registry.gauge(name, help, labels: labels, cadence: .idleGrid)
        family.withLock { $0 = made }
    }

    func show(_ values: [String]) { family.withLock { $0 }?.series(values)?.set(1) }

    func end(_ values: [String]) { family.withLock { $0 }?.end(values) }
}
