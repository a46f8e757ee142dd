extension PrometheusServer {
    /// An alert that is pending or fires.
    package struct Alert: Sendable, Decodable {
        package enum State: String, Sendable, Decodable { case pending, firing }

        package let labels: [String: String]
        /// The texts for people, with the alert's labels and value put in.
        package let annotations: [String: String]
        package let state: State

        package var name: String { labels["alertname"] ?? "" }
    }

    /// The alerts that are pending or fire now.
    package func alerts() throws -> [Alert] { try api.decoded(AlertsAnswer.self, from: "/api/v1/alerts").data.alerts }
}

/// https://prometheus.io/docs/prometheus/latest/querying/api/#alerts
private struct AlertsAnswer: Decodable {
    struct Content: Decodable { let alerts: [PrometheusServer.Alert] }

    let data: Content
}
