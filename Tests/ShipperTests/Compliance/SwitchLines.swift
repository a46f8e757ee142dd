import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// The message of a receiver: what no suite tests.
@Suite struct SwitchLines {
    private typealias Dialect = ScriptedReceiver.Dialect

    private func upTimes(_ request: WriteRequest) -> [Int64] {
        request.series(named: "up").flatMap(\.samples).map(\.milliseconds)
    }

    /// Pushes to a receiver that reads 1.0 only, and expects that the switch costs at most what the first request held.
    private func expectSwitch(_ dialect: ScriptedReceiver.Dialect) throws -> (exchange: Exchange, capture: Capture) {
        let exchange = try Exchange(.auto, dialect, judges: true)
        let histogram = exchange.registry.histogram("test_h_seconds", "H.", bounds: [1])
        try #require(histogram.series()).observe(0.5)
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 10))
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(capture.log.violations == [])
        #expect(exchange.receiver.store.refusals == [])
        #expect(capture.requests[0].series.map(\.text) == ["up" + Exchange.labels], "a probe risks no other sample")
        #expect(capture.recorded.map(\.version) == [.v2] + Array(repeating: .v1, count: capture.recorded.count - 1))
        let stored = exchange.receiver.store.samples
        let readings = exchange.fixture.readings
        #expect(Double(stored["test_events_total" + Exchange.labels]?.count ?? 0) == readings + 1, "and the marker")
        #expect(stored["test_h_seconds_count" + Exchange.labels]?.first?.value == 1)
        let missing = dialect == .answering400 ? 1.0 : 0
        #expect(Double(stored["up" + Exchange.labels]?.count ?? 0) == readings + 1 - missing)
        #expect(report.rejected == UInt64(missing) && report.accepted + report.rejected == report.enqueued)
        return (exchange, capture)
    }

    @Test func `untested: 415 switches to 1.0 with the same samples`() throws {
        let capture = try expectSwitch(.answering415).capture
        #expect(capture.requests[0].series.map(\.samples) == capture.requests[1].series.map(\.samples))
    }

    @Test func `untested: 2xx without headers switches to 1.0 with the same samples`() throws {
        let capture = try expectSwitch(.answering204).capture
        #expect(capture.requests[0].series.map(\.samples) == capture.requests[1].series.map(\.samples))
    }

    @Test func `untested: an early 400 switches to 1.0 and costs one sample`() throws {
        let capture = try expectSwitch(.answering400).capture
        #expect(!upTimes(capture.requests[1]).contains(upTimes(capture.requests[0])[0]))
    }

    @Test func `untested: a 400 to both messages is no reason to switch`() throws {
        let exchange = try Exchange(.auto, script: [.init(400), .init(400)])
        try exchange.begin()
        #expect(exchange.receiver.waitForAnswers(5))
        let versions = exchange.stop().recorded.map(\.version)
        #expect(versions.starts(with: [.v2, .v1, .v2]))
        #expect(versions.dropFirst(2).allSatisfy { $0 == .v2 })
    }

    @Test func `untested: headers that say 0 do not switch`() throws {
        let exchange = try Exchange(.auto, otherwise: .init(204, headers: ScriptedReceiver.written(samples: 0)))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        #expect(exchange.receiver.waitForAnswers(3))
        let report = exchange.fixture.stop()
        #expect(exchange.seen.recorded.count >= 3 && exchange.seen.recorded.allSatisfy { $0.version == .v2 })
        #expect(report.accepted == 0 && report.ambiguous == report.enqueued)
    }

    @Test func `untested: one of the headers is enough`() throws {
        let name = "X-Prometheus-Remote-Write-Histograms-Written"
        let exchange = try Exchange(.auto, otherwise: .init(204, headers: [name: "0"]))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 5))
        #expect(exchange.stop().recorded.allSatisfy { $0.version == .v2 })
    }

    @Test func `untested: 202 does not switch and counts as accepted`() throws {
        let exchange = try Exchange(.auto, otherwise: .init(202, tellsWritten: false))
        try exchange.begin()
        #expect(exchange.fixture.run(readings: 10))
        #expect(exchange.receiver.waitForAnswers(3))
        let report = exchange.fixture.stop()
        #expect(exchange.seen.recorded.count >= 3 && exchange.seen.recorded.allSatisfy { $0.version == .v2 })
        #expect(report.accepted == report.enqueued && report.enqueued > 0)
    }

    @Test func `untested: no switch after a success with 2.0`() throws {
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(400), .init(400)])
        #expect(exchange.receiver.wait { $0.count { $0.answer.status == 400 } == 2 })
        #expect(exchange.fixture.run(readings: 3))
        #expect(exchange.stop().recorded.allSatisfy { $0.version == .v2 })
    }

    @Test func `untested: a receiver that learned 2.0 is found within an hour`() throws {
        let clock = ShiftedTime()
        let exchange = try Exchange(.auto, .answering415, time: clock)
        try exchange.warmUp()
        #expect(exchange.seen.recorded.count { $0.version == .v2 } == 1)
        clock.elapse(.seconds(3_660))
        #expect(exchange.receiver.wait { $0.count { $0.version == .v2 } == 2 })
        #expect(exchange.fixture.run(readings: 3))
        exchange.receiver.speak(.both)
        clock.elapse(.seconds(3_660))
        #expect(exchange.receiver.wait { $0.count { $0.version == .v2 && $0.isAccepted } >= 5 })
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        let probes = try capture.recorded.filter { $0.version == .v2 }.prefix(3).map { try $0.decoded() }
        for probe in probes { #expect(probe.series.map(\.name) == ["up"]) }
        let first = try #require(capture.recorded.firstIndex { $0.version == .v2 && $0.isAccepted })
        #expect(capture.recorded[first...].allSatisfy { $0.version == .v2 })
        #expect(Double(capture.samples("up").count { _ in true }) >= exchange.fixture.readings)
    }

    @Test(arguments: [Dialect.answering204, .answering400, .answering415])
    func `untested: a forced 2.0 never switches`(_ dialect: ScriptedReceiver.Dialect) throws {
        let exchange = try Exchange(.v2, dialect)
        try exchange.begin()
        #expect(exchange.receiver.waitForAnswers(5))
        let report = exchange.fixture.stop()
        #expect(exchange.seen.recorded.allSatisfy { $0.version == .v2 })
        #expect(report.accepted == 0 && report.rejected == report.enqueued)
        #expect(try exchange.fixture.logged("\"level\":\"error\"").contains { $0.contains("samples are lost") })
    }

    @Test func `untested: a forced 1.0 never tries 2.0`() throws {
        let clock = ShiftedTime()
        let exchange = try Exchange(.v1, time: clock)
        try exchange.warmUp()
        clock.elapse(.seconds(7_300))
        #expect(exchange.fixture.run(readings: 5))
        #expect(exchange.stop().recorded.allSatisfy { $0.version == .v1 })
    }
}
