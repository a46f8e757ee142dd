import Wire

/// One line of output.
struct ResultRow {
    private let benchmark: BenchmarkCase
    private let result: Measurement

    init(_ benchmark: BenchmarkCase, _ result: Measurement) {
        self.benchmark = benchmark
        self.result = result
    }

    private static let widths = [44, 12, 12, 12, 14, 12, 52]

    static let header = line(["case", "best ns/op", "p50 ns/op", "p90 ns/op", "op/s", "alloc/op", "of the lower bound"])

    var text: String {
        var bound = ""
        if let lower = result.lowerBound, let ratio = result.ratio {
            let allocations = lower.allocations.map { ", which allocates \(Self.number($0))" } ?? ""
            bound = "\(Self.number(ratio)) x \(lower.name)\(allocations)"
        }
        let cells = [
            benchmark.name, Self.number(result.best_ns), Self.number(result.p50_ns), Self.number(result.p90_ns),
            Self.number(result.perSecond),
            Self.number(result.allocations), bound,
        ]
        return Self.line(cells) + (result.note.isEmpty ? "" : "  \(result.note)")
    }

    var json: String {
        var fields = [
            ("case", Self.quoted(benchmark.name)), ("operation", Self.quoted(benchmark.operation)),
            ("samples", "\(result.samples)"), ("best_ns", "\(result.best_ns)"), ("p50_ns", "\(result.p50_ns)"),
            ("p90_ns", "\(result.p90_ns)"),
            ("allocations", "\(result.allocations)"),
        ]
        if let lower = result.lowerBound, let ratio = result.ratio {
            fields += [
                ("lower_bound", Self.quoted(lower.name)), ("lower_bound_p50_ns", "\(lower.p50_ns)"),
                ("ratio", "\(ratio)"),
            ]
            if let allocations = lower.allocations { fields.append(("lower_bound_allocations", "\(allocations)")) }
        }
        if !result.note.isEmpty { fields.append(("note", Self.quoted(result.note))) }
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, widths).enumerated().map { index, cell in
            let gap = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 || index == cells.count - 1 ? cell.0 + gap : gap + cell.0
        }.joined(separator: "  ")
    }

    /// Returns a number with three significant digits.
    static func number(_ value: Double) -> String {
        if value == 0 || value >= 100 { return "\(Int(value.rounded()))" }
        let scale: Double = value >= 10 ? 10 : value >= 1 ? 100 : 10_000
        return "\((value * scale).rounded() / scale)"
    }

    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
