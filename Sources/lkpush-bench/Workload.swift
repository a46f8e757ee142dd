import Glibc

/// Something that is done over and over while it is watched.
struct Workload {
    /// The plainest code that does the unavoidable part of the same work.
    struct LowerBound {
        let name: String
        let operations: Int
        let run: () -> Void
    }

    /// Operations of one `run`.
    var operations: Int
    /// Makes ready for the next `run`; is not measured.
    var prepare: () -> Void = {}
    let run: () -> Void
    var lowerBound: LowerBound?
    /// What the numbers do not say; asked for after the last run.
    var note: () -> String = { "" }
}

/// One row of the table.
struct BenchmarkCase {
    let name: String
    /// What one operation is.
    let operation: String
    let measure: (Stopwatch) -> Measurement?

    init(_ name: String, per operation: String, _ make: @escaping () -> Workload) {
        self.init(name, per: operation, measuring: { $0.measure(make()) })
    }

    /// A case that measures itself; nil where this machine has not what it needs.
    init(_ name: String, per operation: String, measuring measure: @escaping (Stopwatch) -> Measurement?) {
        self.name = name
        self.operation = operation
        self.measure = measure
    }
}

/// What came out.
struct Measurement {
    struct LowerBound {
        let name: String
        let p50_ns: Double
    }

    var samples: Int
    var p50_ns: Double
    var p90_ns: Double
    /// Per operation.
    var allocations: Double
    var lowerBound: LowerBound?
    var note = ""

    /// How many times as long as the lower bound.
    var ratio: Double? { lowerBound.map { p50_ns / $0.p50_ns } }
    var perSecond: Double { 1e9 / p50_ns }
}

/// The plainest lower bound of all. `target` is at least as long. Wraps `memcpy`.
func copyBytes<Element: BitwiseCopyable>(of source: [Element], to target: inout [Element]) {
    precondition(target.count >= source.count, "there is room for a copy")
    source.withUnsafeBytes { source in
        target.withUnsafeMutableBytes { target in
            if let from = source.baseAddress, let to = target.baseAddress { _ = memcpy(to, from, source.count) }
        }
    }
    blackHole(target)
}

/// Keeps the compiler from leaving out what nobody uses.
@inline(never)
func blackHole<Value>(_ value: borrowing Value) {}
