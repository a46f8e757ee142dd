import TestSupport
import Testing

/// What arrived in a Prometheus that scrapes nothing, in the form of `/metrics`.
enum Pushed {
    /// LiveKit's samples, without the labels that only pushing adds; those are checked.
    static func samples(
        in prometheus: PrometheusServer, instance: String = "exporter-1"
    ) throws -> [String: Double] {
        var samples: [String: Double] = [:]
        for series in try prometheus.query("{__name__=~\"lk_.+\",instance=\"\(instance)\"}") {
            var labels = series.labels
            let name = labels.removeValue(forKey: "__name__") ?? ""
            #expect(labels.removeValue(forKey: "job") == "lkpush")
            #expect(labels.removeValue(forKey: "instance") == instance)
            #expect(labels.removeValue(forKey: "environment") == "test")
            #expect(labels.removeValue(forKey: "service") == "lkpush")
            #expect(labels["region"] == "here")
            // An external label, where the series has none of that name.
            if labels["project"] == nil { labels["region"] = nil }
            samples[Exposition.key(name, labels)] = series.value
        }
        return samples
    }
}
