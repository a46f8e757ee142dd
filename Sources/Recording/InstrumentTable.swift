import Metrics

/// The most series of each kind that one organization, and the process, can have.
struct InstrumentLayout: Sendable {
    enum Column: Sendable { case counters, gauges, histograms }

    struct Width: Sendable {
        var counters = 0
        var gauges = 0
        var histograms = 0
    }

    private(set) var process = Width()
    private(set) var organization = Width()

    /// Reserves adjacent positions. Returns the first one.
    mutating func take(_ column: Column, of scope: MetricScope, count: Int) -> Int {
        if scope == .process { return process.take(column, count: count) }
        return organization.take(column, count: count)
    }
}

extension InstrumentLayout.Width {
    fileprivate mutating func take(_ column: InstrumentLayout.Column, count: Int) -> Int {
        switch column {
        case .counters:
            defer { counters += count }
            return counters
        case .gauges:
            defer { gauges += count }
            return gauges
        case .histograms:
            defer { histograms += count }
            return histograms
        }
    }
}

/// The instruments of one organization, or of the process. Each is looked up once by its labels, and then found by its
/// position.
///
/// The first update makes a series. If the registry is full the update is dropped, and the registry counts it.
struct InstrumentTable: Sendable {
    /// The values of the labels that all series of the table begin with.
    let prefix: [String]
    var counters: [Counter?]
    var gauges: [Gauge?]
    var histograms: [Histogram?]

    init(prefix: [String], width: InstrumentLayout.Width) {
        self.prefix = prefix
        counters = [Counter?](repeating: nil, count: width.counters)
        gauges = [Gauge?](repeating: nil, count: width.gauges)
        histograms = [Histogram?](repeating: nil, count: width.histograms)
    }

    /// - Parameter offset: the combination of the metric's further label values.
    mutating func increment(_ metric: Metric<Counter>, _ offset: Int = 0, by amount: Double = 1) {
        let position = metric.base + offset
        if let counter = counters[position] { return counter.increment(by: amount) }
        let counter = metric.instrument(prefix: prefix, offset: offset)
        counters[position] = counter
        counter?.increment(by: amount)
    }

    mutating func set(_ metric: Metric<Gauge>, _ offset: Int = 0, to value: Double) {
        let position = metric.base + offset
        if let gauge = gauges[position] { return gauge.set(value) }
        let gauge = metric.instrument(prefix: prefix, offset: offset)
        gauges[position] = gauge
        gauge?.set(value)
    }

    mutating func observe(_ metric: Metric<Histogram>, _ offset: Int = 0, _ value: Double) {
        let position = metric.base + offset
        if let histogram = histograms[position] { return histogram.observe(value) }
        let histogram = metric.instrument(prefix: prefix, offset: offset)
        histograms[position] = histogram
        histogram?.observe(value)
    }
}
