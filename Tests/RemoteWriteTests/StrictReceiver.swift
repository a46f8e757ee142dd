import TestSupport

/// A receiver that stores a whole request or nothing, as Prometheus does for version 1.0, and that notes everything that
/// must not happen.
struct StrictReceiver {
    private(set) var stored: [String: [WriteRequest.Sample]] = [:]
    /// Every value that a series ever had at a time, stored or not.
    private var seen: [String: [Int64: UInt64]] = [:]
    /// Two values for one series and time.
    private(set) var contradictions: [String] = []
    /// Requests with a sample that is older than the newest one of its series, and was not stored before.
    private(set) var reorderings: [String] = []

    /// Stores a request. Returns false, and stores nothing, if a sample is older than the newest of its series, or
    /// differs from one with the same time.
    mutating func take(_ request: WriteRequest) -> Bool {
        for series in request.series {
            for sample in series.samples {
                if let other = seen[series.text]?[sample.milliseconds], other != sample.bits {
                    contradictions.append("\(series.text) at \(sample.milliseconds)")
                }
                seen[series.text, default: [:]][sample.milliseconds] = sample.bits
            }
        }
        var next = stored
        for series in request.series {
            for sample in series.samples {
                guard let last = next[series.text]?.last else {
                    next[series.text, default: []].append(sample)
                    continue
                }
                if sample.milliseconds > last.milliseconds {
                    next[series.text, default: []].append(sample)
                } else if sample.milliseconds < last.milliseconds || sample.bits != last.bits {
                    if !(stored[series.text] ?? []).contains(where: { $0.milliseconds == sample.milliseconds }) {
                        reorderings.append("\(series.text) at \(sample.milliseconds)")
                    }
                    return false
                }
            }
        }
        stored = next
        return true
    }
}
