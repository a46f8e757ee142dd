import Metrics
import Synchronization
import Wire

/// A gauge that is always 1 and carries its information in labels, whose values are not known in advance.
final class InfoMetric: Sendable {
    private let name: String
    private let help: String
    private let labels: [String]
    private let bound = Mutex<(family: Family<Gauge>, clock: RecorderClock)?>(nil)

    init(_ name: String, _ help: String, labels: [String]) {
        self.name = name
        self.help = help
        self.labels = labels
    }

    func bind(in registry: Registry, clock: RecorderClock) {
        let made = registry.gauge(name, help, labels: labels, cadence: .idleGrid)
        bound.withLock { $0 = (made, clock) }
    }

    /// - Parameter created: the beginning of the series, if that is not now.
    func show(_ values: [String], created: Timestamp? = nil) {
        guard let (family, clock) = bound.withLock({ $0 }) else { return }
        family.series(values, created: created ?? clock.now)?.set(1)
    }

    func find(_ values: [String]) -> Gauge? { bound.withLock { $0 }?.family.find(values) }

    func endAll() { bound.withLock { $0 }?.family.end { _ in true } }

    func end(_ values: [String]) { bound.withLock { $0 }?.family.end(values) }
}
