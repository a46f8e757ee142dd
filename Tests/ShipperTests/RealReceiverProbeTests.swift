import HTTPClient
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// What `lkpush check` says about receivers as Debian has them, and what it leaves behind in them.
@Suite struct RealReceiverProbeTests {
    private func probe(_ url: String, _ choice: MessageChoice = .auto) throws -> ProbeReport {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.timeout = Waits.limit
        settings.connectTimeout = Waits.limit
        settings.delivery.message = choice
        return ShipperProbe.run(settings)
    }

    private let fallback = "which it answered with status 204 and without the headers of 2.0: lkpush falls back to 1.0"

    @Test func `a Prometheus with its receiver reads 1.0 and stores nothing of a probe`() throws {
        let prometheus = try PrometheusServer()
        let report = try probe(prometheus.writeURL)
        #expect(report.isGood && report.message == .v1 && report.answer == .accepted(status: 204))
        #expect(report.findings[1].text.contains(fallback))
        // Both run on the same clock.
        #expect(report.findings.last?.text == "the clock of this machine agrees with its clock")
        #expect(report.findings.allSatisfy { $0.weight == .good })
        let forced = try probe(prometheus.writeURL, .v2)
        #expect(!forced.isGood && forced.findings[1].text.contains("Set REMOTE_WRITE_MESSAGE to auto"))
        #expect(try probe(prometheus.writeURL, .v1).isGood)
        #expect(try prometheus.query(#"{__name__=~".+"}"#).isEmpty)
        let status = "http://127.0.0.1:\(prometheus.port)/api/v1"
        #expect(try probe("\(status)/push").findings[0].text.contains("no receiver of remote write answers there"))
        #expect(try probe("http://127.0.0.1:\(prometheus.port)").findings[0].text.contains("status 405"))
        #expect(try probe("\(status)/query").findings[0].text.contains("it is that for queries"))
        let tls = try probe("https://127.0.0.1:\(prometheus.port)/api/v1/write")
        #expect(!tls.isGood && tls.findings[0].text.hasPrefix("no secure connection can be made."))
    }

    @Test func `a Prometheus without its receiver says so, and which flag it wants`() throws {
        let prometheus = try PrometheusServer(takesWrites: false)
        let report = try probe(prometheus.writeURL)
        #expect(!report.isGood && report.message == nil)
        #expect(
            report.findings[0].text.hasPrefix(
                "this Prometheus takes no pushes. Start it with --web.enable-remote-write-receiver. It answered with "
                    + "status 404: remote write receiver needs to be enabled"))
    }

    @Test func `a VictoriaMetrics reads 1.0, stores nothing of a probe, and is known at its other paths`() throws {
        let server = try VictoriaMetricsServer()
        let report = try probe(server.writeURL)
        #expect(report.isGood && report.message == .v1 && report.findings[1].text.contains(fallback))
        let root = "http://127.0.0.1:\(server.port)"
        for path in ["/", "/api/v1/push", "/api/prom/push"] {
            let wrong = try probe(root + path)
            #expect(!wrong.isGood)
            #expect(wrong.findings[0].text.hasPrefix("a wrong address, VictoriaMetrics has no such path"), "\(path)")
        }
        let line = try probe(root + "/write")
        #expect(!line.isGood && line.findings[0].text.contains("the line protocol of InfluxDB"))
        #expect(try server.query(#"{__name__!=""}"#).isEmpty)
    }
}
