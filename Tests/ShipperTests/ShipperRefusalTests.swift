import HTTPClient
import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

@Suite struct ShipperRefusalTests {
    @Test(arguments: [400, 404, 408, 413, 415, 422, 301, 307])
    func `what is refused is lost, told with the receiver's words and how much it is, and disturbs nothing`(
        _ status: Int
    ) throws {
        let elsewhere = try ScriptedReceiver()
        let refusal = ScriptedReceiver.Answer(
            status, headers: ["Location": elsewhere.url], body: "err-mimir-\(status): no thanks")
        let receiver = try ScriptedReceiver(script: [.init(204), refusal, refusal])
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(3))
        #expect(fixture.run(readings: 10))
        let report = fixture.stop()
        #expect(report.rejected > 0)
        #expect(report.accepted + report.rejected == report.enqueued)
        let log = WriteLog(receiver.requests)
        #expect(log.violations == [])
        #expect(elsewhere.connectionCount == 0)
        #expect(receiver.requests.allSatisfy { $0.headers["retry-attempt"] == nil })
        let refused = receiver.requests.filter { $0.answer.status == status }.map(\.body)
        #expect(receiver.requests.count { refused.contains($0.body) } == 2)
        let lines = try fixture.logged("\"msg\":\"samples are lost: ")
        // One line comes at once, and one at the end if more was lost after it.
        #expect((1...2).contains(lines.count))
        #expect(
            lines.allSatisfy { $0.contains("err-mimir-\(status): no thanks") && $0.contains("\"status\":\(status)") })
        #expect(lines.last?.contains("\"lost_in_all\":\(report.rejected),\"since\":\"20") == true)
        let isWrongAddress = status < 400 || status == 404
        #expect(
            lines.allSatisfy {
                ($0.contains("the setting is a wrong address") && $0.contains("GRAFANA_PROM_REMOTE_WRITE_URL"))
                    == isWrongAddress
            })
        #expect(fixture.rejected == [String(status): Double(report.rejected)])
    }

    @Test func `each status code that cost samples has its own figure, and all of them make up the whole`() throws {
        let receiver = try ScriptedReceiver(
            script: [.init(204), .init(400), .init(404), .init(422), .init(302), .init(204)], otherwise: .init(204))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(8))
        let report = fixture.stop()
        #expect(Set(fixture.rejected.keys) == ["400", "404", "422", "302"])
        #expect(fixture.rejected.values.reduce(0, +) == Double(report.rejected))
        #expect(report.enqueued == report.accepted + report.rejected)
        let lines = try fixture.logged("\"msg\":\"samples are lost: ")
        #expect(lines.last?.contains("\"lost_in_all\":\(report.rejected)") == true)
        #expect(lines.last?.contains("302: ") == true && lines.last?.contains("422: ") == true)
    }

    @Test func `a login page that answers 200 is told`() throws {
        let page = ScriptedReceiver.Answer(200, headers: ["Content-Type": "text/html; charset=utf-8"], body: "<html>")
        let receiver = try ScriptedReceiver(otherwise: page)
        var settings = ShipperSettings(
            url: try #require(EndpointURL(receiver.url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.timeout = .seconds(5)
        #expect(ShipperProbe.run(settings).answer == .page(status: 200))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(4))
        _ = fixture.stop()
        #expect(try fixture.logged("something that is no receiver of remote write takes the samples").count == 1)
    }

    @Test(arguments: [(302, true), (404, true), (405, true), (400, false), (500, false)])
    func `a check says that an address is wrong`(_ status: Int, _ isWrongAddress: Bool) throws {
        let receiver = try ScriptedReceiver(otherwise: .init(status, body: "no"))
        var settings = ShipperSettings(
            url: try #require(EndpointURL(receiver.url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.timeout = .seconds(5)
        #expect(ShipperProbe.run(settings).findings[0].text.contains("wrong address") == isWrongAddress)
    }

    @Test func `a redirect is named, without what its address may hide`() throws {
        let moved = ScriptedReceiver.Answer(
            308, headers: ["Location": "https://me:hidden@example.com/new?token=hidden"])
        let receiver = try ScriptedReceiver(script: [moved, moved], otherwise: .init(204))
        var settings = ShipperSettings(
            url: try #require(EndpointURL(receiver.url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.timeout = Waits.limit
        let words = "redirects are not followed; this one leads to https://example.com/new"
        #expect(ShipperProbe.run(settings).answer == .refused(status: 308, message: words))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(3))
        _ = fixture.stop()
        let line = try #require(try fixture.logged("\"msg\":\"samples are lost: ").first)
        #expect(line.contains(words))
        #expect(!line.contains("hidden"))
    }

    @Test func `a long message is cut in the log`() throws {
        let receiver = try ScriptedReceiver(
            script: [.init(400, body: String(repeating: "x", count: 5_000))], otherwise: .init(204))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(2))
        _ = fixture.stop()
        let line = try #require(try fixture.logged("\"msg\":\"samples are lost: ").first)
        #expect(line.count < 1_024 + 700)
        #expect(line.contains(String(repeating: "x", count: 1_024)))
    }

    @Test(arguments: [401, 403])
    func `refused credentials hold everything until the file holds better ones`(_ status: Int) throws {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("key"), with: Array("\(ShipperFixture.secret)-old\n".utf8))
        let receiver = try ScriptedReceiver(otherwise: .init(status, body: "who are you"))
        let fixture = try ShipperFixture(receiver.url) {
            $0.credentials = .basic(user: "me", password: .file(folder.file("key")))
        }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(1))
        #expect(fixture.run(readings: 10))
        #expect(receiver.requests.count == 1)
        receiver.answer(.init(204))
        try FileStore.replace(folder.file("key"), with: Array("\(ShipperFixture.secret)-new\n".utf8))
        #expect(receiver.waitForAnswers(5))
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
        let sent = receiver.requests.map { $0.headers["authorization"] ?? "" }
        // The two headers are me:s3cret-value-old and me:s3cret-value-new.
        #expect(sent.first == "Basic bWU6czNjcmV0LXZhbHVlLW9sZA==")
        #expect(sent.dropFirst().allSatisfy { $0 == "Basic bWU6czNjcmV0LXZhbHVlLW5ldw==" })
        #expect(WriteLog(receiver.requests).violations == [])
        #expect(try fixture.logged("the receiver refused the credentials").count == 1)
    }

    @Test func `a signal has the credentials read again and tries at once`() throws {
        let receiver = try ScriptedReceiver(script: [.init(401)], otherwise: .init(204))
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(1))
        #expect(fixture.run(readings: 3))
        #expect(receiver.requests.count == 1)
        fixture.shipper.reloadCredentials()
        #expect(receiver.waitForAnswers(4))
        #expect(fixture.stop().dropped == 0)
    }

    @Test func `every request carries the protocol's headers, ours and no reserved one`() throws {
        let receiver = try ScriptedReceiver()
        #expect(ShipperSettings.header("Content-Type", "text/plain") == nil)
        #expect(ShipperSettings.header("authorization", "x") == nil)
        let fixture = try ShipperFixture(receiver.url) {
            $0.headers = [try #require(ShipperSettings.header("X-Scope-OrgID", "tenant"))]
            $0.headers.append(try #require(HTTPHeader("Content-Encoding", "identity")))
        }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(3))
        _ = fixture.stop()
        #expect(WriteLog(receiver.requests).violations == [])
        for request in receiver.requests {
            #expect(request.headers["x-scope-orgid"] == "tenant")
            #expect(request.headers["user-agent"] == "lkpush/test")
            #expect(request.headers["authorization"] == "Bearer \(ShipperFixture.secret)")
        }
        #expect(receiver.connectionCount == 1)
    }

    @Test func `headers of a file are read again when it changes, and stay while it cannot be read`() throws {
        let folder = TemporaryFolder()
        let file = folder.file("headers")
        try FileStore.replace(file, with: Array("X-Scope-OrgID=first\n".utf8))
        let receiver = try ScriptedReceiver()
        let fixture = try ShipperFixture(receiver.url) { $0.headersFile = .file(file) }
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(1))
        try FileStore.replace(file, with: Array("X-Scope-OrgID=second,X-Other=1\n".utf8))
        #expect(eventually { receiver.requests.last?.headers["x-scope-orgid"] == "second" })
        try FileStore.replace(file, with: [])
        let count = receiver.requests.count
        #expect(receiver.waitForAnswers(count + 3))
        _ = fixture.stop()
        #expect(receiver.requests.first?.headers["x-scope-orgid"] == "first")
        let last = try #require(receiver.requests.last?.headers)
        #expect(last["x-scope-orgid"] == "second" && last["x-other"] == "1")
    }

    @Test func `credentials in the address appear neither in the log nor in a label`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(503))
        let fixture = try ShipperFixture(
            "http://me:\(ShipperFixture.secret)@127.0.0.1:\(receiver.port)/push?key=\(ShipperFixture.secret)")
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(2))
        _ = fixture.stop(within: .milliseconds(50))
        #expect(try !fixture.logged("127.0.0.1").isEmpty)
        var page: [UInt8] = []
        Exposition.append(fixture.registry, to: &page)
        let text = String(decoding: page, as: UTF8.self)
        #expect(!text.contains(ShipperFixture.secret))
        #expect(text.contains("url=\"http://127.0.0.1:\(receiver.port)/push\""))
    }

    @Test func `the names that customary alerts ask for are there`() throws {
        let receiver = try ScriptedReceiver(script: [.init(400)])
        let fixture = try ShipperFixture(receiver.url)
        try fixture.shipper.makeFirstReading()
        #expect(receiver.waitForAnswers(4))
        let report = fixture.stop()
        var page: [UInt8] = []
        Exposition.append(fixture.registry, to: &page)
        let lines = String(decoding: page, as: UTF8.self).split(separator: "\n")
        let labels = "{remote_name=\"lkpush\",url=\"http://127.0.0.1:\(receiver.port)/api/v1/write\"}"
        let prefix = "prometheus_remote_storage_"
        #expect(lines.contains("\(prefix)samples_total\(labels) \(report.accepted)"))
        #expect(lines.contains("\(prefix)samples_failed_total\(labels) \(report.rejected)"))
        for name in [
            "samples_retried_total", "samples_pending", "bytes_total", "shards", "shards_desired", "shards_max",
            "shards_min", "queue_highest_timestamp_seconds", "queue_highest_sent_timestamp_seconds",
            "max_samples_per_send",
        ] {
            #expect(lines.contains { $0.hasPrefix(prefix + name + labels) }, "\(name)")
        }
        #expect(lines.contains { $0.hasPrefix("\(prefix)highest_timestamp_in_seconds ") })
        #expect(lines.contains { $0.hasPrefix("\(prefix)sent_batch_duration_seconds_bucket{") })
    }
}
