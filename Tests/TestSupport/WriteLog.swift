/// Everything that a scripted receiver was sent, checked against the rules of remote write: each request against those
/// of the message that its headers name.
/// https://prometheus.io/docs/specs/prw/remote_write_spec/
/// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
package struct WriteLog: Sendable {
    /// Each violation as a sentence. Empty if there is none.
    package private(set) var violations: [String] = []
    /// The samples of requests that were stored and answered 2xx, by series (`WriteRequest.TimeSeries.text`), in order of arrival.
    package private(set) var accepted: [String: [WriteRequest.Sample]] = [:]
    /// All requests, decoded.
    package private(set) var requests: [WriteRequest] = []

    /// The values of all requests, by series and time.
    private var values: [String: [Int64: UInt64]] = [:]
    /// The last start timestamp, by series.
    private var starts: [String: Int64] = [:]

    package init(_ recorded: [ScriptedReceiver.Recorded]) {
        for (index, request) in recorded.enumerated() { check(request, index) }
    }

    /// The number of accepted samples.
    package var acceptedCount: Int { accepted.values.reduce(0) { $0 + $1.count } }

    /// The accepted samples of a series, without its stale markers.
    package func values(_ series: String) -> [Double] {
        (accepted[series] ?? []).filter { !$0.isStale }.map(\.value)
    }

    /// The accepted series of a metric.
    package func series(of name: String) -> [String] {
        accepted.keys.filter { $0 == name || $0.hasPrefix(name + "{") }.sorted()
    }

    private mutating func check(_ recorded: ScriptedReceiver.Recorded, _ index: Int) {
        let place = "request \(index)"
        let expected = [
            "content-encoding": "snappy",
            "content-type": recorded.version == .v1
                ? "application/x-protobuf" : "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "x-prometheus-remote-write-version": recorded.version == .v1 ? "0.1.0" : "2.0.0",
        ]
        for (name, value) in expected where recorded.headers[name] != value {
            violations.append("\(place): \(name) is \(recorded.headers[name] ?? "missing")")
        }
        if recorded.headers["user-agent"]?.isEmpty != false { violations.append("\(place): no User-Agent") }
        if recorded.method != "POST" { violations.append("\(place): method \(recorded.method)") }
        do throws(WriteRequest.RequestFault) {
            let request = try recorded.decoded()
            requests.append(request)
            var seen: Set<String> = []
            for series in request.series {
                if !seen.insert(series.text).inserted { violations.append("\(place): \(series.text) twice") }
                check(labels: series, place)
                check(samples: series, place, isAccepted: recorded.isAccepted)
                check(starts: series, place)
            }
        } catch {
            violations.append("\(place): \(error)")
        }
    }

    private mutating func check(labels series: WriteRequest.TimeSeries, _ place: String) {
        let here = "\(place): \(series.text)"
        if !series.names.contains("__name__") { violations.append("\(here): no __name__") }
        for (name, next) in zip(series.names, series.names.dropFirst())
        where !name.utf8.lexicographicallyPrecedes(next.utf8) {
            violations.append("\(here): \(name) before \(next)")
        }
        for (name, value) in zip(series.names, series.values) {
            if name.isEmpty || value.isEmpty { violations.append("\(here): empty label \(name)") }
            if name.hasPrefix("__") && name != "__name__" { violations.append("\(here): reserved label \(name)") }
        }
    }

    private mutating func check(samples series: WriteRequest.TimeSeries, _ place: String, isAccepted: Bool) {
        let here = "\(place): \(series.text)"
        if series.samples.isEmpty { violations.append("\(here): no sample") }
        if series.histograms > 0 { violations.append("\(here): a native histogram") }
        for (sample, next) in zip(series.samples, series.samples.dropFirst())
        where sample.milliseconds >= next.milliseconds {
            violations.append("\(here): \(next.milliseconds) after \(sample.milliseconds)")
        }
        for sample in series.samples {
            if sample.value.isNaN && !sample.isStale && sample.bits != 0x7FF8_0000_0000_0001 {
                violations.append("\(here): NaN with the bits \(String(sample.bits, radix: 16))")
            }
            let known = values[series.text, default: [:]][sample.milliseconds]
            if let known, known != sample.bits {
                violations.append("\(here): at \(sample.milliseconds) once \(known), once \(sample.bits)")
            }
            values[series.text, default: [:]][sample.milliseconds] = sample.bits
        }
        guard isAccepted else { return }
        if let last = accepted[series.text]?.last, let first = series.samples.first,
            first.milliseconds <= last.milliseconds
        {
            violations.append("\(here): \(first.milliseconds) accepted after \(last.milliseconds)")
        }
        accepted[series.text, default: []].append(contentsOf: series.samples)
    }

    /// Checks the start timestamps of 2.0: none after its sample, and none earlier than one before.
    private mutating func check(starts series: WriteRequest.TimeSeries, _ place: String) {
        let here = "\(place): \(series.text)"
        for sample in series.samples where sample.start_ms != 0 {
            if sample.start_ms > sample.milliseconds {
                violations.append("\(here): starts at \(sample.start_ms), after \(sample.milliseconds)")
            }
            if let before = starts[series.text], sample.start_ms < before {
                violations.append("\(here): starts at \(sample.start_ms), before \(before)")
            }
            starts[series.text] = sample.start_ms
        }
    }
}
