import HTTPClient
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

/// What `lkpush check` says about receivers that answer on loopback.
@Suite struct ShipperProbeTests {
    private typealias Answer = ScriptedReceiver.Answer

    private static let written = [
        "X-Prometheus-Remote-Write-Samples-Written": "0", "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    ]

    private func settings(
        _ url: String, _ choice: MessageChoice = .auto, _ credentials: ShipperSettings.Credentials = .none
    ) throws -> ShipperSettings {
        var settings = ShipperSettings(
            url: try #require(EndpointURL(url)), labels: try CommonLabels(job: "j", instance: "i"),
            userAgent: "lkpush/test")
        settings.timeout = Waits.limit
        settings.connectTimeout = Waits.limit
        settings.delivery.message = choice
        settings.credentials = credentials
        return settings
    }

    /// A receiver's answers, and what must be said about them.
    struct Case: Sendable, CustomTestStringConvertible {
        let script: [ScriptedReceiver.Answer]
        var choice = MessageChoice.auto
        /// The message that is said to be sent. Nil if nothing is said about it.
        var message: Message?
        /// The messages of the requests.
        let asked: [Message]
        /// Parts of the findings, and their weights.
        let findings: [(weight: ProbeReport.Finding.Weight, text: String)]

        var testDescription: String { findings.map(\.text).joined(separator: "; ") }
    }

    private static let messages: [Case] = [
        Case(
            script: [Answer(204, headers: written)], message: .v2, asked: [.v2],
            findings: [(.good, "accepted (status 204)"), (.good, "it reads remote write 2.0, which lkpush sends")]),
        // Header names are not case sensitive, and one of the three is enough.
        Case(
            script: [Answer(200, headers: ["x-prometheus-remote-write-exemplars-written": "0"])], message: .v2,
            asked: [.v2], findings: [(.good, "accepted (status 200)"), (.good, "2.0, which lkpush sends")]),
        Case(
            script: [Answer(204), Answer(204)], message: .v1, asked: [.v2, .v1],
            findings: [
                (.good, "accepted (status 204)"),
                (
                    .good,
                    "it reads remote write 1.0 and not 2.0, which it answered with status 204 and without the headers "
                        + "of 2.0: lkpush falls back to 1.0 by itself"
                ),
            ]),
        Case(
            script: [Answer(415, body: "no"), Answer(204)], message: .v1, asked: [.v2, .v1],
            findings: [(.good, "accepted (status 204)"), (.good, "status 415: lkpush falls back to 1.0 by itself")]),
        Case(
            script: [Answer(400, body: "no"), Answer(200)], message: .v1, asked: [.v2, .v1],
            findings: [(.good, "accepted (status 200)"), (.good, "status 400: lkpush falls back to 1.0 by itself")]),
        Case(
            script: [Answer(202)], asked: [.v2],
            findings: [(.good, "accepted (status 202)"), (.good, "status 202 does not show whether it reads")]),
        Case(
            script: [Answer(204)], choice: .v1, message: .v1, asked: [.v1],
            findings: [(.good, "accepted (status 204)"), (.good, "1.0 is sent, as REMOTE_WRITE_MESSAGE says")]),
        Case(
            script: [Answer(204), Answer(204)], choice: .v2, message: .v1, asked: [.v2, .v1],
            findings: [
                (.good, "accepted (status 204)"),
                (.fault, "all that is pushed is lost. Set REMOTE_WRITE_MESSAGE to auto, or leave it out"),
            ]),
        Case(
            script: [Answer(204, headers: written)], choice: .v2, message: .v2, asked: [.v2],
            findings: [(.good, "accepted (status 204)"), (.good, "2.0, which lkpush sends")]),
    ]

    @Test(arguments: messages)
    func `the message that a receiver reads is found by asking with 2.0, and with 1.0 where that shows more`(
        _ one: Case
    ) throws { try check(one) }

    private static func refused(_ status: Int, _ body: String, _ text: String) -> Case {
        let mayReadOther = status == 400 || status == 415
        return Case(
            script: [Answer(status, body: body), Answer(status, body: body)], asked: mayReadOther ? [.v2, .v1] : [.v2],
            findings: [(.fault, text)])
    }

    private static let refusals: [Case] = [
        refused(
            404, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n",
            "this Prometheus takes no pushes. Start it with --web.enable-remote-write-receiver. It answered with status 404"
        ),
        refused(
            404, "404 page not found\n", "a wrong address, no receiver of remote write answers there. The push URL"),
        refused(
            405, "Method Not Allowed\n", "a wrong address, no receiver of remote write answers there. The push URL"),
        refused(
            400, #"remoteAddr: "127.0.0.1:57058"; requestURI: /push; unsupported path requested: "/push""#,
            "a wrong address, VictoriaMetrics has no such path. It takes pushes at /api/v1/write"),
        refused(401, "no org id\n", "wants to know the tenant. Set REMOTE_WRITE_HEADERS=X-Scope-OrgID=TENANT"),
        refused(
            401, #"{"status":"error","error":"authentication error: invalid scope requested"}"#,
            "the token may not write metrics. Give its access policy the scope metrics:write"),
        refused(
            401, #"{"status":"error","error":"authentication error: no credentials provided"}"#,
            "no credentials arrived. Set GRAFANA_PROM_USERNAME to the instance id and GRAFANA_API_KEY"),
        refused(
            401, #"{"status":"error","error":"authentication error: invalid token"}"#,
            "the token is not known there. It may be deleted, expired, cut off, or of another stack"),
        refused(
            401,
            #"{"status":"error","error":"authentication error: legacy auth cannot be upgraded because the host is not found"}"#,
            "the instance id and the token do not fit together. Set GRAFANA_PROM_USERNAME to the instance id"),
        refused(
            401, #"{"message":"Invalid username or password","messageId":"password-auth.failed","statusCode":401}"#,
            "a wrong address, it is that of Grafana, where people look at metrics"),
        refused(401, "", "it does not accept the credentials. None are set: give GRAFANA_PROM_USERNAME and"),
        refused(403, "", "it does not let these credentials write. Give them the right to write metrics"),
        refused(400, "Client sent an HTTP request to an HTTPS server.\n", "speaks TLS. Write the URL with https://"),
        refused(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>", "Write the URL with https://"),
        refused(400, "snappy: corrupt input", "it refuses even an empty request. The push URL"),
        refused(415, "no such message", "it refuses even an empty request. The push URL"),
        refused(407, "", "a proxy wants credentials"),
        refused(413, "", "a proxy refuses all of them. Raise its limit for bodies"),
        refused(429, "rate limit", "a limit of the receiver is reached, and it takes nothing now. Raise the tenant's"),
        refused(529, "overload", "a limit of the receiver is reached, and it takes nothing now"),
        refused(500, "oh", "it has trouble of its own. Look at the receiver, or at a proxy before it"),
        refused(503, "", "it has trouble of its own"),
        Case(
            script: [Answer(429, headers: ["Retry-After": "17"])], asked: [.v2],
            findings: [(.fault, "It wants 17 s of rest. Raise the tenant's limits")]),
        Case(
            script: [Answer(302, headers: ["Location": "http://127.0.0.1:1/login?key=hidden"])], asked: [.v2],
            findings: [
                (
                    .fault,
                    "a wrong address, no receiver of remote write answers there. Redirects are not followed, since "
                        + "they would carry the credentials elsewhere."
                )
            ]),
        Case(
            script: [Answer(200, headers: ["Content-Type": "text/html; charset=UTF-8"], body: "<html>")], asked: [.v2],
            findings: [(.fault, "a wrong address, a page answers there. The push URL")]),
        Case(
            script: [
                Answer(204, headers: ["X-Influxdb-Version": "1.8.0"]),
                Answer(204, headers: ["X-Influxdb-Version": "1"]),
            ],
            asked: [.v2, .v1], findings: [(.fault, "the line protocol of InfluxDB answers there, and would lose")]),
        Case(
            script: [.close, .close, .close], asked: [.v2, .v2], findings: [(.fault, "the connection broke. Look at")]),
    ]

    @Test(arguments: refusals)
    func `what a refusal means is said in the receiver's own terms, with what to do`(_ one: Case) throws {
        let report = try check(one)
        #expect(!report.isGood)
        #expect(!report.findings.contains { $0.text.contains("hidden") })
        // The receiver's own words are there as well.
        if case .refused(let status, let words) = report.answer {
            #expect(report.findings[0].text.contains("It answered with status \(status)"))
            #expect(report.findings[0].text.hasSuffix(words))
        }
    }

    @discardableResult
    private func check(_ one: Case) throws -> ProbeReport {
        let receiver = try ScriptedReceiver(script: one.script, otherwise: Answer(599))
        let report = ShipperProbe.run(try settings(receiver.url, one.choice))
        #expect(report.message == one.message)
        let findings = report.findings.filter { !$0.text.contains("clock") }
        #expect(findings.map(\.weight) == one.findings.map(\.weight), "\(findings)")
        for (found, expected) in zip(findings, one.findings) { #expect(found.text.contains(expected.text)) }
        let requests = receiver.requests
        // A request on a connection that breaks is made again by curl, at most once.
        if one.script.first?.behaviour == .respond { #expect(requests.count == one.asked.count) }
        for (request, message) in zip(requests, one.asked) {
            #expect(request.headers["content-type"] == message.contentType)
            #expect(request.headers["x-prometheus-remote-write-version"] == message.version)
            #expect(request.headers["content-encoding"] == "snappy")
            // Snappy writes the length, a literal's tag and the literal: field 4 of length 0 for 2.0, nothing for 1.0.
            #expect(request.body == (message == .v2 ? [2, 4, 0x22, 0] : [0]))
        }
        return report
    }

    @Test func `nobody who listens, and a name without an address, are told apart`() throws {
        let port = FixedPorts.pick()
        let refused = ShipperProbe.run(try settings("http://127.0.0.1:\(port)/api/v1/write"))
        #expect(refused.findings.map(\.weight) == [.fault])
        #expect(refused.findings[0].text.hasPrefix("nobody can be reached there. Check that it runs"))
        let unknown = ShipperProbe.run(try settings("http://name.invalid/api/v1/write"))
        #expect(unknown.findings[0].text.hasPrefix("its name has no address. Check GRAFANA_PROM_REMOTE_WRITE_URL"))
        #expect(!refused.isGood && !unknown.isGood)
    }

    @Test func `a clock that is wrong is told with the number and what it costs`() throws {
        let date = ["Date": "Sun, 06 Nov 1994 08:49:37 GMT"]
        let receiver = try ScriptedReceiver(otherwise: Answer(204, headers: date.merging(Self.written) { $1 }))
        let report = ShipperProbe.run(try settings(receiver.url))
        #expect(report.answer == .accepted(status: 204) && !report.isGood)
        let clock = try #require(report.findings.last)
        #expect(clock.text.contains(" d ") && clock.text.contains("ahead of its clock: samples more than 10 min ahead"))
    }

    @Test func `a secret that cannot be read is told, and nothing is sent`() throws {
        let receiver = try ScriptedReceiver()
        let report = ShipperProbe.run(try settings(receiver.url, .auto, .bearer(.file("/nowhere/secret"))))
        #expect(!report.isGood && report.findings[0].text.contains("/nowhere/secret"))
        #expect(receiver.requests.isEmpty)
    }
}
