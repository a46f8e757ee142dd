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
        let recorded = try WebhookStage.recorded()
        #expect(recorded.count == 60)
        let stage = try WebhookStage()
        let client = try stage.client()
        for one in recorded {
            let body = try WebhookStage.body(one.file)
            let reply = stage.post(body, authorization: one.headers["Authorization"], over: client)
            #expect(reply?.status == 200, "\(one.file)")
            #expect(reply?.body == [], "\(one.file)")
        }
        let events = stage.drain()
        #expect(events.map(\.event.id) == recorded.map { $0.id ?? "" })
        #expect(events.allSatisfy { $0.receivedAt == stage.now })
        #expect(stage.rejected().isEmpty)
        #expect(stage.server.figures.connectionsAccepted == 1)
    }

    @Test func `every recorded bad token gets its answer at its clock and is counted once`() throws {
        let (clock, cases) = try WebhookStage.tokenCases()
        #expect(cases.count == 17)
        let reasons = [
            "no_header": "no_token", "wrong_secret": "bad_signature", "unknown_key": "unknown_key",
            "expired": "expired", "nbf_future": "not_yet_valid", "alg_none": "bad_signature",
            "garbage": "malformed_token", "no_sha": "body_hash_mismatch", "sha_hex": "body_hash_mismatch",
            "sha_urlsafe": "body_hash_mismatch", "no_exp": "malformed_token", "hs512": "bad_signature",
            "body_changed": "body_hash_mismatch",
        ]
        for one in cases {
            let stage = try WebhookStage(at: Timestamp(seconds: clock))
            let body = try WebhookStage.body("negative/" + one.body_file)
            let reply = stage.post(body, authorization: one.authorization, over: try stage.client())
            #expect(reply?.status == one.expect, "\(one.name)")
            #expect(stage.drain().count == (one.expect == 200 ? 1 : 0), "\(one.name)")
            #expect(stage.rejected() == (one.expect == 200 ? [:] : [reasons[one.name] ?? "?": 1]), "\(one.name)")
        }
    }

    @Test func `all reasons exist at 0 before anything is refused`() throws {
        let stage = try WebhookStage()
        var page: [UInt8] = []
        Exposition.append(stage.registry, to: &page)
        let text = String(decoding: page, as: UTF8.self)
        for reason in Rejection.allCases.map(\.rawValue) + WebhookRefusal.allCases.map(\.rawValue) {
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
        let stage = try WebhookStage()
        let client = try stage.client()
        for text in bodies {
            #expect(stage.post(Array(text.utf8), over: client)?.status == 400, "\(text.prefix(40))")
        }
        #expect(stage.post([0xFF, 0xFE, 0x80], over: client)?.status == 400)
        #expect(stage.rejected() == ["invalid_json": bodies.count + 1])
        #expect(stage.drain().isEmpty)
        #expect(stage.post(body, over: client)?.status == 200)
    }

    @Test func `an event that lkpush does not know is 200 and queued as other`() throws {
        let stage = try WebhookStage()
        let text = #"{"event":"starship_landed","id":"EV_9","cargo":[{"a":null}],"createdAt":1790000000}"#
        #expect(stage.post(Array(text.utf8), over: try stage.client())?.status == 200)
        #expect(stage.drain().map(\.event.type) == [.other])
    }

    @Test func `wrong method and wrong path`() throws {
        let stage = try WebhookStage()
        let reply = try stage.client().ask("GET", "/webhook")
        #expect(reply?.status == 405)
        #expect(reply?.header("allow") == "POST")
        #expect(try stage.client().ask("POST", "/webhooks", body: [1])?.status == 404)
        #expect(try stage.client().ask("GET", "/metrics")?.status == 404)
        #expect(try stage.client().ask("GET", "/")?.status == 404)
        #expect(stage.rejected().isEmpty)
    }

    @Test func `a body over the limit is 413 and counted, announced or in pieces`() throws {
        let stage = try WebhookStage()
        let large = [UInt8](repeating: 32, count: 5 << 20)
        #expect(stage.post(large, over: try stage.client())?.status == 413)
        let client = try stage.client()
        client.send(RawHTTP.chunkedRequest("POST", "/webhook", pieces: [large]))
        #expect(client.receive()?.status == 413)
        #expect(stage.rejected() == ["body_too_large": 2])
    }

    @Test func `a body of exactly the limit is accepted, one byte more is not`() throws {
        let stage = try WebhookStage(maxBody: ByteCount(1_000))
        let most = body + [UInt8](repeating: 32, count: 1_000 - body.count)
        #expect(stage.post(most, over: try stage.client())?.status == 200)
        #expect(stage.post(most + [32], over: try stage.client())?.status == 413)
    }

    @Test func `a good webhook in pieces is accepted`() throws {
        let stage = try WebhookStage()
        let client = try stage.client()
        let token = stage.signer.webhookToken(for: body.span, at: stage.now)
        let pieces = [Array(body[..<1]), Array(body[1..<20]), Array(body[20...])]
        client.send(RawHTTP.chunkedRequest("POST", "/webhook", headers: stage.headers(token), pieces: pieces))
        #expect(client.receive()?.status == 200)
        #expect(stage.drain().map(\.event.room.sid) == ["RM_1"])
    }

    @Test func `many webhooks in one go are answered in order`() throws {
        let stage = try WebhookStage()
        let client = try stage.client()
        var bytes: [UInt8] = []
        for index in 0..<100 {
            let body = Array(#"{"event":"room_started","id":"EV_\#(index)"}"#.utf8)
            let token = stage.signer.webhookToken(for: body.span, at: stage.now)
            bytes += RawHTTP.request("POST", "/webhook", headers: stage.headers(token), body: body)
        }
        client.send(bytes)
        for _ in 0..<100 { #expect(client.receive()?.status == 200) }
        #expect(stage.drain().map(\.event.id) == (0..<100).map { "EV_\($0)" })
    }

    @Test func `keys can be replaced while it runs`() throws {
        let stage = try WebhookStage()
        stage.route.use(TokenVerifier(keys: ["new": Secret("new-secret")], leeway: .seconds(60)))
        #expect(stage.post(body, over: try stage.client())?.status == 401)
        let signer = TokenSigner(key: "new", secret: Secret("new-secret"))
        let token = signer.webhookToken(for: body.span, at: stage.now)
        #expect(stage.post(body, authorization: token, over: try stage.client())?.status == 200)
        #expect(stage.rejected() == ["unknown_key": 1])
    }

    // MARK: The log

    @Test func `at debug each event is logged with type and id, at info none`() throws {
        let stage = try WebhookStage(level: .debug)
        let client = try stage.client()
        #expect(stage.post(body, over: client)?.status == 200)
        let line = try stage.log()
        #expect(line.contains(#""level":"debug","msg":"webhook","event":"room_started","id":"EV_1"}"#))
        let quiet = try WebhookStage(level: .info)
        #expect(quiet.post(body, over: try quiet.client())?.status == 200)
        #expect(try quiet.log().isEmpty)
    }

    @Test func `a wrong secret is named once, however often it comes`() throws {
        let stage = try WebhookStage(level: .info)
        let signer = TokenSigner(key: WebhookStage.key, secret: Secret("another-secret"))
        for _ in 0..<20 {
            let token = signer.webhookToken(for: body.span, at: stage.now)
            #expect(stage.post(body, authorization: token, over: try stage.client())?.status == 401)
        }
        #expect(stage.post(body, authorization: nil, over: try stage.client())?.status == 401)
        let lines = try stage.log().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.filter { $0.contains(#""reason":"bad_signature""#) && $0.contains("LIVEKIT_API_SECRET") }.count == 1)
        #expect(lines.filter { $0.contains(#""reason":"no_token""#) }.count == 1)
        #expect(stage.rejected() == ["bad_signature": 20, "no_token": 1])
    }

    @Test func `no secret, token or part of a body is in any log line`() throws {
        let stage = try WebhookStage()
        var forbidden = [WebhookStage.secret, WebhookStage.secondSecret, "turnPassword", "metadata", "RM_", "PA_"]
        for one in try WebhookStage.recorded() {
            let body = try WebhookStage.body(one.file)
            let token = one.headers["Authorization"] ?? ""
            forbidden.append(token)
            _ = stage.post(body, authorization: token, over: try stage.client())
            _ = stage.post(body + [32], authorization: token, over: try stage.client())
            _ = stage.post(Array(body.dropLast()), over: try stage.client())
        }
        for one in try WebhookStage.tokenCases().cases {
            _ = stage.post(body, authorization: one.authorization, over: try stage.client())
            if let token = one.authorization, token.count > 10 { forbidden.append(token) }
        }
        let log = try stage.log()
        #expect(log.split(separator: "\n").count > 60)
        for text in forbidden { #expect(!log.contains(text)) }
    }
}
