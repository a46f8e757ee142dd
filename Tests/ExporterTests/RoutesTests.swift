import Exporter
import HTTPServing
import Metrics
import Pipeline
import Platform
import TestSupport
import Testing

@Suite struct RoutesTests {
    private let readiness = Readiness()
    private let registry = Registry(maxSeries: 1_000)

    private func serve() throws -> Server {
        try Server(
            listen: ListenAddress("127.0.0.1:0"),
            routes: Routes.private(registry: registry, readiness: readiness).map(\.route))
    }

    @Test func `the private listener shows the metrics as Prometheus reads them`() throws {
        registry.counter("lkpush_test_total", "A counter.", labels: ["kind"]).series(["a\"b"])?.increment(by: 3)
        let server = try serve()
        let reply = try #require(try RawHTTP(port: server.address.port).ask("GET", "/metrics"))
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(reply.text.contains("# TYPE lkpush_test_total counter\nlkpush_test_total{kind=\"a\\\"b\"} 3\n"))
        let head = try #require(try RawHTTP(port: server.address.port).ask("HEAD", "/metrics"))
        #expect(head.header("content-length") == "\(reply.body.count)")
    }

    @Test func `health is ok from the start, readiness when nothing is in the way`() throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        #expect(client.ask("GET", "/healthz")?.text == "ok")
        #expect(client.ask("GET", "/readyz")?.status == 503)
        #expect(client.ask("GET", "/readyz")?.text == "not ready: starting")
        readiness.clear(.starting)
        #expect(client.ask("GET", "/readyz")?.status == 200)
        readiness.block(.journal, because: "the journal cannot be written")
        readiness.block(.state, because: "another process holds the lock")
        #expect(
            client.ask("GET", "/readyz")?.text
                == "not ready: another process holds the lock; the journal cannot be written")
        readiness.clear(.state)
        readiness.clear(.journal)
        #expect(client.ask("GET", "/readyz")?.text == "ready")
    }

    @Test func `readiness of a replica says who leads, and an obstacle comes before that`() throws {
        let server = try Server(
            listen: ListenAddress("127.0.0.1:0"),
            routes: Routes.private(registry: registry, readiness: readiness, leader: { "leader: none" }).map(\.route))
        let client = try RawHTTP(port: server.address.port)
        #expect(client.ask("GET", "/readyz")?.text == "not ready: starting")
        readiness.clear(.starting)
        let reply = try #require(client.ask("GET", "/readyz"))
        #expect(reply.status == 200 && reply.text == "ready\nleader: none")
    }

    @Test func `a listener's figures are metrics`() throws {
        let server = try serve()
        ListenerMetrics(in: registry).show(server, as: "private", in: registry)
        let client = try RawHTTP(port: server.address.port)
        let page = try #require(client.ask("GET", "/metrics")).text
        #expect(page.contains("lkpush_http_connections{listener=\"private\"} 1\n"))
        #expect(page.contains("lkpush_http_connections_accepted_total{listener=\"private\"} 1\n"))
        #expect(page.contains("lkpush_http_connections_cut_total{listener=\"private\",reason=\"header_timeout\"} 0\n"))
    }
}
