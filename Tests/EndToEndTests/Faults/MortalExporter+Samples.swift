import Platform
import TestSupport

extension MortalExporter {
    /// The samples of `/metrics`.
    var samples: [String: Double] { RunningExporter.metrics(metrics) }

    /// Records which posts were sent more than once.
    func note(_ record: RetryingSender.Record, of posts: some Sequence<Day.Post>) {
        repeats.merge(record.repeats(of: posts)) { $0 + $1 }
    }

    /// Waits until the event-driven samples are `expected`. Returns the differences if they never are.
    func differences(
        from expected: [String: Double], ignoring isIgnored: (String) -> Bool = { _ in false }
    ) throws -> [String] {
        let wanted = Comparison.driven(expected).filter { !isIgnored($0.key) }
        var differences: [String] = []
        _ = try eventually {
            try expectAlive()
            let found = Comparison.driven(samples).filter { !isIgnored($0.key) }
            differences = Comparison.differences(
                expected: wanted, found: found, repeats: repeats)
            return differences.isEmpty
        }
        return differences
    }
}
