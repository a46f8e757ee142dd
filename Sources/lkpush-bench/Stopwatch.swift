import CBenchmark
import Platform

/// Measures workloads: warms up, then takes samples until there are enough of them or the time is up.
struct Stopwatch {
    /// The time for one case, without its lower bound.
    var budget: Duration
    var samples: ClosedRange<Int>
    /// The samples of the case that goes over HTTP, and the requests of one sample.
    var rounds: Int
    var requestsPerRound: Int

    /// For a table that people read.
    static let thorough = Stopwatch(budget: .seconds(2), samples: 7...500, rounds: 5, requestsPerRound: 25_000)
    /// For the check: allocations need no statistics.
    static let brief = Stopwatch(budget: .milliseconds(150), samples: 3...7, rounds: 6, requestsPerRound: 4_000)

    func measure(_ work: Workload) -> Measurement {
        let own = sample(work.operations, prepare: work.prepare, work.run)
        let bound = work.lowerBound.map { bound in
            let plain = sample(bound.operations, prepare: {}, bound.run)
            return Measurement.LowerBound(
                name: bound.name, p50_ns: plain.times.percentile(0.5), allocations: plain.allocations)
        }
        return Measurement(
            samples: own.times.count, best_ns: own.times.percentile(0), p50_ns: own.times.percentile(0.5),
            p90_ns: own.times.percentile(0.9),
            allocations: own.allocations, lowerBound: bound, note: work.note())
    }

    private func sample(
        _ operations: Int, prepare: () -> Void, _ run: () -> Void
    ) -> (times: [Double], allocations: Double) {
        let time = SystemTime()
        for _ in 0..<Self.warmUps {
            prepare()
            run()
        }
        var times: [Double] = []
        times.reserveCapacity(samples.upperBound)
        var allocations: UInt64 = 0
        let end = time.monotonic() + budget
        while times.count < samples.lowerBound || times.count < samples.upperBound && time.monotonic() < end {
            prepare()
            let allocated = lk_allocations_of_thread()
            let start = time.monotonic()
            run()
            let elapsed = time.monotonic().nanoseconds - start.nanoseconds
            allocations += lk_allocations_of_thread() - allocated
            times.append(Double(elapsed) / Double(operations))
        }
        return (times, Double(allocations) / Double(times.count * operations))
    }

    /// Enough runs for buffers to reach their size.
    private static let warmUps = 4
}

extension [Double] {
    /// Returns the value below which this share of the samples lies.
    func percentile(_ share: Double) -> Double {
        let ordered = sorted()
        return ordered[Swift.min(ordered.count - 1, Int(Double(ordered.count) * share))]
    }
}
