import Exporter
import Foundation
import HTTPServing
import Metrics
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

/// `/metrics` as OpenMetrics, checked with independent readers.
@Suite struct OpenMetricsTests {
    private static let python = ProcessInfo.processInfo.environment["LKPUSH_TEST_PYTHON"]
    private static let isWanted = python != nil || ProcessInfo.processInfo.environment["CI"] == "true"
    /// The header `Accept` of Prometheus 2.42.
    private static let prometheus = """
        application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
        text/plain;version=0.0.4;q=0.5,*/*;q=0.1
        """

    @Test(
        arguments: [
            Self.prometheus, "application/openmetrics-text", "application/openmetrics-text; version=1.0.0",
            "APPLICATION/OpenMetrics-Text;version=\"1.0.0\";charset=utf-8", "application/*",
            "text/plain;q=0.5, application/openmetrics-text;q=0.9", "text/plain, application/openmetrics-text",
            "*/*, application/openmetrics-text", "text/plain;q=0, */*",
        ])
    func `OpenMetrics is for those who ask for it`(accept: String) {
        #expect(Routes.metricsFormat(accept: accept) == .openMetrics)
    }

    @Test(
        arguments: [
            nil, "", "*/*", "text/plain", "text/plain;version=0.0.4", "text/*", "text/html,*/*;q=0.8", "image/png",
            "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;q=0, */*",
            "application/openmetrics-text;q=0.4, text/plain;q=0.5", "application/openmetrics-text;q=0.4, */*",
            "nonsense;;,,=,/", "application/openmetrics-text;q=x",
        ])
    func `all others get text`(accept: String?) {
        #expect(Routes.metricsFormat(accept: accept) == .text)
    }

    @Test func `the type that was asked for is the type that comes`() throws {
        let server = try serve(try registry())
        let client = try RawHTTP(port: server.address.port)
        let open = try #require(client.ask("GET", "/metrics", headers: [("Accept", Self.prometheus)]))
        #expect(open.header("content-type") == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(open.header("vary") == "Accept")
        #expect(open.text.hasSuffix("\n# EOF\n"))
        let text = try #require(client.ask("GET", "/metrics", headers: [("Accept", "*/*")]))
        #expect(text.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(text.header("vary") == "Accept")
        #expect(!text.text.contains("# EOF"))
    }

    /// The parser of the official Python client checks names, units, suffixes, bounds, order and the end.
    @Test(.enabled(if: Self.isWanted, "set LKPUSH_TEST_PYTHON to a Python with prometheus-client"))
    func `the official parser reads every metric, with hostile label values`() throws {
        let python = try #require(Self.python, "LKPUSH_TEST_PYTHON must name a Python with prometheus-client")
        let registry = try registry()
        let folder = TemporaryFolder()
        var page: [UInt8] = []
        Exposition.append(registry, as: .openMetrics, to: &page)
        try Data(page).write(to: URL(filePath: folder.file("page")))
        let program = """
            import sys
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
            page = open(sys.argv[1], encoding="utf-8", newline="").read()
            for family in text_string_to_metric_families(page):
                print(family.name, family.type, family.unit or "-", len(family.samples))
                for sample in family.samples:
                    if "hostile" in sample.labels:
                        assert sample.labels["hostile"] == 'a"b\\\\c\\nd{}=,🙂', sample.labels
                        print("hostile", sample.name)
            """
        try Data(program.utf8).write(to: URL(filePath: folder.file("program.py")))
        let result = ChildProcess.run(python, [folder.file("program.py"), folder.file("page")])
        try #require(result.status == 0, "\(result.output)")
        let lines = result.output.split(separator: "\n").map(String.init)
        for family in registry.snapshot() {
            let line = "\(family.family.stem) \(family.family.kind.name) \(family.family.unit ?? "-") "
            #expect(lines.contains { $0.hasPrefix(line) }, "\(line)")
        }
        #expect(lines.contains("hostile test_hostile_total") && lines.contains("hostile test_hostile_created"))
        // These are thirteen bounds, with the long ones, and +Inf, sum, count and created.
        #expect(lines.contains("lk_room_duration_seconds histogram seconds 17"))
        #expect(lines.contains("lk_org_info gauge - 1"))
    }

    @Test func `Prometheus scrapes it under the names of the text format`() throws {
        let registry = try registry()
        let server = try serve(registry)
        let prometheus = try PrometheusServer(
            configuration: """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                - job_name: lkpush
                  static_configs: [{targets: ["127.0.0.1:\(server.address.port)"]}]
                """)
        let found = try prometheus.wait(for: "test_hostile_total") { !$0.isEmpty }
        #expect(found.first?.value == 3)
        #expect(found.first?.labels["hostile"] == "a\"b\\c\nd{}=,🙂")
        #expect(try prometheus.query("up").map(\.value) == [1])
        // Only the OpenMetrics page has creation times. Prometheus keeps them as a series.
        #expect(try prometheus.query("test_hostile_created").map(\.value) == [1_790_000_000.25])
        #expect(try prometheus.query("lk_room_duration_seconds_bucket").count == 14)
        #expect(try prometheus.query(#"lk_room_duration_seconds_bucket{le="30.0"}"#).map(\.value) == [1])
    }

    // MARK: Setting up

    /// A registry with one series of every family of lkpush, and one with a hostile label value.
    private func registry() throws -> Registry {
        let folder = TemporaryFolder()
        let service = try IdleService.start(in: folder)
        let families = service.registry.descriptors
        _ = service.stop()
        let registry = Registry(maxSeries: 10_000, clock: { Timestamp(milliseconds: 1_790_000_000_250) })
        let own = Set(registry.descriptors.map(\.name))
        for family in families where !own.contains(family.name) {
            switch family.kind {
            case .counter:
                registry.counter(family.name, family.help, labels: family.labelNames).series(family.labelNames)?
                    .increment(by: 3)
            case .gauge:
                registry.gauge(family.name, family.help, labels: family.labelNames).series(family.labelNames)?.set(3)
            case .histogram(let bounds):
                registry.histogram(family.name, family.help, labels: family.labelNames, bounds: bounds)
                    .series(family.labelNames)?.observe(3)
            }
        }
        registry.counter("test_hostile_total", "A \"quoted\" \\ sentence.", labels: ["hostile"])
            .series(["a\"b\\c\nd{}=,🙂"])?.increment(by: 3)
        return registry
    }

    private func serve(_ registry: Registry) throws -> Server {
        try Server(
            listen: ListenAddress("127.0.0.1:0"),
            routes: Routes.private(registry: registry, readiness: Readiness()).map(\.route))
    }
}
