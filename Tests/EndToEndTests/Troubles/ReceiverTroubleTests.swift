import TestSupport
import Testing

/// Receivers that take no samples. An alert at another receiver says why; at the one concerned, samples are absent.
@Suite struct ReceiverTroubleTests {
    /// A receiver's trouble.
    private struct Trouble {
        let name: String
        let condition: TroubleProxy.Condition
        /// The alert that names it, and further ones that are true too.
        let alert: String
        var others: Set<String> = []
        /// Labels of the alert beside the destination.
        var labels: [String: String] = [:]
        /// The first step shows this: in the output of `lkpush check` or in the log.
        let checked: [String]
        var logged: [String] = []
    }

    private static let troubles = [
        Trouble(
            name: "unauthorized", condition: .answering(401, "authentication error: invalid token"),
            alert: "LkpushCredentialsRefused", checked: ["status 401", "GRAFANA_API_KEY"],
            logged: ["the receiver refused the credentials"]),
        Trouble(
            name: "not-found", condition: .answering(404, "404 page not found"), alert: "LkpushReceiverAddressWrong",
            others: ["LkpushSamplesLost"], labels: ["code": "404"], checked: ["status 404"],
            logged: ["the setting is a wrong address", "GRAFANA_PROM_REMOTE_WRITE_URL"]),
        Trouble(
            name: "throttled", condition: .answering(429, "ingestion rate limit of 10000 exceeded"),
            alert: "LkpushReceiverThrottles", checked: ["status 429"],
            logged: ["samples could not be sent", "ingestion rate limit of 10000 exceeded"]),
        Trouble(
            name: "broken", condition: .answering(500, "no ring"), alert: "LkpushReceiverFails",
            checked: ["status 500"], logged: ["samples could not be sent", "no ring"]),
        Trouble(
            name: "hanging", condition: .hanging, alert: "LkpushReceiverDoesNotAnswer",
            checked: ["error    receiver default  "], logged: ["samples could not be sent"]),
    ]

    @Test func `each trouble of a receiver raises its alert elsewhere, and absence at the receiver`() throws {
        let (concerned, watch) = (try Watch(), try Watch())
        let all = try Self.troubles.map { trouble in
            let proxy = try TroubleProxy(to: concerned.prometheus.port)
            let credentials = ["GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "glc_token"]
            let exporter = try TroubledExporter(
                trouble.name, to: proxy.url, watch: watch.prometheus.writeURL, credentials)
            return (trouble: trouble, proxy: proxy, exporter: exporter)
        }
        for place in [concerned, watch] { try place.expectHealth(of: Self.troubles.map(\.name)) }

        for one in all { one.proxy.change(to: one.trouble.condition) }
        for (trouble, _, exporter) in all {
            let alerts = try watch.expectFiring(trouble.others.union([trouble.alert]), trouble.name)
            let alert = try #require(alerts.first { $0.name == trouble.alert })
            let labels = trouble.labels.merging(["destination": "default", "instance": "\(trouble.name)-1"]) { $1 }
            for (name, value) in labels { #expect(alert.labels[name] == value, "\(alert.labels)") }
            try Runbook.expectFirstStep(of: alert)
            for absence in try concerned.expectFiring(["LkpushNotPushing"], trouble.name) {
                #expect(absence.labels["instance"] == "\(trouble.name)-1")
                try Runbook.expectFirstStep(of: absence)
            }
            let checked = exporter.check()
            for words in trouble.checked { #expect(checked.contains(words), "\(trouble.name): \(checked)") }
            let isLogged = eventually {
                exporter.logged(trouble.logged[0]).contains { line in
                    trouble.logged.allSatisfy { line.contains($0) }
                }
            }
            #expect(isLogged, "\(trouble.name): \(exporter.logged(trouble.logged[0]))")
        }

        for one in all { one.proxy.change(to: .passing) }
        for trouble in Self.troubles {
            try watch.expectFiring([], trouble.name)
            try concerned.expectFiring([], trouble.name)
        }
        for one in all { try one.exporter.program.terminate() }
    }
}
