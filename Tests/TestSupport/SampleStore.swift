/// The samples that a receiver holds, stored by the rules of Prometheus.
///
/// A sample must be later than the newest of its series. Only an exact copy of the newest is taken without a word. A
/// request of 1.0 is stored whole or not at all. Of a request of 2.0 everything is stored that can be.
package struct SampleStore: Sendable {
    package struct Outcome: Sendable, Equatable {
        /// The number of samples that were stored, or were stored before.
        package var written: Int
        /// The first reason for a refusal. Nil if everything is stored.
        package var refusal: String?

        package init(written: Int, refusal: String? = nil) {
            self.written = written
            self.refusal = refusal
        }
    }

    /// By `WriteRequest.TimeSeries.text`, in the order of time.
    package private(set) var samples: [String: [WriteRequest.Sample]] = [:]
    /// Each refusal so far.
    package private(set) var refusals: [String] = []

    package init() {}

    /// Stores a request.
    package mutating func take(_ request: WriteRequest) -> Outcome {
        var next = samples
        var outcome = Outcome(written: 0)
        for series in request.series {
            for sample in series.samples {
                if let refusal = Self.refusal(of: sample, after: next[series.text]?.last) {
                    outcome.refusal = outcome.refusal ?? "\(series.text): \(refusal)"
                    continue
                }
                outcome.written += 1
                if next[series.text]?.last?.milliseconds != sample.milliseconds {
                    next[series.text, default: []].append(sample)
                }
            }
        }
        if let refusal = outcome.refusal { refusals.append(refusal) }
        if outcome.refusal != nil && request.version == .v1 {
            outcome.written = 0
        } else {
            samples = next
        }
        return outcome
    }

    private static func refusal(of sample: WriteRequest.Sample, after last: WriteRequest.Sample?) -> String? {
        guard let last, sample.milliseconds <= last.milliseconds else { return nil }
        if sample.milliseconds < last.milliseconds {
            return "out of order sample: \(sample.milliseconds) after \(last.milliseconds)"
        }
        return sample.bits == last.bits ? nil : "duplicate sample for timestamp \(sample.milliseconds)"
    }
}
