import HTTPServing
import LiveKit
import Platform
import Status
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// The refused requests, as the status page shows them.
@Suite struct WebhookRejectionsTests {
    private func row(_ reason: String, of fixture: WebhookFixture) throws -> RejectionStatus {
        try #require(fixture.route.rejections.status.first { $0.reason == reason }, "\(reason)")
    }

    @Test func `every reason says what is wrong and what to do, each in its own words`() {
        let all = TokenFault.allCases.map(\.advice) + WebhookRefusal.allCases.map(\.advice)
        #expect(Set(all.map { "\($0.what)" }).count == all.count)
        #expect(all.allSatisfy { !$0.action.isEmpty && !$0.action.contains("\n") })
    }

    @Test func `reasons come with their number, the newest first, and only those that happened`() {
        let time = ShiftedTime(isStanding: true)
        let rejections = WebhookRejections(time: time)
        #expect(rejections.status.isEmpty)
        rejections.note(.unknown_key)
        time.elapse(.seconds(1))
        rejections.note(.invalid_json, detail: "unexpected_end at byte 7")
        time.elapse(.seconds(1))
        rejections.note(.unknown_key)
        let status = rejections.status
        #expect(status.map(\.reason) == ["unknown_key", "invalid_json"])
        #expect(status.map(\.total) == [2, 1])
        #expect(status[0].last == time.now())
        #expect(status[1].last == time.now() - .seconds(1))
        #expect(status[1].detail == "unexpected_end at byte 7")
        #expect(status[0].action.contains("LIVEKIT_API_KEY"))
    }

    @Test func `what is refused over HTTP is there in the words of the log`() throws {
        let fixture = try WebhookFixture(maxBody: .kibibytes(1))
        let client = try fixture.client()
        let body = Array(#"{"event":"room_started","id":"EV_1","room":{"sid":"RM_1","name":"r"}}"#.utf8)
        let token = fixture.signer.webhookToken(for: body.span, at: fixture.now)
        let foreign = TokenSigner(key: WebhookFixture.key, secret: Secret("another-secret-0123456789abcdefghijkl"))
        #expect(
            fixture.post(body, authorization: foreign.webhookToken(for: body.span, at: fixture.now), over: client)?
                .status == 401)
        #expect(fixture.post(Array("{\"event\":".utf8), over: try fixture.client())?.status == 400)
        let long = [UInt8](repeating: UInt8(ascii: " "), count: 2_000)
        #expect(fixture.post(long, over: try fixture.client())?.status == 413)
        let stray = try fixture.client().ask("POST", "/hook%1B", headers: fixture.headers(token), body: body)
        #expect(stray?.status == 404)

        #expect(try row("invalid_json", of: fixture).detail.contains("unexpected_end"))
        #expect(try row("wrong_path", of: fixture).detail == "POST /hook\u{1B}")
        #expect(try row("bad_signature", of: fixture).detail.isEmpty)
        let status = fixture.route.rejections.status
        #expect(Dictionary(uniqueKeysWithValues: status.map { ($0.reason, $0.total) }) == fixture.rejected())
        let lines = try fixture.log().split(separator: "\n").filter { $0.contains(#""level":"warning""#) }
        for one in status {
            let isLogged = lines.contains {
                $0.contains(#""msg":"\#(one.what)""#) && $0.contains(#""action":"\#(one.action)""#)
            }
            #expect(isLogged, "\(one.reason): \(lines)")
        }
        let text = String(decoding: status.flatMap(\.json), as: UTF8.self)
        for secret in [WebhookFixture.key, WebhookFixture.secret, "EV_1", "RM_1", token] {
            #expect(!text.contains(secret))
        }
    }

    @Test func `a request that waits in vain is there as well`() throws {
        let fixture = try WebhookFixture(queue: 1, patience: .milliseconds(1))
        let body = Array(#"{"event":"room_started","id":"EV_1","room":{"sid":"RM_1","name":"r"}}"#.utf8)
        #expect(fixture.post(body, over: try fixture.client())?.status == 200)
        #expect(fixture.post(body, over: try fixture.client())?.status == 503)
        #expect(try row("queue_full", of: fixture).total == 1)
        fixture.intake.close()
        #expect(fixture.post(body, over: try fixture.client())?.status == 503)
        #expect(try row("stopping", of: fixture).total == 1)
        let tables = fixture.intake.tables
        #expect(tables.map(\.name) == ["queue_events", "requests_waiting"])
        #expect(tables[0].entries == 1 && tables[0].max == 1)
    }
}
