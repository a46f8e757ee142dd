import Wire

/// Maps the positions of series in the version that wrote the state to metrics and label values of this version.
struct SavedPositions: Sendable {
    private struct Target: Sendable {
        let metric: any MetricDeclaration
        let offset: Int
    }

    private struct Column: Hashable {
        let column: InstrumentLayout.Column
        let isProcess: Bool
    }

    /// More positions than any version will have. A higher number shows that the bytes are damaged.
    private static let most = 1 << 16

    /// Nil for a series that this version does not have.
    private var targets: [Column: [Target?]] = [:]
    /// The first position of each metric, by its name.
    private var bases: [String: (column: Column, base: Int)] = [:]

    /// Adds a metric of the version that wrote the state.
    mutating func add(_ saved: SavedMetric, _ catalog: Catalog) throws(MessageFault) {
        let width = max(1, saved.labelNames.count)
        guard saved.base <= Self.most, saved.labelValues.count <= Self.most, saved.labelValues.count % width == 0,
            saved.combinations > 0
        else { throw MessageFault("a metric has no positions") }
        let column = Column(column: saved.column, isProcess: saved.isProcess)
        let end = saved.base + saved.combinations
        var list = targets[column] ?? []
        if list.count < end { list.append(contentsOf: repeatElement(nil, count: end - list.count)) }
        bases[saved.name] = (column, saved.base)
        let metric = catalog.all.first { $0.name == saved.name }
        if let metric, metric.column == saved.column, (metric.scope == .process) == saved.isProcess,
            metric.labels.names == saved.labelNames, metric.buckets == saved.buckets
        {
            let offsets = Dictionary(
                metric.labels.combinations.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            for place in 0..<saved.combinations {
                guard let offset = offsets[saved.combination(place)] else { continue }
                list[saved.base + place] = Target(metric: metric, offset: offset)
            }
        }
        targets[column] = list
    }

    /// Returns the metric at a position, and the offset of its labels; nil if this version does not have that series.
    func find(
        _ position: Int, in column: InstrumentLayout.Column, isProcess: Bool
    ) throws(MessageFault) -> (metric: any MetricDeclaration, offset: Int)? {
        guard let list = targets[Column(column: column, isProcess: isProcess)], position < list.count else {
            throw MessageFault("a series is at no position")
        }
        return list[position].map { ($0.metric, $0.offset) }
    }

    /// Returns the offset that a metric now has for the label values that had this offset.
    func offset(_ written: Int, of metric: Metric<some TabledInstrument>) throws(MessageFault) -> Int {
        guard let (column, base) = bases[metric.name], written <= Self.most,
            let target = try find(base + written, in: column.column, isProcess: column.isProcess),
            target.metric.name == metric.name
        else { throw MessageFault("a label has no values") }
        return target.offset
    }
}

/// A metric as another version of the program declared it.
struct SavedMetric: Sendable {
    var name = ""
    var column = InstrumentLayout.Column.counters
    var isProcess = false
    var base = 0
    var labelNames: [String] = []
    /// Every combination of label values, one after the other.
    var labelValues: [String] = []
    var buckets: [Double] = []

    var combinations: Int { labelNames.isEmpty ? 1 : labelValues.count / labelNames.count }

    func combination(_ place: Int) -> [String] {
        Array(labelValues[(place * labelNames.count)..<((place + 1) * labelNames.count)])
    }
}

extension SavedMetric {
    init(_ metric: any MetricDeclaration) {
        self.init(
            name: metric.name, column: metric.column, isProcess: metric.scope == .process, base: metric.base,
            labelNames: metric.labels.names, labelValues: metric.labels.combinations.flatMap { $0 },
            buckets: metric.buckets)
    }

    func encode(into writer: inout MessageWriter) {
        writer.field(1, name)
        writer.field(2, column)
        writer.field(3, isProcess)
        writer.field(4, UInt64(base))
        for name in labelNames { writer.element(5, name) }
        for value in labelValues { writer.element(6, value) }
        for bound in buckets { writer.element(7, fraction: bound) }
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.string()
            case 2: column = try reader.enumeration()
            case 3: isProcess = try reader.bool()
            case 4: base = try reader.index()
            case 5: labelNames.append(try reader.string())
            case 6: labelValues.append(try reader.string())
            case 7: buckets.append(try reader.double())
            default: try reader.skip()
            }
        }
    }
}

extension InstrumentLayout.Column: StoredEnumeration {
    static let inStoredOrder: [InstrumentLayout.Column] = [.counters, .gauges, .histograms]
}

extension MetricDeclaration {
    /// It is about lkpush itself, so its totals begin at 0 with the process.
    var isOwn: Bool { name.hasPrefix("lkpush_") }
}
