import Glibc
import HTTPClient
import Platform
import RemoteWrite
import Shipper
import Status
import TestSupport
import Testing
import Wire

/// What a destination tells of itself in each trouble of its receiver, on the status page and in the log.
@Suite struct DestinationStatusTests {
    /// A trouble, and what is told of it.
    struct Trouble: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: ScriptedReceiver.Answer
        let state: DestinationState
        let cause: String
        /// Words of the action.
        let action: String
        let setting: String
        let message: String

        init(
            _ answer: ScriptedReceiver.Answer, _ state: DestinationState, cause: String, action: String,
            setting: String = "", message: String
        ) {
            testDescription = cause
            self.answer = answer
            self.state = state
            self.cause = cause
            self.action = action
            self.setting = setting
            self.message = message
        }
    }

    private static let url = "GRAFANA_PROM_REMOTE_WRITE_URL"

    static let troubles = [
        Trouble(
            .init(401, body: #"{"error":"authentication error: invalid token"}"#), .held,
            cause: "the token is not known there", action: "set GRAFANA_API_KEY to it",
            setting: "GRAFANA_API_KEY",
            message: """
                the receiver refused the credentials: samples wait, the oldest are lost when there is no room for more
                """),
        Trouble(
            .init(403), .held, cause: "it does not let these credentials write",
            action: "Check REMOTE_WRITE_BEARER_TOKEN.", setting: "REMOTE_WRITE_BEARER_TOKEN",
            message: """
                the receiver refused the credentials: samples wait, the oldest are lost when there is no room for more
                """),
        Trouble(
            .init(407), .held, cause: "a proxy wants credentials", action: "HTTPS_PROXY",
            setting: "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
            message: """
                the proxy refused the credentials: samples wait, the oldest are lost when there is no room for more
                """),
        Trouble(
            .init(404, body: "404 page not found"), .refusing,
            cause: "a wrong address, no receiver of remote write answers there",
            action: "/api/v1/write for Prometheus", setting: url,
            message:
                "samples are lost: the setting is a wrong address, what answers there is no receiver of remote write"),
        Trouble(
            .init(400, body: "out of order sample"), .refusing,
            cause: "it has later samples of the same series, or others of the same time",
            action: "its own INSTANCE", setting: "INSTANCE",
            message: "samples are lost: the receiver refused them for good"),
        Trouble(
            .init(422, body: "no"), .refusing, cause: "it refuses what is sent, for good",
            action: "lkpush check", message: "samples are lost: the receiver refused them for good"),
        Trouble(
            .init(429, headers: ["Retry-After": "1"], body: "rate"), .retrying,
            cause: "a limit of the receiver is reached, and it takes nothing now",
            action: "It wants 1 s of rest. Raise the tenant's limits", setting: "METRICS_EXCLUDE, PUSH_INTERVAL",
            message: "samples could not be sent: they are kept and sent again"),
        Trouble(
            .init(500, body: "no ring"), .retrying, cause: "it has trouble of its own",
            action: "Look at the receiver", message: "samples could not be sent: they are kept and sent again"),
        Trouble(
            .reset, .retrying, cause: "the connection broke", action: "Look at the receiver", setting: url,
            message: "samples could not be sent: they are kept and sent again"),
        Trouble(
            .init(behaviour: .noHTTP), .retrying, cause: "the request failed: Received HTTP/0.9 when not allowed",
            action: "http:// or https://", setting: url,
            message: "samples could not be sent: they are kept and sent again"),
        Trouble(
            .init(200, headers: ["Content-Type": "text/html"], body: "<html>"), .accepting,
            cause: "a wrong address, a page answers there", action: "The push URL ends with", setting: url,
            message: "something that is no receiver of remote write takes the samples: they may be lost"),
    ]

    /// Expects a line of the log with these words in its fields.
    private func expectLine(_ fixture: ShipperFixture, _ message: String, _ status: DestinationStatus) throws {
        func quoted(_ text: String) -> String {
            var bytes: [UInt8] = []
            JSONText.append(text, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        let isThere = try eventually {
            try fixture.logged("\"msg\":\(quoted(message))").contains { line in
                line.contains("\"cause\":\(quoted(status.cause))")
                    && line.contains("\"action\":\(quoted(status.action))")
            }
        }
        let lines = try fixture.logged("\"level\":\"warning\"") + fixture.logged("\"level\":\"error\"")
        #expect(isThere, "\(lines)")
    }

    @Test(arguments: troubles)
    func `each trouble is told with its cause and what to do, until it is over`(_ trouble: Trouble) throws {
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url)
        #expect(fixture.status.state == .starting)
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .accepting && fixture.status.accepted > 0 })
        #expect(fixture.status.cause == "" && fixture.status.action == "" && fixture.status.lastLoss == nil)

        receiver.answer(trouble.answer)
        var status = DestinationStatus()
        let isTold = eventually {
            status = fixture.status
            return status.state == trouble.state && status.cause == trouble.cause
        }
        #expect(isTold, "\(status)")
        #expect(status.action.contains(trouble.action) && status.setting == trouble.setting, "\(status)")
        if case .respond = trouble.answer.behaviour {
            #expect(status.lastAnswer?.status == trouble.answer.status)
            #expect(status.lastAnswer?.text == String(decoding: trouble.answer.body, as: UTF8.self))
        } else {
            #expect(
                status.lastAnswer?.status == 0
                    && ["reset: ", "other: "].contains {
                        status.lastAnswer?.text.hasPrefix($0) == true
                    })
        }
        #expect((status.lastLoss != nil) == (trouble.state == .refusing))
        #expect((status.failures > 0) == [.held, .retrying].contains(trouble.state))
        #expect(trouble.state == .accepting || status.rejected + status.pending > 0)
        try expectLine(fixture, trouble.message, status)

        receiver.answer(.init(204))
        fixture.shipper.reloadCredentials()
        let isOver = eventually {
            status = fixture.status
            return status.state == .accepting && status.cause == ""
        }
        #expect(isOver, "\(status)")
        #expect(status.action == "" && status.setting == "" && status.failures == 0 && status.backoff == 0)
        let report = fixture.stop()
        status = fixture.status
        #expect(status.accepted == Int(report.accepted) && status.rejected == Int(report.rejected))
        #expect(status.dropped == Int(report.dropped) && status.pending == 0 && status.waitingSince == nil)
    }

    @Test func `a receiver that hangs is told before the request is given up, and the reason after it`() throws {
        let receiver = try ScriptedReceiver()
        let clock = ShiftedTime()
        let fixture = try ShipperFixture(receiver.url, time: clock) { $0.timeout = .seconds(3) }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .accepting })
        receiver.answer(.hang)
        var status = DestinationStatus()
        // The request has 3 s by the clock of the system. Those that follow it hang too.
        #expect(
            eventually {
                status = fixture.status
                if status.state != .unanswered, status.waitingSince != nil { clock.elapse(Delivery.Limits.late) }
                return status.state == .unanswered
            })
        #expect(status.cause == "it has not answered a request for 5 s")
        #expect(status.action.contains("Look at the receiver") && status.waitingSince != nil)
        #expect(status.setting == "REMOTE_WRITE_TIMEOUT")
        let message =
            "the receiver has not answered for 5 s: samples wait, and the oldest are lost when there is no room for more"
        try expectLine(fixture, message, status)
        #expect(try fixture.logged(message).allSatisfy { $0.contains("\"url\":\"\(receiver.url)\"") })
        #expect(
            eventually {
                status = fixture.status
                return status.state == .retrying
            })
        #expect(status.cause == "it does not answer in time: no answer within 3s")
        #expect(status.lastAnswer?.text.hasPrefix("timeout: ") == true)
        try expectLine(fixture, "samples could not be sent: they are kept and sent again", status)
        receiver.answer(.init(204))
        #expect(eventually { fixture.status.state == .accepting && fixture.status.cause == "" })
        _ = fixture.stop()
    }

    @Test func `a receiver that refuses connections is told with its address`() throws {
        let port = FixedPorts.pick()
        let fixture = try ShipperFixture("http://127.0.0.1:\(port)/api/v1/write")
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .retrying })
        let status = fixture.status
        #expect(status.cause == "the connection is refused: nothing listens at 127.0.0.1:\(port)")
        #expect(status.setting == Self.url && status.action.contains("Check that it runs, its port"))
        #expect(status.lastAnswer?.text.hasPrefix("connect: ") == true)
        #expect(status.lastAnswer?.text.hasSuffix("Connection refused)") == true, "\(status)")
        #expect(status.lastSuccess == nil && status.oldestPending > 0 && status.queue_bytes > 0)
        try expectLine(fixture, "samples could not be sent: they are kept and sent again", status)
        let receiver = try ScriptedReceiver(port: port)
        #expect(eventually { fixture.status.state == .accepting && fixture.status.cause == "" })
        #expect(fixture.status.lastSuccess != nil)
        #expect(receiver.waitForAnswers(1))
        _ = fixture.stop()
    }

    /// No name server is asked for a name with a part of more than 63 characters.
    @Test func `a name without an address is told`() throws {
        let name = String(repeating: "a", count: 64) + ".example"
        let fixture = try ShipperFixture("http://\(name)/api/v1/write") { $0.network = NetworkEnvironment([:]) }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .retrying })
        let status = fixture.status
        #expect(status.cause == "its name has no address: \(name)" && status.setting == Self.url)
        try expectLine(fixture, "samples could not be sent: they are kept and sent again", status)
        _ = fixture.stop(within: .milliseconds(100))
    }

    @Test func `a proxy is named where it is the trouble`() throws {
        let port = FixedPorts.pick()
        let fixture = try ShipperFixture("http://receiver.example/api/v1/write") {
            $0.network = NetworkEnvironment(["HTTP_PROXY": "http://127.0.0.1:\(port)"])
        }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .retrying })
        #expect(fixture.status.cause == "the connection is refused: nothing listens at the proxy")
        #expect(fixture.status.setting == "HTTPS_PROXY, HTTP_PROXY, NO_PROXY")
        _ = fixture.stop(within: .milliseconds(100))
    }

    @Test func `a certificate that is not trusted is told`() throws {
        let server = try TLSServer()
        let fixture = try ShipperFixture("https://127.0.0.1:\(server.port)/api/v1/write")
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .retrying })
        let status = fixture.status
        #expect(status.cause == "no secure connection (TLS) can be made to 127.0.0.1:\(server.port)")
        #expect(status.setting.contains("REMOTE_WRITE_TLS_CA_FILE") && status.action.contains("your own authority"))
        try expectLine(fixture, "samples could not be sent: they are kept and sent again", status)
        _ = fixture.stop(within: .milliseconds(100))
    }

    @Test func `credentials that cannot be read any more are told while those from before work`() throws {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("token"), with: Array("\(ShipperFixture.secret)\n".utf8))
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url) { $0.credentials = .bearer(.file(folder.file("token"))) }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.state == .accepting })
        #expect(unlink(folder.file("token")) == 0)
        #expect(eventually { fixture.status.cause.hasPrefix("the credentials cannot be read again") })
        #expect(fixture.status.state == .accepting && fixture.status.setting == "REMOTE_WRITE_BEARER_TOKEN")
        try FileStore.replace(folder.file("token"), with: Array("\(ShipperFixture.secret)\n".utf8))
        #expect(eventually { fixture.status.cause == "" })
        _ = fixture.stop()
    }

    @Test func `what waits on disk is told, and what the tables hold`() throws {
        let folder = TemporaryFolder()
        let receiver = try ScriptedReceiver(otherwise: .init(503, body: "later"))
        let fixture = try ShipperFixture(receiver.url) { settings in
            settings.spool = SpoolSettings(
                directory: folder.file("state"), maxBytes: .mebibytes(16), maxAge: .seconds(3_600))
        }
        #expect(fixture.status.spool?.max_bytes == 16 << 20 && fixture.status.spool?.samples == 0)
        try fixture.shipper.makeFirstReading()
        #expect(fixture.run(readings: 5))
        #expect(eventually { fixture.status.spool?.samples ?? 0 > 3 })
        let status = fixture.status
        let spool = try #require(status.spool)
        #expect(spool.size_bytes > 0 && spool.oldest != nil && spool.error == "" && !spool.isReserveReached)
        #expect(try #require(spool.lasts) > 0 && status.oldestPending > 0 && status.pending >= spool.samples)
        let tables = fixture.shipper.tables
        #expect(
            tables.map(\.name) == [
                "remote_write_series_default", "remote_write_queue_samples_default",
                "remote_write_spool_samples_default",
            ])
        #expect(tables[0].entries > 10 && tables[2].entries > 3)
        receiver.answer(.init(204))
        #expect(eventually { fixture.status.pending == 0 && fixture.status.spool?.samples == 0 })
        _ = fixture.stop()
    }

    @Test func `a spool that cannot be used says why`() throws {
        let folder = TemporaryFolder()
        // A file is where the folder should be.
        try FileStore.replace(folder.file("state"), with: [])
        let receiver = try ScriptedReceiver(otherwise: .init(503))
        let fixture = try ShipperFixture(receiver.url) { settings in
            settings.spool = SpoolSettings(
                directory: folder.file("state"), maxBytes: .mebibytes(16), maxAge: .seconds(3_600))
        }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { fixture.status.spool?.error.isEmpty == false })
        receiver.answer(.init(204))
        _ = fixture.stop()
    }
}
