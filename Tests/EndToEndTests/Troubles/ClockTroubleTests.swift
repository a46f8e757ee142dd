import TestSupport
import Testing

/// A machine whose clock is wrong. Samples are then as far from now as the clock, so ranges keep their length here and
/// only the waits of alerts are shorter.
@Suite struct ClockTroubleTests {
    /// Variables of a program whose clock is off by so much, such as `-90s`.
    private static func clock(_ offset: String) throws -> [String: String] {
        // Its own command says where its library is.
        let shown = ChildProcess.run("/usr/bin/faketime", ["-m", "-f", offset, "/usr/bin/env"])
        let library = shown.output.split(separator: "\n").first { $0.hasPrefix("LD_PRELOAD=") }?.split(separator: "=")
            .last
        return [
            "LD_PRELOAD": String(try #require(library, "\(shown.output)")), "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    @Test func `a clock that is behind or ahead raises an alert, and one that is right does not`() throws {
        // A receiver that is not asked: samples of a clock that is ahead show in it only later.
        let future = try PrometheusServer()
        let ahead = try TroubledExporter("ahead", to: future.writeURL, start: try Self.clock("+90s"))
        let watch = try Watch(.fields, scraped: ["ahead": ahead.program.metrics])
        let behind = try TroubledExporter("behind", to: watch.prometheus.writeURL, start: try Self.clock("-90s"))
        let right = try TroubledExporter("right", to: watch.prometheus.writeURL)

        // Webhooks of now are from the future for a clock that is behind. For one that is ahead they are late.
        for (exporter, others, place) in [
            (behind, ["LkpushWebhooksRefused", "NoWebhookEvents", "NoRooms"], "behind"),
            (ahead, ["WebhookDeliveryLagHigh"], "ahead"),
        ] as [(TroubledExporter, Set<String>, String)] {
            let alerts = try watch.expectFiring(["LkpushClockSkew"], exporter.job, later: others)
            #expect(alerts.allSatisfy { $0.annotations["description"]?.contains(" \(place) ") == true }, "\(alerts)")
            for alert in alerts { try Runbook.expectFirstStep(of: alert) }
            let command = ["/usr/bin/faketime", "-m", "-f", exporter === behind ? "-90s" : "+90s"]
            let checked = exporter.check(command)
            #expect(checked.contains("the clock of this machine is ") && checked.contains(place), "\(checked)")
        }
        try watch.expectHealth(of: ["right"], isAlone: false)

        for exporter in [behind, ahead] {
            try exporter.program.terminate()
            try exporter.program.startAndWait()
            try watch.expectFiring(
                [], exporter.job,
                later: ["LkpushWebhooksRefused", "NoWebhookEvents", "NoRooms", "WebhookDeliveryLagHigh"])
        }
        for exporter in [behind, ahead, right] { try exporter.program.terminate() }
    }
}
