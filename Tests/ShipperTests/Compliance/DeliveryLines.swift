import Glibc
import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// Waits, sizes, losses, clocks and secrets: what no suite tests. Both messages are tried where they could differ.
@Suite struct DeliveryLines {
    private static let messages = [MessageChoice.v1, .auto]

    @Test func `untested: 529`() throws {
        let exchange = try Exchange(.auto)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(529), .init(529)])
        #expect(exchange.receiver.wait { $0.count { $0.answer.status == 529 } == 2 })
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(Set(capture.bodies(529)).count == 1)
        #expect(capture.log.violations == [] && report.accepted == report.enqueued)
    }

    /// Answers 503 with this header once, and returns the wait in seconds that it brings.
    private func wait(after header: String, status: Int = 503) throws -> Double {
        let clock = ShiftedTime()
        let exchange = try Exchange(.auto, time: clock)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(status, headers: ["Retry-After": header])])
        let registry = exchange.registry
        let waits = Monitor([Double]())
        exchange.receiver.observe { request in
            guard request.headers["retry-attempt"] != nil else { return }
            let gauge = registry.snapshot().first { $0.family.name == "lkpush_remote_write_backoff_seconds" }
            if case .gauge(let gauge)? = gauge?.series.first?.instrument { waits.change { $0.append(gauge.value) } }
        }
        func isSentAgain() -> Bool { waits.withLock { !$0.isEmpty } }
        #expect(eventually { isSentAgain() || exchange.fixture.own("backoff_seconds") > 10 })
        let isLong = !isSentAgain()
        if isLong {
            let asked = Duration.seconds(exchange.fixture.own("backoff_seconds"))
            clock.elapse(asked / 2)
            #expect(exchange.fixture.run(readings: 2))
            #expect(!isSentAgain(), "it is not sent before its time")
            clock.elapse(asked)
        }
        #expect(eventually { isSentAgain() })
        #expect(exchange.stop().log.violations == [])
        return try #require(waits.withLock { $0.first })
    }

    @Test(arguments: [429, 503]) func `untested: Retry-After in seconds`(_ status: Int) throws {
        #expect(try wait(after: "70", status: status) == 70)
    }

    @Test func `untested: Retry-After as a date`() throws {
        // The machine may be slow, so some of the time may have passed.
        #expect(try (50...200).contains(wait(after: HTTPDate.text(secondsFromNow: 200))))
    }

    @Test func `untested: Retry-After in the past`() throws {
        #expect(try wait(after: HTTPDate.text(secondsFromNow: -3_600)) <= 0.08)
    }
    @Test func `untested: Retry-After that is absurd`() throws { #expect(try wait(after: "99999999999") == 300) }
    @Test func `untested: Retry-After that is no wait`() throws { #expect(try wait(after: "soon") <= 0.08) }

    @Test(arguments: messages) func `untested: Retry-Attempt`(_ message: MessageChoice) throws {
        let exchange = try Exchange(message)
        try exchange.warmUp()
        exchange.receiver.enqueue([.init(503), .init(504), .init(500)])
        #expect(exchange.receiver.wait { $0.contains { $0.headers["retry-attempt"] == "3" && $0.wasAnswered } })
        #expect(exchange.fixture.run(readings: 3))
        let capture = exchange.stop()
        let tried = try #require(capture.recorded.first { $0.answer.status == 503 }).body
        let attempts = capture.recorded.filter { $0.body == tried }.map { $0.headers["retry-attempt"] }
        #expect(attempts == [nil, "1", "2", "3"])
        #expect(capture.recorded.filter { $0.body != tried }.allSatisfy { $0.headers["retry-attempt"] == nil })
    }

    /// Histograms with labels that hardly shrink: each has this many bytes and four series.
    private func fill(_ registry: Registry, histograms: Int, bytes: Int) throws {
        var random = SplitMix(seed: 7)
        let family = registry.histogram("test_noise_seconds", "Noise.", labels: ["n"], bounds: [1])
        for _ in 0..<histograms {
            var noise = ""
            while noise.utf8.count < bytes { noise += String(random.next(), radix: 36) }
            try #require(family.series([noise])).observe(0.5)
        }
    }

    /// Expects that the series of each histogram are together in each request that has any of them.
    private func expectWholeHistograms(_ capture: Capture) {
        for request in capture.requests {
            var parts: [String: Int] = [:]
            for series in request.series where series.name.hasPrefix("test_noise_seconds") {
                parts[series.value(of: "n") ?? "", default: 0] += 1
            }
            #expect(parts.values.allSatisfy { $0 == 4 })
        }
    }

    @Test(arguments: messages) func `untested: batch byte cap`(_ message: MessageChoice) throws {
        let exchange = try Exchange(message) {
            $0.schedule = .init(pushInterval: .milliseconds(200), idleInterval: .milliseconds(200))
            $0.batches.compressed_bytes = 20_000
        }
        try fill(exchange.registry, histograms: 100, bytes: 900)
        try exchange.warmUp()
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        #expect(capture.recorded.allSatisfy { $0.body.count <= 20_000 })
        #expect(capture.recorded.contains { $0.body.count > 10_000 })
        expectWholeHistograms(capture)
        #expect(capture.log.series(of: "test_noise_seconds_count").count == 100)
    }

    @Test(arguments: messages) func `untested: 413 splits, and never a histogram`(_ message: MessageChoice) throws {
        let exchange = try Exchange(message, judges: true) {
            $0.schedule = .init(pushInterval: .seconds(1), idleInterval: .seconds(1))
        }
        try fill(exchange.registry, histograms: 600, bytes: 900)
        let limit = 256 << 10
        for _ in 0..<3 { exchange.receiver.answerOnce(.init(413)) { $0.count > limit } }
        try exchange.warmUp()
        #expect(exchange.fixture.run(readings: 2))
        let report = exchange.fixture.stop()
        let capture = exchange.seen
        #expect(!capture.bodies(413).isEmpty)
        #expect(report.accepted == report.enqueued, "nothing is lost")
        #expect(capture.log.violations == [] && exchange.receiver.store.refusals == [])
        expectWholeHistograms(capture)
        let refused = try #require(capture.recorded.firstIndex { $0.answer.status == 413 })
        let size = capture.recorded[refused].body.count
        #expect(capture.recorded[(refused + 1)...].prefix(2).allSatisfy { $0.body.count < size * 3 / 4 })
        #expect(capture.log.series(of: "test_noise_seconds_count").count == 600)
    }

    /// The receiver stores a request, and its answer is lost. It takes an exact copy of each series' newest sample, and
    /// refuses older ones: such samples are ambiguous, and not rejected.
    @Test(arguments: messages) func `untested: duplicates after a lost 204`(_ message: MessageChoice) throws {
        let exchange = try Exchange(message, judges: true)
        try exchange.warmUp()
        exchange.receiver.enqueue([.lost])
        #expect(exchange.receiver.wait { $0.contains { $0.answer.behaviour == .loseAnswer } })
        #expect(exchange.fixture.run(readings: 3))
        // Now a request with several samples of each series, whose copy is refused.
        exchange.receiver.answer(.init(503))
        #expect(exchange.fixture.run(readings: 5))
        exchange.receiver.answerOnce(.lost) { body in
            let requests = WriteRequest.Version.allCases.compactMap { try? WriteRequest(compressed: body, $0) }
            return requests.contains { $0.series.contains { $0.samples.count > 2 } }
        }
        exchange.receiver.answer(.init(204))
        #expect(exchange.receiver.wait { $0.count { $0.answer.behaviour == .loseAnswer } == 2 })
        #expect(exchange.fixture.run(readings: 3))
        let report = exchange.fixture.stop()
        #expect(report.rejected + report.dropped == 0)
        #expect(report.ambiguous > 0 && report.accepted + report.ambiguous == report.enqueued)
        let stored = exchange.receiver.store.samples["up" + Exchange.labels] ?? []
        #expect(Double(stored.count) == exchange.fixture.readings + 1, "every reading, and the marker")
        #expect(exchange.seen.recorded.allSatisfy { $0.version == (message == .v1 ? .v1 : .v2) })
    }

    @Test(arguments: messages) func `untested: the same labels never twice in a request`(
        _ message: MessageChoice
    ) throws {
        // The log has a violation for it.
        let capture = try Backlog.capture(message)
        #expect(capture.requests.contains { $0.series.contains { $0.samples.count > 2 } })
    }

    @Test(arguments: messages) func `untested: clock step back`(_ message: MessageChoice) throws {
        let clock = ShiftedTime()
        let exchange = try Exchange(message, judges: true, time: clock)
        try exchange.warmUp()
        clock.shift(.seconds(-30))
        #expect(eventually { exchange.fixture.own("readings_skipped_total") >= 3 })
        clock.shift(.seconds(30))
        #expect(exchange.fixture.run(readings: 3))
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued)
        #expect(exchange.seen.log.violations == [] && exchange.receiver.store.refusals == [])
    }

    @Test(arguments: messages) func `untested: token rotation`(_ message: MessageChoice) throws {
        let folder = TemporaryFolder()
        let file = folder.file("token")
        try FileStore.replace(file, with: Array("\(ShipperFixture.secret)-1\n".utf8))
        let exchange = try Exchange(message) { $0.credentials = .bearer(.file(file)) }
        try exchange.warmUp()
        for number in 2...4 {
            try FileStore.replace(file, with: Array("\(ShipperFixture.secret)-\(number)\n".utf8))
            let wanted = "Bearer \(ShipperFixture.secret)-\(number)"
            #expect(exchange.receiver.wait { $0.contains { $0.headers["authorization"] == wanted && $0.wasAnswered } })
        }
        let report = exchange.fixture.stop()
        #expect(report.accepted == report.enqueued)
        #expect(exchange.seen.log.violations == [])
    }

    @Test(arguments: messages) func `untested: shutdown inside an outage`(_ message: MessageChoice) throws {
        for answer in [ScriptedReceiver.Answer(503), .hang, .reset, .init(401)] {
            let exchange = try Exchange(message)
            try exchange.warmUp()
            let count = exchange.receiver.requests.count
            exchange.receiver.answer(answer)
            #expect(exchange.receiver.wait { $0.count > count })
            #expect(exchange.fixture.run(readings: 3))
            // The fixture checks that every sample has one fate.
            let report = exchange.fixture.stop(within: .milliseconds(200))
            #expect(report.dropped > 0 && report.accepted > 0)
            #expect(exchange.seen.log.violations == [])
        }
    }

    @Test(arguments: messages) func `untested: reserved-header override`(_ message: MessageChoice) throws {
        let exchange = try Exchange(message) { settings in
            settings.headers = [try #require(HTTPHeader("X-Scope-OrgID", "tenant"))]
            for name in ShipperSettings.reservedHeaders.sorted() where name != "host" {
                settings.headers.append(try #require(HTTPHeader(name, "overridden")))
            }
        }
        try exchange.warmUp()
        let capture = exchange.stop()
        #expect(capture.log.violations == [])
        #expect(capture.recorded.allSatisfy { $0.headers["x-scope-orgid"] == "tenant" })
        #expect(capture.recorded.allSatisfy { !$0.headers.values.contains("overridden") })
        for name in ShipperSettings.reservedHeaders { #expect(ShipperSettings.header(name, "x") == nil) }
    }

    @Test(arguments: messages) func `untested: secrets in logs`(_ message: MessageChoice) throws {
        let receiver = try ScriptedReceiver(script: [.init(204), .init(503), .init(401)], otherwise: .init(400))
        let secret = ShipperFixture.secret
        let fixture = try ShipperFixture("http://me:\(secret)@127.0.0.1:\(receiver.port)/push?key=\(secret)") {
            $0.delivery.message = message
            $0.headers = [try #require(HTTPHeader("X-Token", secret))]
        }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(3))
        fixture.shipper.reloadCredentials()
        #expect(receiver.waitForAnswers(5))
        _ = fixture.stop(within: .milliseconds(200))
        // `logged` expects that no line holds the secret.
        #expect(try !fixture.logged("127.0.0.1").isEmpty)
        var page: [UInt8] = []
        Exposition.append(fixture.registry, to: &page)
        #expect(!String(decoding: page, as: UTF8.self).contains(secret))
        let pushed = receiver.requests.compactMap { try? $0.decoded() }.flatMap(\.series)
        #expect(!pushed.isEmpty && pushed.allSatisfy { !$0.text.contains(secret) })
    }

    /// Receivers of 1.0 learn types and help texts beside the series, now and then.
    @Test func `rw1_compat: metadata`() throws {
        let capture = try Exchange.capture(.v1, prepare: { _ = $0.gauge("test_size_bytes", "Size.").series() })
        #expect(capture.log.violations == [])
        let families = capture.requests.flatMap(\.families)
        let size = families.first { $0.family == "test_size_bytes" }
        #expect(size?.metadata == .init(type: .gauge, help: "Size.", unit: "bytes"))
        let events = families.first { $0.family == "test_events_total" }
        #expect(events?.metadata.type == .counter)
    }
}
