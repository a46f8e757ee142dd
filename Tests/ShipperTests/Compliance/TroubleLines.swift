import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The section *error_handling* of the suite for 2.0. The suite only wants the sender not to crash. Here every sample
/// arrives after the trouble, in order.
@Suite struct ErrorHandlingLines {
    private func expectRecovery(
        after answers: [ScriptedReceiver.Answer], _ change: (inout ShipperSettings) -> Void = { _ in }
    ) throws {
        let exchange = try Exchange(.auto, settings: change)
        try exchange.warmUp()
        let before = exchange.receiver.requests.count
        exchange.receiver.enqueue(answers)
        #expect(exchange.receiver.wait { $0.count > before + answers.count })
        #expect(exchange.fixture.run(readings: 3))
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(capture.log.violations == [])
        #expect(report.rejected + report.dropped + report.ambiguous == 0)
        #expect(Double(capture.log.values("up" + Exchange.labels).count) == exchange.fixture.readings)
    }

    @Test func `error_handling: refused`() throws {
        let port = FixedPorts.pick()
        let fixture = try ShipperFixture("http://127.0.0.1:\(port)/api/v1/write") { $0.delivery.message = .auto }
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 5))
        let receiver = try ScriptedReceiver(port: port)
        #expect(receiver.waitForAnswers(3))
        #expect(fixture.stop().dropped == 0)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(Double(log.values("up" + Exchange.labels).count) == fixture.readings)
    }

    @Test func `error_handling: 30 s hang`() throws {
        try expectRecovery(after: [.hang]) { $0.timeout = .seconds(2) }
    }

    @Test func `error_handling: partial body`() throws {
        try expectRecovery(after: [.init(200, behaviour: .cutBody), .init(500, behaviour: .cutBody)])
    }

    @Test func `error_handling: malformed`() throws { try expectRecovery(after: [.init(behaviour: .noHTTP)]) }
    @Test func `error_handling: status 999`() throws { try expectRecovery(after: [.init(999)]) }
    @Test func `error_handling: empty`() throws { try expectRecovery(after: [.close, .reset]) }

    @Test func `error_handling: 1 MB error body`() throws {
        try expectRecovery(after: [.init(500, body: String(repeating: "x", count: 1 << 20))])
    }

    @Test func `error_handling: continues after errors`() throws {
        try expectRecovery(after: [.init(503), .reset, .init(500), .init(behaviour: .noHTTP), .init(429), .close])
    }

    /// A name that no name server is asked for: a part of it is longer than 63 characters.
    @Test func `error_handling: DNS failure`() throws {
        let name = String(repeating: "a", count: 64)
        let fixture = try ShipperFixture("http://\(name).example/api/v1/write") { $0.delivery.message = .auto }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.own("errors_total") >= 2 })
        #expect(fixture.run(readings: 3))
        #expect(fixture.own("samples_pending") > 0)
        let report = fixture.stop(within: .milliseconds(100))
        #expect(report.dropped == report.enqueued)
        #expect(try fixture.logged("samples could not be sent: they are kept").count >= 1)
    }

    @Test(arguments: ["ftp://127.0.0.1/", "127.0.0.1:9090/api/v1/write", "http:///api/v1/write", ""])
    func `error_handling: bad scheme`(_ url: String) { #expect(EndpointURL(url) == nil) }
}
