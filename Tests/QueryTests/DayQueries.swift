import TestSupport
import Testing

/// Queries of the day, with the variables that Grafana would replace.
extension LivedDay {
    /// What Grafana puts there. Readings are up to two minutes apart here, so the rates need four times as much.
    func filled(_ expression: String, organization: String = ".+") -> String {
        let values = [
            ("org_id", organization), ("environment", "prod"), ("job", ".*"), ("instance", ".*"),
            ("destination", ".*"), ("__range", "\(Int(end - begin) + 600)s"), ("__rate_interval", "8m"),
            ("__interval", "2m"),
        ]
        // A dashboard that shows all organizations matches them by a regular expression.
        let expression = expression.replacing(#"org_id="$org_id""#, with: #"org_id=~"$org_id""#)
        return values.reduce(expression) { text, value in
            text.replacing("${\(value.0)}", with: value.1).replacing("$\(value.0)", with: value.1)
        }
    }

    /// The value for an organization, by default at the end of the day. Nil without a series.
    func value(_ expression: String, _ organization: String, at time: Double? = nil) throws -> Double? {
        let found = try prometheus.query(filled(expression, organization: organization), at: time ?? end)
        #expect(found.count <= 1, "\(expression): \(found.count) series of one organization")
        return found.first?.value
    }

    /// All series of a query, over the whole day.
    func series(_ expression: String, step: Double = 240) throws -> [PrometheusServer.Series] {
        try prometheus.query(filled(expression), from: begin, to: end, step: step)
    }
}

/// True if two numbers are the same but for the last digits.
func isNear(_ a: Double?, _ b: Double, within share: Double = 1e-9) -> Bool {
    guard let a else { return false }
    return abs(a - b) <= share * max(1, abs(b))
}
