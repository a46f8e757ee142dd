import Platform
import TestSupport

/// A receiver for each replica, so that it is known which replica sent which sample.
final class ReplicaReceivers {
    let receivers: [ScriptedReceiver]

    init(_ count: Int = 3) throws { receivers = try (0..<count).map { _ in try ScriptedReceiver() } }

    /// A sample of a shared series that a receiver took.
    private struct Arrival {
        let replica: Int
        let key: String
        let sample: WriteRequest.Sample
    }

    /// All samples in the order of their times.
    private func arrivals() throws -> [Arrival] {
        var arrivals: [Arrival] = []
        var keys: [String: String] = [:]
        for (replica, receiver) in receivers.enumerated() {
            for request in receiver.requests where request.method == "POST" {
                for series in try request.decoded().series where series.name.hasPrefix("lk_") {
                    let text = series.text
                    let key = keys[text] ?? Self.key(series)
                    keys[text] = key
                    arrivals += series.samples.map { Arrival(replica: replica, key: key, sample: $0) }
                }
            }
        }
        return arrivals.sorted { $0.sample.milliseconds < $1.sample.milliseconds }
    }

    /// The name and labels without those that only pushing adds.
    private static func key(_ series: WriteRequest.TimeSeries) -> String {
        var labels = Dictionary(uniqueKeysWithValues: zip(series.names, series.values))
        labels["__name__"] = nil
        for added in ["job", "instance", "environment", "service"] { labels[added] = nil }
        if labels["project"] == nil { labels["region"] = nil }
        return Exposition.key(series.name, labels)
    }

    /// One line for each time that has two values, each sum that fell, and each sender between two tenures.
    ///
    /// - Parameters:
    ///   - samples: the leader's samples at the end.
    ///   - leaderships: the number of times that a replica began to lead.
    func problems(endingWith samples: [String: Double], leaderships: Int) throws -> [String] {
        let arrivals = try arrivals()
        var problems: [String] = []
        var before: [String: Arrival] = [:]
        var newest: [String: Double] = [:]
        var senders: [Int] = []
        for arrival in arrivals {
            // A series that has ended has no value.
            newest[arrival.key] = arrival.sample.isStale ? nil : arrival.sample.value
            if arrival.sample.isStale { continue }
            if senders.last != arrival.replica { senders.append(arrival.replica) }
            defer { before[arrival.key] = arrival }
            guard let last = before[arrival.key] else { continue }
            if last.sample.milliseconds == arrival.sample.milliseconds, last.sample.bits != arrival.sample.bits {
                problems.append(
                    "\(arrival.key) at \(arrival.sample.milliseconds): \(last.sample.value) of \(last.replica), and "
                        + "\(arrival.sample.value) of \(arrival.replica)")
            }
            if Self.isSum(arrival.key), arrival.sample.value < last.sample.value {
                problems.append(
                    "\(arrival.key) fell from \(last.sample.value) of \(last.replica) to \(arrival.sample.value) of "
                        + "\(arrival.replica)")
            }
        }
        // In the order of their times, samples come from one leader after the other: no old one is ever back between.
        if senders.isEmpty || senders.count > leaderships {
            problems.append("in the order of time the samples came from \(senders), with \(leaderships) tenures")
        }
        let found = Comparison.driven(newest)
        return problems
            + Comparison.differences(expected: Comparison.driven(samples), found: found).map { "pushed: \($0)" }
    }

    private static func isSum(_ key: String) -> Bool {
        let name = key.prefix { $0 != "{" }
        return ["_total", "_count", "_bucket", "_sum"].contains { name.hasSuffix($0) }
    }
}
