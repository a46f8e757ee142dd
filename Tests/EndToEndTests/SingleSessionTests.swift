import Glibc
import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// The built program and a stand-in for LiveKit: signed webhooks come in, and a signed call goes out.
@Suite struct SingleSessionTests {
    private static let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(BuiltProgram.secret))

    /// Posts a `participant_joined` of now. Its join time is this many milliseconds ago.
    private func join(
        _ room: String, sid: String, identity: String, ago_ms: Int64, age_s: Int64 = 0, to client: LoopbackClient
    ) -> Int? {
        let now = SystemTime().now()
        let body = Array(
            """
            {"event":"participant_joined","room":{"sid":"RM_\(room)","name":"\(room)"},"participant":{"sid":"\(sid)",\
            "identity":"\(identity)","joinedAtMs":"\(now.milliseconds - ago_ms)"},"id":"EV_\(sid)",\
            "createdAt":"\(now.milliseconds / 1_000 - age_s)"}
            """.utf8)
        let token = Self.signer.webhookToken(for: body.span, at: now)
        return client.post("/webhook", ["Authorization": token], body)?.status
    }

    @Test func `who joins a second room is removed from the first one, exactly once`() throws {
        let folder = TemporaryFolder()
        let liveKit = try ScriptedReceiver(script: [.twirp(503, "unavailable")], otherwise: .done)
        let exporter = try RunningExporter(
            folder, ["SINGLE_SESSION": "true", "LIVEKIT_URL": "ws://127.0.0.1:\(liveKit.port)/"])
        let ports = try exporter.ready()
        let client = try LoopbackClient(port: ports.webhooks)
        let result = #"lkpush_sessions_replaced_total{result="removed"}"#
        #expect(RunningExporter.metrics(ports.metrics)[result] == 0)

        #expect(join("red-room", sid: "PA_1", identity: "ann", ago_ms: 5_000, to: client) == 200)
        #expect(join("blue-room", sid: "PA_2", identity: "ann", ago_ms: 500, to: client) == 200)
        // These are a repeated event, another person, and an event that is too old.
        #expect(join("blue-room", sid: "PA_2", identity: "ann", ago_ms: 500, to: client) == 200)
        #expect(join("blue-room", sid: "PA_3", identity: "bob", ago_ms: 500, to: client) == 200)
        #expect(join("red-room", sid: "PA_4", identity: "bob", ago_ms: 100, age_s: 70, to: client) == 200)
        #expect(Waiting.until("the removal") { RunningExporter.metrics(ports.metrics)[result] == 1 })

        #expect(exporter.process.end(with: SIGTERM) == 0)
        // The first request failed, and the second one removed the session.
        #expect(liveKit.requests.count == 2)
        for request in liveKit.requests {
            let call = RoomServiceCall(request, key: BuiltProgram.key, secret: BuiltProgram.secret)
            #expect(call.faults == [])
            #expect(call.room == "red-room" && call.identity == "ann")
        }
        for word in ["red-room", "blue-room", "\"ann\"", BuiltProgram.secret, "Bearer"] {
            #expect(!exporter.output.contains(word), "\(word) was logged")
        }
    }

    @Test func `a LiveKit that hangs delays neither webhooks nor the stop`() throws {
        let folder = TemporaryFolder()
        let liveKit = try ScriptedReceiver(otherwise: .hang)
        let exporter = try RunningExporter(
            folder,
            [
                "SINGLE_SESSION": "true", "LIVEKIT_URL": "http://127.0.0.1:\(liveKit.port)",
            ])
        let ports = try exporter.ready()
        let client = try LoopbackClient(port: ports.webhooks)
        for number in 0..<40 {
            let status = join(
                "room-\(number)", sid: "PA_\(number)", identity: "ann", ago_ms: 5_000 - Int64(number), to: client)
            #expect(status == 200)
        }
        #expect(liveKit.wait { $0.count >= 1 })
        let counted = Waiting.until("all joins") {
            let samples = RunningExporter.metrics(ports.metrics).filter {
                $0.key.hasPrefix("lk_participant_sessions_total")
            }
            return samples.values.reduce(0, +) == 40
        }
        #expect(counted)
        let start = SystemTime().monotonic()
        #expect(exporter.process.end(with: SIGTERM) == 0)
        // If the stop had waited for LiveKit, that would have taken the enforcer's share of `SHUTDOWN_TIMEOUT`.
        #expect(SystemTime().monotonic().since(start) < Waits.limit / 3)
        #expect(Promptness.holds(since: start, within: .seconds(9)))
    }
}
