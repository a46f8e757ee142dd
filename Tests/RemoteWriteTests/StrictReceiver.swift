import TestSupport

/// A receiver that stores a whole request or nothing, as Prometheus does for version 1.0, and that notes everything that
/// must not happen.
struct StrictReceiver {
    private(set) var stored: [String: [WriteRequest.Sample]] = [:]
    /// The newest time that is stored.
    private(set) var newest = Int64.min
    /// Every value that a series ever had at a time, stored or not.
    private var seen: [String: [Int64: UInt64]] = [:]
    /// Two values for one series and time.
    private(set) var contradictions: [String] = []
    /// Requests with a sample that is older than the newest one of its series, and was not stored before.
    private(set) var reorderings: [String] = []

    /// Stores a request. Returns false, and stores nothing, if a sample is older than the newest of its series, or
    /// differs from one with the same time.
    mutating func take(_ request: WriteRequest) -> Bool {
        var last: [String: WriteRequest.Sample] = [:]
        var new: [(series: String, sample: WriteRequest.Sample)] = []
        for series in request.series {
            let text = series.text
            note(series, text)
            for sample in series.samples {
                guard let before = last[text] ?? stored[text]?.last else {
                    last[text] = sample
                    new.append((text, sample))
                    continue
                }
                if sample.milliseconds > before.milliseconds {
                    last[text] = sample
                    new.append((text, sample))
                } else if sample.milliseconds < before.milliseconds || sample.bits != before.bits {
                    if !(stored[text] ?? []).contains(where: { $0.milliseconds == sample.milliseconds }) {
                        reorderings.append("\(text) at \(sample.milliseconds) after \(before.milliseconds)")
                    }
                    return false
                }
            }
        }
        for (series, sample) in new {
            stored[series, default: []].append(sample)
            newest = max(newest, sample.milliseconds)
        }
        return true
    }

    private mutating func note(_ series: WriteRequest.TimeSeries, _ text: String) {
        for sample in series.samples {
            if let other = seen[text, default: [:]].updateValue(sample.bits, forKey: sample.milliseconds),
                other != sample.bits
            {
                contradictions.append("\(text) at \(sample.milliseconds)")
            }
        }
    }

    /// What is stored of the series whose names begin with `prefix`, for the message of a failure.
    func values(of prefix: String) -> [String] {
        stored.filter { $0.key.hasPrefix(prefix) }.map { series, samples in
            "\(series) " + samples.map { "\($0.value)@\($0.milliseconds / 1_000 % 10_000)" }.joined(separator: " ")
        }.sorted()
    }

    /// The increase of a counter as `increase()` adds it up, without extrapolation.
    func increase(_ series: String) -> Double {
        let values = (stored[series] ?? []).filter { !$0.isStale }.map(\.value)
        return zip(values, values.dropFirst()).reduce(0) { $0 + ($1.1 < $1.0 ? $1.1 : $1.1 - $1.0) }
    }
}
