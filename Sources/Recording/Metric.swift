import Metrics
import Synchronization
import Wire

/// The owner of a metric's series, which decides their first labels and their lifetime.
enum MetricScope: Sendable, Equatable {
    /// The process: the series have no labels of an organization, and live as long as the process.
    case process
    /// An organization whose events change the series: they end after `SERIES_TTL` without activity.
    case events
    /// An organization whose reports from the database change the series: they end when it has neither a recent row nor
    /// an open entity.
    case database
}

/// One declared metric of the recorder: a family, and the place of its instruments in an `InstrumentTable`.
///
/// The catalog's declarations make it unbound, and the catalog binds it once when it is made.
final class Metric<I: TabledInstrument>: Sendable {
    let name: String
    let help: String
    let scope: MetricScope
    let labels: MetricLabels
    private let bounds: HistogramBounds?
    private let position = Atomic<Int>(-1)
    private let bound = Mutex<(family: Family<I>, clock: RecorderClock)?>(nil)

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

    /// The position of its first series in the column of its instruments. Relaxed: it is written once, before anyone
    /// else reads it.
    var base: Int { position.load(ordering: .relaxed) }

    /// Returns the instrument for one combination of label values, and makes it on first use. Returns nil if the
    /// registry is full.
    ///
    /// - Parameter created: the beginning of its series, if that is not the time of the recorder's input.
    func instrument(prefix: [String], offset: Int, created: Timestamp? = nil) -> I? {
        guard let (family, clock) = bound.withLock({ $0 }) else { return nil }
        return family.series(prefix + labels.combinations[offset], created: created ?? clock.now)
    }

    /// The upper bounds of its buckets; none unless it is a histogram.
    var buckets: [Double] {
        guard case .histogram(let bounds) = bound.withLock({ $0?.family.descriptor.kind }) else { return [] }
        return bounds
    }
}

/// A metric without the type of its instruments, for code that handles all of them.
protocol MetricDeclaration: Sendable {
    var name: String { get }
    var scope: MetricScope { get }
    var labels: MetricLabels { get }
    var column: InstrumentLayout.Column { get }
    var base: Int { get }
    var buckets: [Double] { get }
    /// Makes the family, and reserves its positions in the table.
    func bind(in registry: Registry, clock: RecorderClock, layout: inout InstrumentLayout, longBuckets: Bool)
    /// Ends every series of this metric that the table has made.
    func end(in table: inout InstrumentTable)
    /// Makes a series with its saved value.
    func resume(_ saved: SavedSeries, offset: Int, in table: inout InstrumentTable)
    /// Ends every series of this metric.
    func endAll()
    /// Sets every total that the table has made to 0.
    func startAtZero(in table: InstrumentTable)
}

extension Metric: MetricDeclaration {
    var column: InstrumentLayout.Column { I.column }

    func bind(in registry: Registry, clock: RecorderClock, layout: inout InstrumentLayout, longBuckets: Bool) {
        let names = (scope == .process ? [] : MetricLabels.organizationNames) + labels.names
        let made: Family<I> = I.declare(
            name, help, labels: names,
            cadence: scope == .events ? .everyTick : I.column == .counters ? .onChange : .idleGrid,
            bounds: bounds?.values(long: longBuckets) ?? [], in: registry)
        bound.withLock { $0 = (made, clock) }
        position.store(layout.take(I.column, of: scope, count: labels.combinations.count), ordering: .relaxed)
    }

    func end(in table: inout InstrumentTable) {
        for offset in labels.combinations.indices where I.take(from: &table, at: base + offset) {
            bound.withLock { $0 }?.family.end(table.prefix + labels.combinations[offset])
        }
    }

    func resume(_ saved: SavedSeries, offset: Int, in table: inout InstrumentTable) {
        let made = instrument(prefix: table.prefix, offset: offset, created: saved.created)
        made?.resume(saved.held)
        I.put(made, into: &table, at: base + offset)
    }

    func endAll() { bound.withLock { $0 }?.family.end { _ in true } }

    func startAtZero(in table: InstrumentTable) {
        for offset in labels.combinations.indices { I.startAtZero(in: table, at: base + offset) }
    }
}

/// An instrument that has a column in an `InstrumentTable`.
protocol TabledInstrument: Instrument {
    static var column: InstrumentLayout.Column { get }
    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Self>
    /// Removes the instrument from the table. Returns whether there was one.
    static func take(from table: inout InstrumentTable, at position: Int) -> Bool
    static func put(_ instrument: Self?, into table: inout InstrumentTable, at position: Int)
    /// Takes over a saved value, if it is of this type.
    func resume(_ saved: SavedSeries.Value)
    /// Sets the instrument to 0 if it is a total.
    static func startAtZero(in table: InstrumentTable, at position: Int)
}

extension Counter: TabledInstrument {
    static var column: InstrumentLayout.Column { .counters }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Counter> {
        registry.counter(name, help, labels: labels, cadence: cadence == .idleGrid ? .idleGrid : .onChange)
    }

    static func take(from table: inout InstrumentTable, at position: Int) -> Bool {
        defer { table.counters[position] = nil }
        return table.counters[position] != nil
    }

    static func put(_ instrument: Counter?, into table: inout InstrumentTable, at position: Int) {
        table.counters[position] = instrument
    }

    func resume(_ saved: SavedSeries.Value) {
        if case .counter(let total) = saved { set(total: total) }
    }

    static func startAtZero(in table: InstrumentTable, at position: Int) {
        table.counters[position]?.set(total: 0)
    }
}

extension Gauge: TabledInstrument {
    static var column: InstrumentLayout.Column { .gauges }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Gauge> { registry.gauge(name, help, labels: labels, cadence: cadence) }

    static func take(from table: inout InstrumentTable, at position: Int) -> Bool {
        defer { table.gauges[position] = nil }
        return table.gauges[position] != nil
    }

    static func put(_ instrument: Gauge?, into table: inout InstrumentTable, at position: Int) {
        table.gauges[position] = instrument
    }

    func resume(_ saved: SavedSeries.Value) {
        if case .gauge(let value) = saved { set(value) }
    }

    static func startAtZero(in table: InstrumentTable, at position: Int) {}
}

extension Histogram: TabledInstrument {
    static var column: InstrumentLayout.Column { .histograms }

    static func declare(
        _ name: String, _ help: String, labels: [String], cadence: FamilyDescriptor.Cadence, bounds: [Double],
        in registry: Registry
    ) -> Family<Histogram> { registry.histogram(name, help, labels: labels, bounds: bounds) }

    static func take(from table: inout InstrumentTable, at position: Int) -> Bool {
        defer { table.histograms[position] = nil }
        return table.histograms[position] != nil
    }

    static func put(_ instrument: Histogram?, into table: inout InstrumentTable, at position: Int) {
        table.histograms[position] = instrument
    }

    func resume(_ saved: SavedSeries.Value) {
        if case .histogram(let state) = saved { set(state) }
    }

    static func startAtZero(in table: InstrumentTable, at position: Int) {
        if let histogram = table.histograms[position] {
            histogram.set(.init(counts: histogram.current.counts.map { _ in 0 }, sum: 0))
        }
    }
}
