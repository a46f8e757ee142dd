import HTTPServing
import LiveKit
import Metrics
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

@Suite struct WebhookRouteTests {
    private let started =
        #"{"event":"room_started","id":"EV_1","createdAt":"1790000000","room":{"sid":"RM_1","name":"r"}}"#

    private var body: [UInt8] { Array(started.utf8) }

    @Test func `every recorded webhook is answered 200 and queued in order`() throws {
        let recorded = try WebhookFixture.recorded()
        #expect(recorded.count == 66)
        let fixture = try WebhookFixture()
        let client = try fixture.client()
        for one in recorded {
            let body = try WebhookFixture.body(one.file)
            let reply = fixture.post(body, authorization: one.headers["Authorization"], over: client)
            #expect(reply?.status == 200, "\(one.file)")
            #expect(reply?.body == [], "\(one.file)")
        }
        let events = fixture.drain()
        #expect(events.map(\.event.id) == recorded.map { $0.id ?? "" })
        #expect(events.allSatisfy { $0.receivedAt == fixture.now })
        #expect(fixture.rejected().isEmpty)
        #expect(fixture.server.statistics.connectionsAccepted == 1)
    }

    @Test func `every recorded bad token gets its answer at its clock and is counted once`() throws {
        let (clock, cases) = try WebhookFixture.tokenCases()
        #expect(cases.count == 17)
        let reasons = [
            "no_header": "no_token", "wrong_secret": "bad_signature", "unknown_key": "unknown_key",
            "expired": "expired", "nbf_future": "not_yet_valid", "alg_none": "bad_signature",
            "garbage": "malformed_token", "no_sha": "body_hash_mismatch", "sha_hex": "body_hash_mismatch",
            "sha_urlsafe": "body_hash_mismatch", "no_exp": "malformed_token", "hs512": "bad_signature",
            "body_changed": "body_hash_mismatch",
        ]
        for one in cases {
            let fixture = try WebhookFixture(at: Timestamp(seconds: clock))
            let body = try WebhookFixture.body("negative/" + one.body_file)
            let reply = fixture.post(body, authorization: one.authorization, over: try fixture.client())
            #expect(reply?.status == one.expect, "\(one.name)")
            #expect(fixture.drain().count == (one.expect == 200 ? 1 : 0), "\(one.name)")
            #expect(fixture.rejected() == (one.expect == 200 ? [:] : [reasons[one.name] ?? "?": 1]), "\(one.name)")
        }
    }

    @Test func `all reasons exist at 0 before anything is refused`() throws {
        let fixture = try WebhookFixture()
        var page: [UInt8] = []
        Exposition.append(fixture.registry, to: &page)
        let text = String(decoding: page, as: UTF8.self)
        for reason in TokenFault.allCases.map(\.rawValue) + WebhookRefusal.allCases.map(\.rawValue) {
            #expect(text.contains("lkpush_webhook_rejected_total{reason=\"\(reason)\"} 0\n"))
        }
    }

    @Test func `signed bytes that are no webhook are 400`() throws {
        let bodies = [
            "", "{", "[]", "null", "nonsense", #"{"event":"room_started""#, #"{"event":"room_started"}x"#,
            String(repeating: "[", count: 100_000),
            #"{"event":"room_started","x":"# + String(repeating: "[", count: 100_000) + "}",
            String(repeating: #"{"a":"#, count: 100_000), "\u{0}", #"{"event":"room_started","createdAt":{}}"#,
        ]
        let fixture = try WebhookFixture()
        let client = try fixture.client()
        for text in bodies {
            #expect(fixture.post(Array(text.utf8), over: client)?.status == 400, "\(text.prefix(40))")
        }
        #expect(fixture.post([0xFF, 0xFE, 0x80], over: client)?.status == 400)
        #expect(fixture.rejected() == ["invalid_json": bodies.count + 1])
        #expect(fixture.drain().isEmpty)
        #expect(fixture.post(body, over: client)?.status == 200)
    }

    @Test func `an event that lkpush does not know is 200 and queued as other`() throws {
        let fixture = try WebhookFixture()
        let text = #"{"event":"starship_landed","id":"EV_9","cargo":[{"a":null}],"createdAt":1790000000}"#
        #expect(fixture.post(Array(text.utf8), over: try fixture.client())?.status == 200)
        #expect(fixture.drain().map(\.event.type) == [.other])
    }

    @Test func `wrong method and wrong path`() throws {
        let fixture = try WebhookFixture()
        let reply = try fixture.client().ask("GET", "/webhook")
        #expect(reply?.status == 405)
        #expect(reply?.header("allow") == "POST")
        #expect(try fixture.client().ask("POST", "/webhooks", body: [1])?.status == 404)
        #expect(try fixture.client().ask("GET", "/metrics")?.status == 404)
        #expect(try fixture.client().ask("GET", "/")?.status == 404)
        #expect(fixture.rejected().isEmpty)
    }

    @Test func `a body over the limit is 413 and counted, announced or in pieces`() throws {
        let fixture = try WebhookFixture()
        let large = [UInt8](repeating: 32, count: 5 << 20)
        #expect(fixture.post(large, over: try fixture.client())?.status == 413)
        let client = try fixture.client()
        client.send(RawHTTP.chunkedRequest("POST", "/webhook", pieces: [large]))
        #expect(client.receive()?.status == 413)
        #expect(fixture.rejected() == ["body_too_large": 2])
    }

    @Test func `a body of exactly the limit is accepted, one byte more is not`() throws {
        let fixture = try WebhookFixture(maxBody: ByteCount(1_000))
        let most = body + [UInt8](repeating: 32, count: 1_000 - body.count)
        #expect(fixture.post(most, over: try fixture.client())?.status == 200)
        #expect(fixture.post(most + [32], over: try fixture.client())?.status == 413)
    }

    @Test func `a good webhook in pieces is accepted`() throws {
        let fixture = try WebhookFixture()
        let client = try fixture.client()
        let token = fixture.signer.webhookToken(for: body.span, at: fixture.now)
        let pieces = [Array(body[..<1]), Array(body[1..<20]), Array(body[20...])]
        client.send(RawHTTP.chunkedRequest("POST", "/webhook", headers: fixture.headers(token), pieces: pieces))
        #expect(client.receive()?.status == 200)
        #expect(fixture.drain().map(\.event.room.sid) == ["RM_1"])
    }

    @Test func `many webhooks in one go are answered in order`() throws {
        let fixture = try WebhookFixture()
        let client = try fixture.client()
        var bytes: [UInt8] = []
        for index in 0..<100 {
            let body = Array(#"{"event":"room_started","id":"EV_\#(index)"}"#.utf8)
            let token = fixture.signer.webhookToken(for: body.span, at: fixture.now)
            bytes += RawHTTP.request("POST", "/webhook", headers: fixture.headers(token), body: body)
        }
        client.send(bytes)
        for _ in 0..<100 { #expect(client.receive()?.status == 200) }
        #expect(fixture.drain().map(\.event.id) == (0..<100).map { "EV_\($0)" })
    }

    @Test func `keys can be replaced while it runs`() throws {
        let fixture = try WebhookFixture()
        fixture.route.use(TokenVerifier(keys: ["new": Secret("new-secret")], leeway: .seconds(60)))
        #expect(fixture.post(body, over: try fixture.client())?.status == 401)
        let signer = TokenSigner(key: "new", secret: Secret("new-secret"))
        let token = signer.webhookToken(for: body.span, at: fixture.now)
        #expect(fixture.post(body, authorization: token, over: try fixture.client())?.status == 200)
        #expect(fixture.rejected() == ["unknown_key": 1])
    }

    // MARK: The log

    @Test func `at debug each event is logged with type and id, at info none`() throws {
        let fixture = try WebhookFixture(level: .debug)
        let client = try fixture.client()
        #expect(fixture.post(body, over: client)?.status == 200)
        let line = try fixture.log()
        #expect(line.contains(#""level":"debug","msg":"webhook","event":"room_started","id":"EV_1"}"#))
        let quiet = try WebhookFixture(level: .info)
        #expect(quiet.post(body, over: try quiet.client())?.status == 200)
        #expect(try quiet.log().isEmpty)
    }

    @Test func `a wrong secret is named once, however often it comes`() throws {
        let fixture = try WebhookFixture(level: .info)
        let signer = TokenSigner(key: WebhookFixture.key, secret: Secret("another-secret"))
        for _ in 0..<20 {
            let token = signer.webhookToken(for: body.span, at: fixture.now)
            #expect(fixture.post(body, authorization: token, over: try fixture.client())?.status == 401)
        }
        #expect(fixture.post(body, authorization: nil, over: try fixture.client())?.status == 401)
        let lines = try fixture.log().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.filter { $0.contains(#""reason":"bad_signature""#) && $0.contains("LIVEKIT_API_SECRET") }.count == 1)
        #expect(lines.filter { $0.contains(#""reason":"no_token""#) }.count == 1)
        #expect(fixture.rejected() == ["bad_signature": 20, "no_token": 1])
    }

    @Test func `no secret, token or part of a body is in any log line`() throws {
        let fixture = try WebhookFixture()
        var forbidden = [WebhookFixture.secret, WebhookFixture.secondSecret, "turnPassword", "metadata", "RM_", "PA_"]
        for one in try WebhookFixture.recorded() {
            let body = try WebhookFixture.body(one.file)
            let token = one.headers["Authorization"] ?? ""
            forbidden.append(token)
            _ = fixture.post(body, authorization: token, over: try fixture.client())
            _ = fixture.post(body + [32], authorization: token, over: try fixture.client())
            _ = fixture.post(Array(body.dropLast()), over: try fixture.client())
        }
        for one in try WebhookFixture.tokenCases().cases {
            _ = fixture.post(body, authorization: one.authorization, over: try fixture.client())
            if let token = one.authorization, token.count > 10 { forbidden.append(token) }
        }
        let log = try fixture.log()
        #expect(log.split(separator: "\n").count > 60)
        for text in forbidden { #expect(!log.contains(text)) }
    }
}
