import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// A shipper and the scripted receiver that it pushes to, for one line of the compliance checklist.
final class Exchange {
    /// The labels that every series gets.
    static let labels = #"{instance="one",job="lkpush"}"#

    let receiver: ScriptedReceiver
    let fixture: ShipperFixture
    /// The time before the first reading.
    let began = SystemTime().now()

    var registry: Registry { fixture.registry }

    init(
        _ message: MessageChoice, _ dialect: ScriptedReceiver.Dialect = .both,
        script: [ScriptedReceiver.Answer] = [], otherwise: ScriptedReceiver.Answer = .init(), judges: Bool = false,
        time: any TimeSource = SystemTime(), settings change: (inout ShipperSettings) throws -> Void = { _ in }
    ) throws {
        receiver = try ScriptedReceiver(script: script, otherwise: otherwise, dialect: dialect, judges: judges)
        fixture = try ShipperFixture(receiver.url, time: time) { settings in
            settings.delivery.message = message
            try change(&settings)
        }
    }

    /// Pushes a registry that `prepare` fills to a receiver that takes everything, and returns what it was sent.
    ///
    /// - Parameter later: what happens to the registry after the first readings.
    static func capture(
        _ message: MessageChoice, _ dialect: ScriptedReceiver.Dialect = .both,
        settings change: (inout ShipperSettings) throws -> Void = { _ in }, prepare: (Registry) throws -> Void,
        later: (Registry) throws -> Void = { _ in }
    ) throws -> Capture {
        let exchange = try Exchange(message, dialect, settings: change)
        try prepare(exchange.registry)
        try exchange.begin()
        // Readings that wait for a busy machine share a request, so requests are waited for as well.
        #expect(exchange.fixture.run(readings: 3))
        #expect(exchange.receiver.waitForAnswers(3))
        try later(exchange.registry)
        #expect(exchange.fixture.run(readings: 3))
        #expect(exchange.receiver.waitForAnswers(6))
        return exchange.stop()
    }

    func begin() throws { try fixture.shipper.makeFirstReading() }

    /// Pushes for a while, until the receiver has taken some requests and its message is known.
    func warmUp() throws {
        try begin()
        #expect(fixture.run(readings: 3))
        #expect(receiver.waitForAnswers(3))
    }

    /// Stops the shipper, which sends everything that is left, and returns all that the receiver was sent.
    @discardableResult
    func stop() -> Capture {
        _ = fixture.stop()
        return seen
    }

    /// Everything that the receiver was sent so far.
    var seen: Capture { Capture(receiver.requests, began: began) }
}

/// What a receiver was sent, decoded.
struct Capture: Sendable {
    let recorded: [ScriptedReceiver.Recorded]
    let log: WriteLog
    let began: Timestamp
    let ended = SystemTime().now()

    init(_ recorded: [ScriptedReceiver.Recorded], began: Timestamp) {
        self.recorded = recorded
        self.began = began
        log = WriteLog(recorded)
    }

    /// All requests that can be read. `WriteLog.violations` has the others.
    var requests: [WriteRequest] { log.requests }

    /// All series of all requests.
    var series: [WriteRequest.TimeSeries] { requests.flatMap(\.series) }

    func series(named name: String) -> [WriteRequest.TimeSeries] { series.filter { $0.name == name } }

    /// All samples of a series, without stale markers.
    func samples(of text: String) -> [WriteRequest.Sample] {
        series.filter { $0.text == text }.flatMap(\.samples).filter { !$0.isStale }
    }

    /// The samples of a metric without labels of its own, without stale markers.
    func samples(_ name: String) -> [WriteRequest.Sample] {
        samples(of: name + Exchange.labels)
    }

    /// The bodies that were answered with this status.
    func bodies(_ status: Int) -> [[UInt8]] { recorded.filter { $0.answer.status == status }.map(\.body) }

    /// Expects that everything was sent as 2.0 and broke no rule, and returns the capture.
    func expectingAllV2() -> Capture {
        #expect(log.violations == [])
        #expect(recorded.count >= 3)
        #expect(recorded.allSatisfy { $0.version == .v2 && $0.isAccepted })
        return self
    }
}
