import TestSupport
import Testing

/// The samples in a Prometheus that scrapes nothing, in the form of `/metrics`.
enum Pushed {
    /// The samples of LiveKit's metrics, without the labels that only pushing adds. Those are checked here.
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
            // `region` is an external label if the series has no label of that name.
            if labels["project"] == nil { labels["region"] = nil }
            samples[Exposition.key(name, labels)] = series.value
        }
        return samples
    }
}
