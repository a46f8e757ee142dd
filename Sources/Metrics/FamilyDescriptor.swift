/// The properties that all series of a metric share.
package struct FamilyDescriptor: Sendable, Equatable {
    /// The metric type.
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// The `bounds` are the upper bounds of the buckets, ascending, without `+Inf`.
        case histogram(bounds: [Double])

        /// The name of the type in both text formats.
        package var name: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// The rule for when a series is pushed, if the idle interval is longer than the push interval.
    package enum Cadence: Sendable, Equatable, CaseIterable {
        /// Pushed when it is new or has changed, and else once per idle interval: for counters and histograms.
        case onChange
        /// Pushed at every tick, so that averages over time are unbiased: for gauges.
        case everyTick
        /// Pushed on a fixed grid of idle intervals, changed or not: for gauges that are refreshed rarely, for info
        /// metrics, and for counters of time, which change with every tick.
        case idleGrid
    }

    package let name: String
    /// The help text: one sentence.
    package let help: String
    package let kind: Kind
    package let labelNames: [String]
    package let cadence: Cadence

    /// Traps on a declaration that Prometheus would refuse, because that is a mistake of the programmer.
    init(name: String, help: String, kind: Kind, labelNames: [String], cadence: Cadence) {
        if let fault = Self.fault(name: name, help: help, kind: kind, labelNames: labelNames) {
            preconditionFailure(fault)
        }
        if let fault = Self.fault(kind: kind, cadence: cadence) { preconditionFailure(fault) }
        self.name = name
        self.help = help
        self.kind = kind
        self.labelNames = labelNames
        self.cadence = cadence
    }

    /// The declaration of a family that another process had. Nil if no process could have had it.
    package static func restored(
        name: String, help: String, kind: Kind, labelNames: [String]
    ) -> FamilyDescriptor? {
        guard fault(name: name, help: help, kind: kind, labelNames: labelNames) == nil else { return nil }
        return FamilyDescriptor(name: name, help: help, kind: kind, labelNames: labelNames, cadence: .onChange)
    }

    /// What Prometheus would refuse in such a declaration. Nil if there is nothing.
    package static func fault(name: String, help: String, kind: Kind, labelNames: [String]) -> String? {
        guard isName(name, colon: true) else { return "a metric name is [a-zA-Z_:][a-zA-Z0-9_:]*" }
        guard !help.isEmpty else { return "every metric has a help sentence" }
        guard labelNames.allSatisfy({ isName($0, colon: false) && !$0.hasPrefix("__") && $0 != "le" }) else {
            return "a label name is [a-zA-Z_][a-zA-Z0-9_]*, and none is reserved"
        }
        guard Set(labelNames).count == labelNames.count else { return "a label is declared once" }
        if case .histogram(let bounds) = kind {
            guard !bounds.isEmpty, bounds.allSatisfy(\.isFinite), zip(bounds, bounds.dropFirst()).allSatisfy(<) else {
                return "bounds are finite and ascend"
            }
        }
        guard (kind == .counter) == name.hasSuffix("_total") else { return "counters, and only they, end with _total" }
        return nil
    }

    /// What does not fit together. Nil if it does.
    package static func fault(kind: Kind, cadence: Cadence) -> String? {
        switch (kind, cadence) {
        case (.gauge, _), (_, .onChange), (.counter, .idleGrid): nil
        case (.counter, .everyTick): "a counter needs no sample at every tick, since increase() looks at two of them"
        case (.histogram, _): "a histogram has too many series to be pushed unchanged"
        }
    }

    /// A gauge without labels that no registry holds.
    package static func synthetic(name: String, help: String, cadence: Cadence) -> FamilyDescriptor {
        FamilyDescriptor(name: name, help: help, kind: .gauge, labelNames: [], cadence: cadence)
    }

    /// The number of time series for one set of label values. A histogram has its buckets, `+Inf`, sum and count.
    package var seriesPerChild: Int {
        if case .histogram(let bounds) = kind { return bounds.count + 3 }
        return 1
    }

    /// The name without a counter's `_total`. OpenMetrics uses it as the name of the family.
    package var stem: String { kind == .counter ? String(name.dropLast("_total".count)) : name }

    /// The base unit at the end of the stem; nil if the name has none.
    /// https://prometheus.io/docs/practices/naming/#base-units
    package var unit: String? { Self.units.first { stem.hasSuffix("_" + $0) } }

    private static let units = [
        "seconds", "bytes", "ratio", "celsius", "meters", "volts", "amperes", "joules", "grams",
    ]

    private static func isName(_ name: String, colon: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == UInt8(ascii: "_") || (colon && $0 == UInt8(ascii: ":"))
        }
    }
}
