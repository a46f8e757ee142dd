import Glibc

/// A piece of work that is repeated and measured.
struct Workload {
    /// The plainest code that does the unavoidable part of the same work.
    struct LowerBound {
        let name: String
        let operations: Int
        let run: () -> Void
    }

    /// The number of operations in one `run`.
    var operations: Int
    /// Prepares the next `run`. It is not measured.
    var prepare: () -> Void = {}
    let run: () -> Void
    var lowerBound: LowerBound?
    /// A remark that the numbers do not show. It is asked for after the last run.
    var note: () -> String = { "" }
}

/// One row of the table.
struct BenchmarkCase {
    let name: String
    /// The meaning of one operation.
    let operation: String
    let measure: (Stopwatch) -> Measurement?

    init(_ name: String, per operation: String, _ make: @escaping () -> Workload) {
        self.init(name, per: operation, measuring: { $0.measure(make()) })
    }

    /// Makes a case that measures itself. It returns nil if this machine lacks what it needs.
    init(_ name: String, per operation: String, measuring measure: @escaping (Stopwatch) -> Measurement?) {
        self.name = name
        self.operation = operation
        self.measure = measure
    }
}

/// The result of a case.
struct Measurement {
    struct LowerBound {
        let name: String
        let p50_ns: Double
        /// Per operation.
        var allocations: Double?
    }

    var samples: Int
    /// The sample that other programs disturbed least. On a busy machine it is more reliable than the median.
    var best_ns: Double
    var p50_ns: Double
    var p90_ns: Double
    /// Per operation.
    var allocations: Double
    var lowerBound: LowerBound?
    var note = ""

    /// The time relative to the lower bound.
    var ratio: Double? { lowerBound.map { p50_ns / $0.p50_ns } }
    var perSecond: Double { 1e9 / p50_ns }
}

/// The plainest lower bound of all. `target` is at least as long as `source`. Wraps `memcpy`.
func copyBytes<Element: BitwiseCopyable>(of source: [Element], to target: inout [Element]) {
    precondition(target.count >= source.count, "there is room for a copy")
    source.withUnsafeBytes { source in
        target.withUnsafeMutableBytes { target in
            if let from = source.baseAddress, let to = target.baseAddress { _ = memcpy(to, from, source.count) }
        }
    }
    blackHole(target)
}

/// Keeps the compiler from removing code whose result is not used.
@inline(never)
func blackHole<Value>(_ value: borrowing Value) {}
