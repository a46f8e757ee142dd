import Pipeline
import Exporter
import HTTPServing
import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// Webhooks of LiveKit that go elsewhere than to `POST /webhook`.
@Suite struct WebhookStrayTests {
    private let body = Array(#"{"event":"room_started","id":"EV_1","room":{"sid":"RM_1","name":"r"}}"#.utf8)

    private func token(_ fixture: WebhookFixture) -> String {
        fixture.signer.webhookToken(for: body.span, at: fixture.now)
    }

    private func ask(
        _ method: String, _ path: String, _ authorization: String?, _ fixture: WebhookFixture
    ) throws -> RawHTTP.Reply? {
        let body = method == "GET" || method == "HEAD" ? nil : body
        return try fixture.client().ask(method, path, headers: fixture.headers(authorization), body: body)
    }

    private func lines(_ fixture: WebhookFixture) throws -> [Substring] {
        try fixture.log().split(separator: "\n").filter { $0.contains(#""level":"warning""#) }
    }

    @Test(arguments: [
        "/webhook/", "//webhook", "///webhook//", "/%77ebhook", "/webhook%2F", "/webhook?key=x",
        "http://lkpush.example/webhook/",
    ])
    func `other spellings of the path are the path`(_ path: String) throws {
        let fixture = try WebhookFixture()
        #expect(try ask("POST", path, token(fixture), fixture)?.status == 200)
        #expect(fixture.drain().count == 1)
        #expect(fixture.rejected().isEmpty)
    }

    @Test(arguments: [
        "/", "/livekit/webhook", "/webhooks", "/webhook/livekit", "/Webhook", "/./webhook", "/healthz/x",
        "/livekit%2Fwebhook", "/metrics", "http://lkpush.example/hooks/",
    ])
    func `a signed webhook at another path is counted, warned about and answered 404`(_ path: String) throws {
        let fixture = try WebhookFixture()
        #expect(try ask("POST", path, token(fixture), fixture)?.status == 404)
        #expect(try ask("POST", path, "Bearer " + token(fixture), fixture)?.status == 404)
        #expect(fixture.rejected() == ["wrong_path": 2])
        #expect(fixture.drain().isEmpty)
        let lines = try lines(fixture)
        #expect(lines.count == 1, "throttled: \(lines)")
        for word in ["delivered", "/webhook", #""reason":"wrong_path""#, #""method":"POST""#] {
            #expect(lines.first?.contains(word) == true, "\(lines)")
        }
    }

    @Test func `a signed webhook for a probe's path is one too`() throws {
        let fixture = try WebhookFixture()
        let reply = try ask("POST", "/healthz/", token(fixture), fixture)
        #expect(reply?.status == 405 && reply?.header("allow") == "GET, HEAD")
        #expect(fixture.rejected() == ["wrong_path": 1])
        #expect(try fixture.client().ask("GET", "//healthz/")?.status == 200)
        #expect(try fixture.client().ask("GET", "/readyz/")?.status == 503)
        #expect(fixture.rejected() == ["wrong_path": 1])
    }

    @Test(arguments: ["GET", "PUT", "HEAD", "PATCH"])
    func `a signed webhook with another method is counted, and 405 as ever`(_ method: String) throws {
        let fixture = try WebhookFixture()
        // A redirect turns a POST into a GET and keeps its token.
        let client = try fixture.client()
        client.expectsNoBody = method == "HEAD"
        let reply = client.ask(method, "/webhook/", headers: fixture.headers(token(fixture)))
        #expect(reply?.status == 405)
        #expect(reply?.header("allow") == "POST")
        #expect(fixture.rejected() == ["wrong_method": 1])
        let lines = try lines(fixture)
        #expect(lines.count == 1 && lines.first?.contains("redirect") == true, "\(lines)")
    }

    @Test func `a signed webhook at the private listener is counted and told as that`() throws {
        let fixture = try WebhookFixture()
        let server = try Server(
            listen: ListenAddress("127.0.0.1:0"),
            routes: Routes.private(registry: fixture.registry, readiness: fixture.readiness).map(\.route),
            onStray: fixture.route.strays(on: .private))
        let client = try RawHTTP(port: server.address.port)
        #expect(client.ask("POST", "/webhook", headers: fixture.headers(token(fixture)), body: body)?.status == 404)
        #expect(fixture.rejected() == ["wrong_path": 1])
        #expect(try lines(fixture).first?.contains("METRICS_LISTEN") == true)
        for path in ["/metrics/", "//metrics", "//healthz"] {
            #expect(try RawHTTP(port: server.address.port).ask("GET", path)?.status == 200, "\(path)")
        }
        server.stop(deadline: SystemTime().monotonic())
    }

    @Test func `strangers count and warn nowhere, whatever they send`() throws {
        let fixture = try WebhookFixture()
        let (clock, cases) = try WebhookFixture.tokenCases()
        let later = try WebhookFixture(at: Timestamp(seconds: clock))
        var sent = 0
        // The body is not read, so a request whose only fault is its body has a good token here.
        let bodies: Set = ["sha_hex", "sha_urlsafe", "body_changed"]
        for one in cases where one.expect != 200 && !bodies.contains(one.name) {
            for (method, path) in [("POST", "/livekit/webhook"), ("GET", "/webhook"), ("PUT", "/webhook")] {
                let status = try ask(method, path, one.authorization, later)?.status
                #expect(status == (path == "/webhook" ? 405 : 404), "\(one.name)")
                sent += 1
            }
        }
        #expect(sent >= 30)
        #expect(later.rejected().isEmpty)
        #expect(try later.log().isEmpty)
        // Everybody in a room has a token that is signed with the key. It is not the token of a webhook.
        let guest = fixture.signer.roomAdminToken(for: "r", at: fixture.now, lifetime: .seconds(60))
        #expect(try ask("POST", "/livekit/webhook", guest, fixture)?.status == 404)
        #expect(try ask("GET", "/webhook", guest, fixture)?.status == 405)
        #expect(fixture.rejected().isEmpty)
        #expect(try fixture.log().isEmpty)
    }

    @Test func `the path in the log is cut and spelled out, and what is behind it masked`() throws {
        let cases: [(sent: String, shown: String)] = [
            ("/a?token=hunter2", "/a"), ("/a%3Ftoken=hunter2", "/a?••••"), ("/a%23hunter2", "/a?••••"),
            ("/a%0Ab%22", #"/a\nb\""#), ("/a%1B%5B31m", #"/a\u001b[31m"#), ("/%C2%9B31m", #"/\\u{9B}31m"#),
            ("/%E2%80%AEx", #"/\\u{202E}x"#), ("/%FF", "/\u{FFFD}"), ("http://me:hunter2@any.host/a", "/a"),
            ("/" + String(repeating: "x", count: 5_000), "/" + String(repeating: "x", count: 99)),
            ("/" + String(repeating: "%C3%A4", count: 1_000), "/" + String(repeating: "ä", count: 99)),
        ]
        for (sent, shown) in cases {
            let fixture = try WebhookFixture()
            #expect(try ask("POST", sent, token(fixture), fixture)?.status == 404)
            let log = try fixture.log()
            #expect(log.contains(#""path":"\#(shown)""#), "\(sent): \(log)")
            #expect(!log.contains("hunter2"))
            #expect(log.split(separator: "\n").count == 1)
        }
    }
}
