import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// A clock that is wrong when the program starts, and is set right while it runs.
@Suite struct ShipperClockTests {
    @Test func `days ahead at the start, then set right: pushing goes on at once`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(400, body: "too far in the future"))
        let clock = ShiftedTime()
        clock.shift(.seconds(3 * 86_400))
        let fixture = try ShipperFixture(receiver.url, time: clock)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 3))
        #expect(receiver.waitForAnswers(3))
        clock.shift(.seconds(-3 * 86_400))
        // What is under way still has the wrong time, and is refused.
        #expect(fixture.run(readings: 3))
        receiver.answer(.init())
        #expect(fixture.run(readings: 3))
        #expect(eventually { fixture.own("samples_accepted_total") > 0 })
        let report = fixture.stop()
        #expect(report.accepted > 0)
        let now = SystemTime().now()
        let accepted = try receiver.requests.filter { $0.answer.status == 204 }
            .flatMap { try WriteRequest(compressed: $0.body).series.flatMap(\.samples) }
        #expect(!accepted.isEmpty && accepted.allSatisfy { $0.milliseconds <= now.milliseconds + 60_000 })
        #expect(try fixture.logged("the clock was ahead and is set back").count == 1)
    }

    @Test func `an outage in which the clock runs ahead for a while loses only what has a wrong time`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(503))
        let clock = ShiftedTime()
        let fixture = try ShipperFixture(receiver.url, time: clock)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 3))
        clock.shift(.seconds(86_400))
        // The jump is held until it is believed.
        #expect(eventually { fixture.own("readings_skipped_total") > 1 })
        clock.elapse(.seconds(600))
        #expect(fixture.run(readings: 3))
        clock.shift(.seconds(-86_400))
        // The next reading tells that the clock was set back. Before it the receiver would get what has a wrong time.
        #expect(eventually { fixture.dropped("clock") > 0 })
        receiver.answer(.init())
        #expect(eventually { fixture.own("samples_accepted_total") > 0 })
        #expect(fixture.run(readings: 3))
        let report = fixture.stop()
        #expect(fixture.dropped("queue_full") == 0 && fixture.dropped("too_large") == 0)
        #expect(report.accepted + report.dropped + report.ambiguous == report.enqueued)
        let times = try receiver.requests.filter { $0.answer.status == 204 }
            .flatMap { try WriteRequest(compressed: $0.body).series.flatMap(\.samples) }.map(\.milliseconds)
        let span = try #require(times.max()) - (try #require(times.min()))
        #expect(span < 86_400_000 - 600_000)
    }
}
