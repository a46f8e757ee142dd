import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The section *fallback* of the suite for 2.0. The suite's own receiver never sends the 415, so these lines are tested
/// with one that does.
@Suite struct FallbackLines {
    private static let plain = Result {
        try Exchange.capture(.auto, .answering415, prepare: { _ = $0.gauge("test_value", "V.").series() })
    }

    private func plain() throws -> [ScriptedReceiver.Recorded] {
        let capture = try Self.plain.get()
        #expect(capture.log.violations == [])
        return capture.recorded
    }

    @Test func `fallback: fallback_on_415`() throws {
        let requests = try plain()
        #expect(requests.count >= 3)
        #expect(requests[0].version == .v2 && requests[0].answer.status == 415)
        #expect(requests.dropFirst().allSatisfy { $0.headers["x-prometheus-remote-write-version"] == "0.1.0" })
        #expect(requests.dropFirst().allSatisfy { $0.isAccepted })
    }

    @Test func `fallback: retry_with_different_version`() throws {
        let requests = try plain()
        // The same samples come at once, in the other message.
        let samples = try requests.prefix(2).map { try $0.decoded().series.map(\.samples) }
        #expect(samples[0] == samples[1] && !samples[0].isEmpty)
        #expect(requests[1].version == .v1)
    }

    @Test func `fallback: fallback_header_changes`() throws {
        let requests = try plain()
        let first = requests[0].headers
        let second = requests[1].headers
        #expect(first["content-type"] == "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        #expect(second["content-type"] == "application/x-protobuf")
        #expect(first["x-prometheus-remote-write-version"] == "2.0.0")
        #expect(second["x-prometheus-remote-write-version"] == "0.1.0")
    }

    @Test func `fallback: accept_success_after_fallback`() throws {
        let exchange = try Exchange(.auto, .answering415)
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued)
        let values = exchange.seen.samples("test_events_total").map(\.value)
        #expect(values == values.sorted() && values.last == exchange.fixture.events.value)
        #expect(
            Double(exchange.seen.log.values("up" + Exchange.labels).count) == exchange.fixture.readings)
    }

    @Test func `fallback: persistent_fallback_choice`() throws {
        #expect(try plain().count { $0.version == .v2 } == 1)
    }

    @Test(arguments: [200, 204]) func `fallback: TestNoFallbackOn2xx`(_ status: Int) throws {
        let exchange = try Exchange(.auto, otherwise: .init(status))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 10))
        _ = exchange.stop().expectingAllV2()
    }
}

/// The section *response* of the suite for 2.0.
@Suite struct ResponseLines {
    /// The number of samples in the requests that were answered with one of these headers set.
    private func sent(_ capture: Capture, _ status: Int) throws -> Int {
        try capture.recorded.filter { $0.answer.status == status }.reduce(0) { try $0 + $1.decoded().sampleCount }
    }

    @Test func `response: ignores body on 2xx`() throws {
        let exchange = try Exchange(.auto, otherwise: .init(200, body: "error: {\"code\": 400} \u{0}"))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued)
        _ = exchange.seen.expectingAllV2()
    }

    /// Fewer samples than were sent, with a status that says that all is well: nobody knows which.
    @Test func `response: reads Written headers`() throws {
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        let count = exchange.receiver.requests.count
        exchange.receiver.enqueue([.init(200, headers: ScriptedReceiver.written(samples: 1))])
        #expect(exchange.receiver.waitForAnswers(count + 2))
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(report.ambiguous == UInt64(try sent(capture, 200)) - 1)
        #expect(report.accepted + report.ambiguous == report.enqueued)
        #expect(capture.recorded.count { capture.bodies(200).contains($0.body) } == 1, "nothing is sent again")
    }

    @Test func `response: partial 400`() throws {
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        let count = exchange.receiver.requests.count
        exchange.receiver.enqueue([.init(400, headers: ScriptedReceiver.written(samples: 3), body: "out of order")])
        #expect(exchange.receiver.waitForAnswers(count + 2))
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(report.rejected == UInt64(try sent(capture, 400)) - 3)
        #expect(report.accepted + report.rejected == report.enqueued)
        #expect(capture.recorded.count { capture.bodies(400).contains($0.body) } == 1, "nothing is sent again")
        #expect(capture.recorded.allSatisfy { $0.version == .v2 })
    }

    /// No header at all is the answer of a receiver that took the body for something else.
    @Test func `response: headers missing`() throws {
        // This one stored the first sample all the same, as behind a proxy that removes headers. A copy does no harm.
        let exchange = try Exchange(.auto, otherwise: .init(204, tellsWritten: false), judges: true)
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        let capture = exchange.stop()
        #expect(exchange.receiver.store.refusals == [])
        #expect(capture.recorded[0].version == .v2)
        #expect(capture.recorded.dropFirst().allSatisfy { $0.version == .v1 })
    }

    @Test func `response: log error verbatim`() throws {
        let words = "err-mimir-sample-out-of-order: the sample <at> 5 & 'x' is 100 % too old"
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(400, body: words)])
        #expect(exchange.receiver.wait { $0.contains { $0.answer.status == 400 } })
        #expect(exchange.fixture.run(readings: 3))
        exchange.stop()
        #expect(try exchange.fixture.logged("samples are lost: ").contains { $0.contains(words) })
    }

    @Test func `response: large error body`() throws {
        let body = "begins" + String(repeating: "x", count: 1 << 20)
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(400, body: body), .init(503, body: body)])
        #expect(exchange.receiver.wait { $0.contains { $0.answer.status == 503 } })
        #expect(exchange.fixture.run(readings: 3))
        exchange.stop()
        let lines = try exchange.fixture.logged("beginsxxx")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.utf8.count < 2_048 })
    }

    private func expectAccepted(_ status: Int) throws {
        let exchange = try Exchange(.auto, otherwise: .init(status))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued && report.enqueued > 0)
        _ = exchange.seen.expectingAllV2()
    }

    @Test func `response: 204`() throws { try expectAccepted(204) }
    @Test func `response: 200`() throws { try expectAccepted(200) }

    @Test func `response: TestContentTypeNegotiation`() throws {
        for dialect in [ScriptedReceiver.Dialect.both, .answering415] {
            let exchange = try Exchange(.auto, dialect)
            try exchange.begin()
            #expect(exchange.fixture.run(readings: 3))
            let accepted = exchange.stop().recorded.filter(\.isAccepted).map { $0.headers["content-type"] }
            let expected =
                dialect == .both
                ? "application/x-protobuf;proto=io.prometheus.write.v2.Request" : "application/x-protobuf"
            #expect(Set(accepted) == [expected])
        }
    }
}
