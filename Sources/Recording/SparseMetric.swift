import Metrics
import Synchronization
import Wire

/// A metric of organizations of whose label values few occur. A series that never occurs costs nothing.
///
/// Its instruments are in a `SparseTable`. The name of an agent and the reason of its end are labels whose values are
/// not known beforehand: they come first and last.
final class SparseMetric<I: SparseInstrument>: Sendable {
    /// When its series are pushed, and who sets them.
    enum Cadence {
        /// Counters and histograms when they changed, gauges on the idle grid: there are several for each organization,
        /// and a data point at every tick for each costs more than all else that they tell.
        case standard
        /// The series of usage, on the idle grid. `UsageReading` sets them.
        case usage
    }

    let name: String
    let help: String
    let labels: MetricLabels
    let isByAgent: Bool
    let isByReason: Bool
    private let cadence: Cadence
    private let bounds: HistogramBounds?
    private let place = Atomic<Int>(-1)
    private let bound = Mutex<(family: Family<I>, clock: RecorderClock)?>(nil)

    init(
        _ name: String, _ help: String, by labels: MetricLabels = .none, byAgent: Bool = false, byReason: Bool = false,
        cadence: Cadence = .standard, bounds: HistogramBounds? = nil
    ) {
        self.name = name
        self.help = help
        self.labels = labels
        isByAgent = byAgent
        isByReason = byReason
        self.cadence = cadence
        self.bounds = bounds
    }

    /// Its place among the sparse metrics. Relaxed: it is written once, before anyone else reads it.
    var index: Int { place.load(ordering: .relaxed) }

    /// Returns the instrument with these label values after those of the organization, and makes it on first use.
    /// Returns nil if the registry is full.
    func instrument(_ values: [String], created: Timestamp? = nil) -> I? {
        guard let (family, clock) = bound.withLock({ $0 }) else { return nil }
        return family.series(values, created: created ?? clock.now)
    }
}

/// A sparse metric without the type of its instruments.
protocol SparseDeclaration: Sendable {
    var name: String { get }
    var index: Int { get }
    var labels: MetricLabels { get }
    var isByAgent: Bool { get }
    var isByReason: Bool { get }
    func bind(in registry: Registry, clock: RecorderClock, place: Int)
    /// Ends the series with these label values.
    func end(_ values: [String])
    func endAll()
    /// Makes a series with its saved value; nil if the value is of another type or the registry is full.
    func resume(_ saved: SavedSeries, _ values: [String]) -> (any SparseInstrument)?
    /// The kind of value that its saved series have.
    var column: InstrumentLayout.Column { get }
}

extension SparseMetric: SparseDeclaration {
    var column: InstrumentLayout.Column { I.column }

    func bind(in registry: Registry, clock: RecorderClock, place: Int) {
        let names =
            MetricLabels.organizationNames + (isByAgent ? ["agent_name"] : []) + labels.names
            + (isByReason ? ["reason"] : [])
        let cadence: FamilyDescriptor.Cadence =
            cadence == .usage || I.column == .gauges ? .idleGrid : .onChange
        let made: Family<I> = I.declare(
            name, help, labels: names, cadence: cadence, bounds: bounds?.values(long: false) ?? [], in: registry)
        bound.withLock { $0 = (made, clock) }
        self.place.store(place, ordering: .relaxed)
    }

    func end(_ values: [String]) { bound.withLock { $0 }?.family.end(values) }

    func endAll() { bound.withLock { $0 }?.family.end { _ in true } }

    func resume(_ saved: SavedSeries, _ values: [String]) -> (any SparseInstrument)? {
        if case .histogram(let state) = saved.held, state.counts.count != (bounds?.values(long: false).count ?? -1) + 1
        {
            return nil
        }
        guard saved.column == column else { return nil }
        let made = instrument(values, created: saved.created)
        made?.resume(saved.held)
        return made
    }
}

/// An instrument that can be in a `SparseTable`.
protocol SparseInstrument: TabledInstrument {
    /// Its value as it is saved.
    var saved: SavedSeries.Value { get }
    /// Sets it to 0 if it is a total.
    func startAtZero()
}

extension Counter: SparseInstrument {
    var saved: SavedSeries.Value { .counter(value) }
    func startAtZero() { set(total: 0) }
}

extension Gauge: SparseInstrument {
    var saved: SavedSeries.Value { .gauge(value) }
    func startAtZero() {}
}

extension Histogram: SparseInstrument {
    var saved: SavedSeries.Value { .histogram(current) }
    func startAtZero() { set(.init(counts: current.counts.map { _ in 0 }, sum: 0)) }
}

/// The instruments of an organization that occur.
struct SparseTable: Sendable {
    /// A series: its metric, and the places of its label values.
    struct Key: Hashable {
        let metric: UInt16
        /// The place of the agent's name, or 0.
        let agent: UInt8
        /// The place of the reason, or 0.
        let reason: UInt8
        /// The offset in the metric's fixed labels.
        let offset: UInt16

        init(metric: Int, offset: Int, agent: Int = 0, reason: Int = 0) {
            self.metric = UInt16(metric)
            self.offset = UInt16(offset)
            self.agent = UInt8(agent)
            self.reason = UInt8(reason)
        }
    }

    private(set) var instruments: [Key: any SparseInstrument] = [:]
    /// Names of agents and reasons of their ends, in the order in which they came.
    var agents = NameList()
    var reasons = NameList()

    /// Returns the instrument of a series; nil if the registry is full.
    mutating func instrument<I>(
        _ metric: SparseMetric<I>, _ offset: Int, agent: Int = 0, reason: Int = 0, _ prefix: [String]
    ) -> I? {
        let key = Key(metric: metric.index, offset: offset, agent: agent, reason: reason)
        if let known = instruments[key] { return known as? I }
        let made = metric.instrument(prefix + values(of: metric, key))
        instruments[key] = made
        return made
    }

    mutating func insert(_ instrument: any SparseInstrument, _ key: Key) { instruments[key] = instrument }

    /// The label values of a series, after those of the organization.
    func values(of metric: any SparseDeclaration, _ key: Key) -> [String] {
        (metric.isByAgent ? [agents[Int(key.agent)]] : []) + metric.labels.combinations[Int(key.offset)]
            + (metric.isByReason ? [reasons[Int(key.reason)]] : [])
    }

    /// Ends all series.
    mutating func end(_ catalog: Catalog, _ prefix: [String]) {
        for key in instruments.keys {
            let metric = catalog.sparse[Int(key.metric)]
            metric.end(prefix + values(of: metric, key))
        }
        self = SparseTable()
    }

    func startAtZero() { for instrument in instruments.values { instrument.startAtZero() } }
}
