import HTTPServing
import LiveKit
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

@Suite struct WebhookIntakeTests {
    private func body(_ id: Int) -> [UInt8] { Array(#"{"event":"room_started","id":"EV_\#(id)"}"#.utf8) }

    private func send(_ id: Int, over client: RawHTTP, of stage: WebhookStage) {
        let body = body(id)
        let token = stage.signer.webhookToken(for: body.span, at: stage.now)
        client.send(RawHTTP.request("POST", "/webhook", headers: stage.headers(token), body: body))
    }

    /// Waits until so many requests wait for room.
    private func settle(_ stage: WebhookStage, waiting count: Int) -> Bool {
        eventually { stage.intake.waitingCount == count }
    }

    @Test func `a full queue answers 503 after 500 ms without Retry-After, and counts`() throws {
        let stage = try WebhookStage(queue: 2)
        let client = try stage.client()
        for id in 0..<2 { #expect(stage.post(body(id), over: client)?.status == 200) }
        let start = SystemTime().monotonic()
        let reply = try #require(stage.post(body(2), over: client))
        let took = SystemTime().monotonic().since(start)
        #expect(reply.status == 503)
        #expect(reply.header("retry-after") == nil)
        #expect(took >= .milliseconds(500))
        #expect(Promptness.holds(took, within: .seconds(1)))
        #expect(stage.rejected() == ["queue_full": 1])
        #expect(stage.drain().map(\.event.id) == ["EV_0", "EV_1"])
        // What was refused is not queued behind the sender's back.
        #expect(stage.drain().isEmpty)
        #expect(stage.post(body(3), over: client)?.status == 200)
    }

    @Test func `who waits is admitted in order when the recorder drains`() throws {
        let stage = try WebhookStage(queue: 2, patience: Waits.limit)
        let first = try stage.client()
        for id in 0..<2 { #expect(stage.post(body(id), over: first)?.status == 200) }
        let clients = try (0..<5).map { _ in try stage.client() }
        for (index, client) in clients.enumerated() {
            send(10 + index, over: client, of: stage)
            #expect(settle(stage, waiting: index + 1))
        }
        #expect(stage.drain().map(\.event.id) == ["EV_0", "EV_1"])
        #expect(clients[0].receive()?.status == 200)
        #expect(clients[1].receive()?.status == 200)
        #expect(stage.intake.waitingCount == 3)
        #expect(stage.drain().map(\.event.id) == ["EV_10", "EV_11"])
        #expect(stage.drain().map(\.event.id) == ["EV_12", "EV_13"])
        #expect(stage.drain().map(\.event.id) == ["EV_14"])
        for client in clients[2...] { #expect(client.receive()?.status == 200) }
        #expect(stage.rejected().isEmpty)
    }

    @Test func `nobody overtakes those who wait`() throws {
        let stage = try WebhookStage(queue: 1, patience: Waits.limit)
        #expect(stage.post(body(0), over: try stage.client())?.status == 200)
        let early = try stage.client()
        send(1, over: early, of: stage)
        #expect(settle(stage, waiting: 1))
        let late = try stage.client()
        send(2, over: late, of: stage)
        #expect(settle(stage, waiting: 2))
        var order: [String] = []
        while order.count < 3 { order += stage.drain().map(\.event.id) }
        #expect(order == ["EV_0", "EV_1", "EV_2"])
        #expect(early.receive()?.status == 200)
        #expect(late.receive()?.status == 200)
    }

    @Test func `every answer of a queue under pressure says the truth`() throws {
        let stage = try WebhookStage(queue: 3, patience: .milliseconds(30))
        let clients = try (0..<20).map { _ in try stage.client() }
        let drained = Monitor<(ids: [String], isDone: Bool)>(([], false))
        let (inbox, intake) = (stage.inbox, stage.intake)
        let recorder = NamedThread(name: "recorder") {
            while true {
                // About as slow as the patience of those who wait.
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
            for (index, client) in clients.enumerated() { send(round * 100 + index, over: client, of: stage) }
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
        #expect(stage.rejected()["queue_full", default: 0] == refused)
    }

    @Test func `a stop answers what was accepted and waits for what waits`() throws {
        // Long enough that somebody sees it wait, and not too long to wait for.
        let stage = try WebhookStage(queue: 1, patience: .seconds(5))
        let client = try stage.client()
        #expect(stage.post(body(0), over: client)?.status == 200)
        send(1, over: client, of: stage)
        #expect(settle(stage, waiting: 1))
        #expect(stage.server.stop(deadline: Waits.end) == .finished)
        #expect(client.receive()?.status == 503)
        #expect(throws: SystemError.self) { try stage.client() }
        stage.intake.close()
        #expect(stage.drain().map(\.event.id) == ["EV_0"])
        var delivery = RecorderInbox.Delivery()
        stage.inbox.take(into: &delivery, until: SystemTime().monotonic())
        #expect(delivery.isLast)
    }

    @Test func `a closed intake refuses at once, and those who wait too`() throws {
        let stage = try WebhookStage(queue: 1, patience: Waits.limit)
        let client = try stage.client()
        #expect(stage.post(body(0), over: client)?.status == 200)
        send(1, over: client, of: stage)
        #expect(settle(stage, waiting: 1))
        stage.intake.close()
        #expect(client.receive()?.status == 503)
        #expect(stage.post(body(2), over: client)?.status == 503)
        #expect(stage.rejected() == ["queue_full": 1, "stopping": 1])
    }
}
