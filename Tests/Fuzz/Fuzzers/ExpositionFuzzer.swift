import Metrics

/// Label values and numbers of strangers: what `/metrics` writes reads back as the same. `--show` prints the page, for
/// `promtool` to read.
struct ExpositionFuzzer: Fuzzer {
    static let name = "exposition"
    private static let bounds = [0.1, 1, 2.5, 1e6]

    func run(_ bytes: [UInt8]) {
        let registry = registry(bytes)
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        let read = TextFormat(page)
        var expected = 0
        for (family, series) in registry.snapshot() {
            require(read.types[Array(family.name.utf8)] == Array(family.kind.name.utf8), "a family has its type")
            require(read.helps[Array(family.name.utf8)] == Array(family.help.utf8), "a family has its help")
            for series in series {
                for value in series.labelValues {
                    require(value.utf8.count <= Registry.Limits.labelValue_bytes, "a value's length is bounded")
                }
                for (suffix, bound, value) in samples(of: series) {
                    expected += 1
                    var labels = zip(family.labelNames, series.labelValues).map { [Array($0.utf8), Array($1.utf8)] }
                    if let bound { labels.append([Array("le".utf8), Array(bound.utf8)]) }
                    let name = Array((family.name + suffix).utf8)
                    guard let found = read.values[.init(name: name, labels: labels)] else { refute("a sample is lost") }
                    require(found == value || found.isNaN && value.isNaN, "\(value) reads back as \(found)")
                }
            }
        }
        require(read.values.count == expected, "there is nothing that nobody wrote")
    }

    func show(_ bytes: [UInt8]) -> [UInt8]? {
        var page: [UInt8] = []
        Exposition.append(registry(bytes), to: &page)
        return page
    }

    private func registry(_ bytes: [UInt8]) -> Registry {
        var bytes = Bytes(bytes)
        let registry = Registry(maxSeries: 200)
        let counter = registry.counter("lk_counted_total", "A counter of \\ and \n.", labels: ["org_id", "org_name"])
        let gauge = registry.gauge("lk_shown", "A gauge.", labels: ["room"])
        let histogram = registry.histogram("lk_taken_seconds", "A histogram.", labels: ["room"], bounds: Self.bounds)
        let bare = registry.gauge("lk_bare", "A gauge without labels.")
        while !bytes.isEmpty {
            switch bytes.below(5) {
            case 0: counter.series([bytes.text(), bytes.text()])?.increment(by: abs(bytes.double()).magnitudeOrZero)
            case 1: gauge.series([bytes.text()])?.set(bytes.double())
            case 2: histogram.series([bytes.text()])?.observe(bytes.double())
            case 3: bare.series()?.set(bytes.double())
            default: gauge.series([String(repeating: bytes.text(), count: bytes.below(256))])?.set(bytes.double())
            }
        }
        return registry
    }

    /// Suffix of the name, value of `le`, value.
    private func samples(of series: Series) -> [(String, String?, Double)] {
        switch series.instrument {
        case .counter(let counter): return [("", nil, counter.value)]
        case .gauge(let gauge): return [("", nil, gauge.value)]
        case .histogram(let histogram):
            let state = histogram.current
            let names = ["0.1", "1", "2.5", "1000000", "+Inf"]
            let total = state.counts.reduce(0, +)
            return names.indices.map { index in
                ("_bucket", names[index], Double(state.counts[...index].reduce(0, +)))
            } + [("_sum", nil, state.sum), ("_count", nil, Double(total))]
        }
    }
}

extension Double {
    /// A counter takes no "not a number".
    fileprivate var magnitudeOrZero: Double { isNaN ? 0 : self }
}
