import HTTPServing
import LiveKit
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

@Suite struct WebhookIntakeTests {
    private func body(_ id: Int) -> [UInt8] { Array(#"{"event":"room_started","id":"EV_\#(id)"}"#.utf8) }

    private func send(_ id: Int, over client: RawHTTP, of fixture: WebhookFixture) {
        let body = body(id)
        let token = fixture.signer.webhookToken(for: body.span, at: fixture.now)
        client.send(RawHTTP.request("POST", "/webhook", headers: fixture.headers(token), body: body))
    }

    /// Waits until `count` requests wait for room.
    private func settle(_ fixture: WebhookFixture, waiting count: Int) -> Bool {
        eventually { fixture.intake.waitingCount == count }
    }

    @Test func `a full queue answers 503 after 500 ms without Retry-After, and counts`() throws {
        let fixture = try WebhookFixture(queue: 2)
        let client = try fixture.client()
        for id in 0..<2 { #expect(fixture.post(body(id), over: client)?.status == 200) }
        let start = SystemTime().monotonic()
        let reply = try #require(fixture.post(body(2), over: client))
        let took = SystemTime().monotonic().since(start)
        #expect(reply.status == 503)
        #expect(reply.header("retry-after") == nil)
        #expect(took >= .milliseconds(500))
        #expect(Promptness.holds(took, within: .seconds(1)))
        #expect(fixture.rejected() == ["queue_full": 1])
        #expect(fixture.drain().map(\.event.id) == ["EV_0", "EV_1"])
        // A refused event is not queued later, when its sender does not know.
        #expect(fixture.drain().isEmpty)
        #expect(fixture.post(body(3), over: client)?.status == 200)
    }

    @Test func `who waits is admitted in order when the recorder drains`() throws {
        let fixture = try WebhookFixture(queue: 2, patience: Waits.limit)
        let first = try fixture.client()
        for id in 0..<2 { #expect(fixture.post(body(id), over: first)?.status == 200) }
        let clients = try (0..<5).map { _ in try fixture.client() }
        for (index, client) in clients.enumerated() {
            send(10 + index, over: client, of: fixture)
            #expect(settle(fixture, waiting: index + 1))
        }
        #expect(fixture.drain().map(\.event.id) == ["EV_0", "EV_1"])
        #expect(clients[0].receive()?.status == 200)
        #expect(clients[1].receive()?.status == 200)
        #expect(fixture.intake.waitingCount == 3)
        #expect(fixture.drain().map(\.event.id) == ["EV_10", "EV_11"])
        #expect(fixture.drain().map(\.event.id) == ["EV_12", "EV_13"])
        #expect(fixture.drain().map(\.event.id) == ["EV_14"])
        for client in clients[2...] { #expect(client.receive()?.status == 200) }
        #expect(fixture.rejected().isEmpty)
    }

    @Test func `nobody overtakes those who wait`() throws {
        let fixture = try WebhookFixture(queue: 1, patience: Waits.limit)
        #expect(fixture.post(body(0), over: try fixture.client())?.status == 200)
        let early = try fixture.client()
        send(1, over: early, of: fixture)
        #expect(settle(fixture, waiting: 1))
        let late = try fixture.client()
        send(2, over: late, of: fixture)
        #expect(settle(fixture, waiting: 2))
        var order: [String] = []
        while order.count < 3 { order += fixture.drain().map(\.event.id) }
        #expect(order == ["EV_0", "EV_1", "EV_2"])
        #expect(early.receive()?.status == 200)
        #expect(late.receive()?.status == 200)
    }

    @Test func `every answer of a queue under pressure says the truth`() throws {
        let fixture = try WebhookFixture(queue: 3, patience: .milliseconds(30))
        let clients = try (0..<20).map { _ in try fixture.client() }
        let drained = Monitor<(ids: [String], isDone: Bool)>(([], false))
        let (inbox, intake) = (fixture.inbox, fixture.intake)
        let recorder = NamedThread(name: "recorder") {
            while true {
                // The recorder is about as slow as the patience of the requests that wait.
                let isDone = drained.wait(until: SystemTime().monotonic() + .milliseconds(15)) {
                    $0.isDone ? true : nil
                }
                let ids = inbox.takeAll(for: intake).map(\.event.id)
                drained.change { $0.ids += ids }
                if isDone == true && ids.isEmpty { return }
            }
        }
        var good: Set<String> = []
        var refused = 0
        for round in 0..<10 {
            for (index, client) in clients.enumerated() { send(round * 100 + index, over: client, of: fixture) }
            for (index, client) in clients.enumerated() {
                switch client.receive()?.status {
                case 200: good.insert("EV_\(round * 100 + index)")
                case 503: refused += 1
                default: Issue.record("no answer")
                }
            }
        }
        drained.change { $0.isDone = true }
        recorder.join()
        let ids = drained.withLock { $0.ids }
        #expect(Set(ids) == good)
        #expect(ids.count == good.count)
        #expect(good.count + refused == 200)
        #expect(fixture.rejected()["queue_full", default: 0] == refused)
    }

    @Test func `a stop answers what was accepted and waits for what waits`() throws {
        // The patience is long enough that the waiting request is seen, and short enough for a test that has to wait
        // for it.
        let fixture = try WebhookFixture(queue: 1, patience: .seconds(5))
        let client = try fixture.client()
        #expect(fixture.post(body(0), over: client)?.status == 200)
        send(1, over: client, of: fixture)
        #expect(settle(fixture, waiting: 1))
        #expect(fixture.server.stop(deadline: Waits.end) == .finished)
        #expect(client.receive()?.status == 503)
        #expect(throws: SystemError.self) { try fixture.client() }
        fixture.intake.close()
        #expect(fixture.drain().map(\.event.id) == ["EV_0"])
        var contents = RecorderInbox.Contents()
        fixture.inbox.take(into: &contents, until: SystemTime().monotonic())
        #expect(contents.isLast)
    }

    @Test func `a closed intake refuses at once, and those who wait too`() throws {
        let fixture = try WebhookFixture(queue: 1, patience: Waits.limit)
        let client = try fixture.client()
        #expect(fixture.post(body(0), over: client)?.status == 200)
        send(1, over: client, of: fixture)
        #expect(settle(fixture, waiting: 1))
        fixture.intake.close()
        #expect(client.receive()?.status == 503)
        #expect(fixture.post(body(2), over: client)?.status == 503)
        #expect(fixture.rejected() == ["queue_full": 1, "stopping": 1])
    }
}
