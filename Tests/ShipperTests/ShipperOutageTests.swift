import Shipper
import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A receiver in trouble. Readings come every 20 ms instead of 15 s, and waits last 10 to 80 ms.
@Suite struct ShipperOutageTests {
    private typealias Answer = ScriptedReceiver.Answer

    struct Trouble: Sendable, CustomTestStringConvertible {
        let answer: ScriptedReceiver.Answer
        let testDescription: String

        init(_ name: String, _ answer: ScriptedReceiver.Answer) {
            self.answer = answer
            testDescription = name
        }
    }

    /// Checks what arrived. The samples of `up` show how many readings did; those of the counter, that none was changed
    /// or reordered.
    private func check(_ receiver: ScriptedReceiver, _ fixture: ShipperFixture, lost: Bool = false) throws {
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        let labels = #"{instance="one",job="lkpush"}"#
        let counts = log.values("test_events_total" + labels)
        #expect(counts == counts.sorted())
        #expect(counts.last == fixture.events.value)
        let readings = fixture.readings
        #expect(lost ? Double(counts.count) < readings : Double(counts.count) == readings)
        #expect(log.accepted["up" + labels]?.last?.isStale == true)
    }

    @Test(arguments: [
        Trouble("500", .init(500)), Trouble("503", .init(503, body: "later")), Trouble("429", .init(429)),
        Trouble("529", .init(529)), Trouble("hangs", .hang), Trouble("resets", .reset), Trouble("closes", .close),
        Trouble("never ends its body", .init(500, behaviour: .endlessBody)),
    ])
    func `every sample arrives in order after trouble, none twice with another value`(_ trouble: Trouble) throws {
        let receiver = try ScriptedReceiver(script: [.init(204), .init(204)])
        // Only a time-out ends an answer that never ends by itself.
        let isEndless = [.hang, .endlessBody].contains(trouble.answer.behaviour)
        let fixture = try ShipperFixture(receiver.url) { if isEndless { $0.timeout = .seconds(2) } }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(2))
        receiver.answer(trouble.answer)
        #expect(fixture.run(readings: 15))
        receiver.answer(.init(204))
        #expect(fixture.run(readings: 5))
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
        try check(receiver, fixture)
        let retried = receiver.requests.compactMap { $0.headers["retry-attempt"] }.compactMap { Int($0) }
        #expect(retried.first == 1)
        #expect(fixture.own("retries_total") == Double(retried.count))
        #expect(try fixture.logged("samples could not be sent: they are kept").count == 1)
    }

    @Test func `the receiver's own wait is kept`() throws {
        let receiver = try ScriptedReceiver(script: [.init(204), .init(503, headers: ["Retry-After": "1"])])
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(4))
        let requests = receiver.requests
        #expect(requests[2].at.since(requests[1].at) >= .seconds(1))
        #expect(requests[2].body == requests[1].body)
        #expect(Promptness.holds(requests[3].at.since(requests[2].at), within: .seconds(1)))
        #expect(fixture.stop().dropped == 0)
        try check(receiver, fixture)
    }

    @Test func `a receiver that is down and comes back gets everything`() throws {
        let first = try ScriptedReceiver(port: FixedPorts.pick())
        let fixture = try ShipperFixture(first.url)
        try fixture.shipper.makeFirstReading()
        #expect(first.waitForAnswers(3))
        first.stop()
        #expect(fixture.run(readings: 40))
        #expect(fixture.own("samples_pending") > 0)
        let second = try ScriptedReceiver(port: first.port)
        #expect(fixture.run(readings: 5))
        let report = fixture.stop()
        #expect(report.rejected + report.dropped == 0)
        let log = WriteLog(first.requests + second.requests)
        #expect(log.violations == [])
        #expect(Double(log.values(#"up{instance="one",job="lkpush"}"#).count) == fixture.readings)
        #expect(try fixture.logged("the receiver takes samples again").count == 1)
    }

    @Test func `what memory cannot hold is dropped oldest first, and counted`() throws {
        let receiver = try ScriptedReceiver(script: [.init(204)], otherwise: .init(503))
        let fixture = try ShipperFixture(receiver.url) { $0.delivery.queue = ByteCount(12_000) }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.own("samples_dropped_total") > 0 })
        #expect(fixture.run(readings: 20))
        #expect(fixture.own("queue_bytes") <= 12_000)
        receiver.answer(.init(204))
        // The last reading must find room in the queue.
        #expect(fixture.settlesWhatWaits())
        let report = fixture.stop()
        #expect(report.dropped > 0)
        #expect(report.accepted + report.dropped == report.enqueued)
        try check(receiver, fixture, lost: true)
        let lost = try fixture.logged("samples are lost: they waited for the receiver")
        #expect((1...2).contains(lost.count))
        #expect(lost.last?.contains("\"lost_in_all\":\(report.dropped)") == true)
        // This holds even if the batch that was tried first was dropped.
        #expect(try fixture.logged("the receiver takes samples again").count == 1)
    }

    @Test func `a reading that is larger than a quarter of the memory goes in several requests`() throws {
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url) { $0.delivery.queue = .kibibytes(64) }
        let family = fixture.registry.gauge("test_noise", "Noise.", labels: ["n"])
        var random = SplitMix(seed: 5)
        for _ in 0..<200 {
            let noise = (0..<25).map { _ in String(random.next(), radix: 36) }.joined()
            try #require(family.series([noise])).set(1)
        }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(5))
        #expect(receiver.requests.allSatisfy { $0.body.count <= 16_384 })
        #expect(WriteLog(receiver.requests).violations == [])
        _ = fixture.stop()
        #expect(fixture.dropped("too_large") == 0)
    }

    @Test func `the end comes in time although nobody answers`() throws {
        let receiver = try ScriptedReceiver(script: [.init(204)], otherwise: .hang)
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.wait { $0.count >= 2 })
        #expect(fixture.run(readings: 3))
        let begin = SystemTime().monotonic()
        let report = fixture.stop(within: .milliseconds(200))
        #expect(SystemTime().monotonic().since(begin) < Waits.limit, "the request has its whole time yet")
        #expect(report.ambiguous > 0)
        #expect(report.dropped > 0)
    }

    @Test(arguments: [ScriptedReceiver.Answer(401), .init(503, headers: ["Retry-After": "60"])])
    func `the end does not wait for what cannot happen before it`(_ answer: ScriptedReceiver.Answer) throws {
        let receiver = try ScriptedReceiver(otherwise: answer)
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        // The sender must have received the first answer. Both answers are logged.
        let words = answer.status == 401 ? "the receiver refused the credentials" : "samples could not be sent"
        #expect(try eventually { try !fixture.logged(words).isEmpty })
        let begin = SystemTime().monotonic()
        // This is less than either wait.
        let limit = Delivery.Limits.credentialHold / 2
        let report = fixture.stop(within: limit)
        #expect(SystemTime().monotonic().since(begin) < limit, "it had more time, and did not use it")
        #expect(report.dropped == report.enqueued)
        // The last chance before the stop was used.
        #expect(receiver.requests.count == 2)
    }

    @Test(arguments: [-3_600, 3_600] as [Int64])
    func `a clock that was set wrong costs readings, no order and not the last values`(_ seconds: Int64) throws {
        let receiver = try ScriptedReceiver()
        let clock = ShiftedTime()
        let fixture = try ShipperFixture(receiver.url, time: clock)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 3))
        // A clock is measured by what a receiver has accepted.
        #expect(receiver.waitForAnswers(2))
        clock.shift(.seconds(seconds))
        let reason = seconds < 0 ? "clock_went_back" : "clock_jumped_ahead"
        #expect(eventually { fixture.own("readings_skipped_total") >= 3 })
        fixture.events.increment(by: 100)
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
        try check(receiver, fixture)
        let times = try #require(WriteLog(receiver.requests).accepted[#"up{instance="one",job="lkpush"}"#])
        #expect(times.allSatisfy { abs($0.milliseconds - SystemTime().now().milliseconds) < 600_000 })
        #expect(try fixture.logged("a reading was skipped: the clock is wrong").first?.contains(reason) == true)
    }

    @Test func `the end without stale markers leaves the series alive`() throws {
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url) { $0.staleOnStop = false }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(2))
        _ = fixture.stop()
        #expect(WriteLog(receiver.requests).accepted.values.allSatisfy { !$0.contains { $0.isStale } })
    }

    @Test func `a real Prometheus that was stopped and started holds every sample`() throws {
        let prometheus = try PrometheusServer()
        let fixture = try ShipperFixture(prometheus.writeURL) {
            $0.schedule = .init(pushInterval: .milliseconds(100), idleInterval: .milliseconds(100))
            $0.staleOnStop = false
        }
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 10))
        prometheus.stop()
        #expect(fixture.run(readings: 20))
        try prometheus.start()
        #expect(fixture.run(readings: 10))
        let report = fixture.stop()
        #expect(report.rejected + report.dropped == 0)
        let samples = try #require(try prometheus.query("test_events_total[10m]").first).points
        #expect(Double(samples.count) == fixture.readings)
        #expect(samples.map(\.value) == samples.map(\.value).sorted())
        #expect(samples.last?.value == fixture.events.value)
    }
}
