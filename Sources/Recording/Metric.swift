import Metrics
import Synchronization

/// What a series belongs to, and so its first labels and how long it lives.
enum MetricScope: Sendable, Equatable {
    /// The whole process: no labels of an organization, lives as long as the process.
    case process
    /// An organization, moved by its events: ends after `SERIES_TTL` without activity.
    case events
    /// An organization, refreshed from the database: ends when it has neither a recent row nor an open entity.
    case database
}

/// One declared metric of the recorder: a family, and where its instruments are in a `SeriesTable`.
///
/// Made unbound by the catalog's declarations and bound once, when the catalog is made.
final class Metric<I: TabledInstrument>: Sendable {
    let name: String
    let help: String
    let scope: MetricScope
    let labels: MetricLabels
    private let bounds: HistogramBounds?
    private let position = Atomic<Int>(-1)
    private let family = Mutex<Family<I>?>(nil)

    init(
        _ name: String, _ help: String, per scope: MetricScope, by labels: MetricLabels = .none,
        bounds: HistogramBounds? = nil
    ) {
        precondition((bounds != nil) == (I.self == Histogram.self), "histograms, and only they, have bounds")
        self.name = name
        self.help = help
        self.scope = scope
        self.labels = labels
        self.bounds = bounds
    }

    /// Where its first series is in the column of its kind. Relaxed: it is written once, before anyone else reads.
    var base: Int { position.load(ordering: .relaxed) }

    /// The instrument for one combination of label values, made on first use; nil where the registry is full.
    func instrument(prefix: [String], offset: Int) -> I? {
        family.withLock { $0 }?.series(prefix + labels.combinations[offset])
    }
}

/// A metric without its kind, for those who handle them all.
protocol MetricDeclaration: Sendable {
    var scope: MetricScope { get }
    /// Makes the family, and takes its place in the table.
    func bind(in registry: Registry, layout: inout SeriesLayout, longBuckets: Bool)
    /// Ends every series of it that the table has made.
    func end(in table: inout SeriesTable)
}

extension Metric: MetricDeclaration {
    func bind(in registry: Registry, layout: inout SeriesLayout, longBuckets: Bool) {
        let names = (scope == .process ? [] : MetricLabels.organizationNames) + labels.names
        let made: Family<I> = I.declare(
            name, help, labels: names, cadence: scope == .events ? .everyTick : .idleGrid,
            bounds: bounds?.values(long: longBuckets) ?? [], in: registry)
        family.withLock { $0 = made }
        position.store(layout.take(I.column, of: scope, count: labels.combinations.count), ordering: .relaxed)
    }

    func end(in table: inout SeriesTable) {
        for offset in labels.combinations.indices where I.take(from: &table, at: base + offset) {
            family.withLock { $0 }?.end(table.prefix + labels.combinations[offset])
        }
    }
}

/// An instrument that has a column in a `SeriesTable`.
protocol TabledInstrument: Instrument {
    static var column: SeriesLayout.Column { get }
    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Self>
    /// Forgets the instrument; returns whether there was one.
    static func take(from table: inout SeriesTable, at position: Int) -> Bool
}

extension Counter: TabledInstrument {
    static var column: SeriesLayout.Column { .counters }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Counter> { registry.counter(name, help, labels: labels) }

    static func take(from table: inout SeriesTable, at position: Int) -> Bool {
        defer { table.counters[position] = nil }
        return table.counters[position] != nil
    }
}

extension Gauge: TabledInstrument {
    static var column: SeriesLayout.Column { .gauges }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Gauge> { registry.gauge(name, help, labels: labels, cadence: cadence) }

    static func take(from table: inout SeriesTable, at position: Int) -> Bool {
        defer { table.gauges[position] = nil }
        return table.gauges[position] != nil
    }
}

extension Histogram: TabledInstrument {
    static var column: SeriesLayout.Column { .histograms }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Histogram> { registry.histogram(name, help, labels: labels, bounds: bounds) }

    static func take(from table: inout SeriesTable, at position: Int) -> Bool {
        defer { table.histograms[position] = nil }
        return table.histograms[position] != nil
    }
}
