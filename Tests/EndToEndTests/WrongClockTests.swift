import Glibc
import Platform
import TestSupport
import Testing
import Wire

/// A machine whose clock is wrong, by libfaketime. The clocks of its peers are right.
@Suite struct WrongClockTests {
    @Test(.enabled(if: WrongClock.isInstalled, "deploy/packages test: faketime"), arguments: [-3_600, 7_200])
    func `a wrong clock shows against every peer, and is warned of`(ahead: Int) throws {
        let folder = TemporaryFolder()
        let receiver = try ScriptedReceiver(otherwise: .init(headers: ["Date": HTTPDate.text(secondsFromNow: 0)]))
        let exporter = try RunningExporter(
            folder,
            [
                "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "PUSH_INTERVAL": "1s",
                "DATABASE_URL": try PostgresServer.shared().database(), "ORG_SOURCE": "room-name",
                "ORG_ROOM_PATTERN": "(?<org>.*)",
            ].merging(WrongClock.environment(ahead: ahead)) { $1 })
        let ports = try exporter.ready()
        // LiveKit counts a refusal as delivered: the events are lost.
        let webhook = SignedWebhook.make("room_started", room: "one")
        let client = try LoopbackClient(port: ports.webhooks)
        #expect(client.post("/webhook", ["Authorization": webhook.token], webhook.body)?.status == 401)

        var found: [String: Double] = [:]
        let isMeasured = Waiting.until("a measurement of each peer") {
            found = RunningExporter.metrics(ports.metrics).filter { $0.key.hasPrefix("lkpush_clock_skew_seconds") }
            return found.count == 3
        }
        #expect(isMeasured, "\(found)")
        for peer in ["receiver", "database", "livekit"] {
            let skew = try #require(found["lkpush_clock_skew_seconds{against=\"\(peer)\"}"], "\(found)")
            // The receiver's clock stands still, so that this machine's goes ahead of it while the test runs.
            let isRight = Double(ahead) - 2 <= skew && skew < Double(ahead) + (peer == "database" ? 1 : 1_800)
            #expect(isRight, "\(peer): \(skew)")
        }
        let isTold = Waiting.until("a warning about each peer") {
            let lines = exporter.lines.filter { ($0["msg"] as? String)?.hasPrefix("the clock of this machine") == true }
            return Set(lines.compactMap { $0["against"] as? String }) == ["receiver", "database", "livekit"]
        }
        #expect(isTold)
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test(.enabled(if: WrongClock.isInstalled, "deploy/packages test: faketime"))
    func `a clock that is set three days ahead and back ends no room, and a stay lasts as long as it did`() throws {
        let folder = TemporaryFolder()
        let clock = folder.file("clock")
        try WrongClock.set(clock, ahead: 0)
        // Each of these times is over if the receipts follow the wall clock.
        let exporter = try RunningExporter(
            folder,
            [
                "ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "(?<org>.*)", "STATE_MAX_SILENCE": "24h",
                "SERIES_TTL": "24h",
            ].merging(WrongClock.environment(setBy: clock)) { $1 })
        let ports = try exporter.ready()
        let client = try LoopbackClient(port: ports.webhooks)
        func send(_ event: String, by identity: String? = nil) {
            let webhook = SignedWebhook.make(event, room: "one", identity: identity)
            #expect(client.post("/webhook", ["Authorization": webhook.token], webhook.body)?.status == 200)
        }
        func sums() -> [String: Double] { KeptState.Truth.sums(RunningExporter.metrics(ports.metrics)) }
        func grows(beyond seconds: Double) -> Bool {
            Waiting.until("usage beyond \(seconds) s") { sums()["lk_connection_seconds_total", default: 0] > seconds }
        }
        send("room_started")
        send("participant_joined", by: "ann")
        #expect(grows(beyond: 0))
        let before = sums()["lk_connection_seconds_total", default: 0]
        try WrongClock.set(clock, ahead: 3 * 86_400)
        #expect(grows(beyond: before + 2))
        let meanwhile = sums()
        #expect(meanwhile["lk_room_active"] == 1)
        #expect(meanwhile["lk_connections_active"] == 1)
        #expect(meanwhile["lk_connection_seconds_total", default: .infinity] < 86_400)
        try WrongClock.set(clock, ahead: 0)
        #expect(grows(beyond: meanwhile["lk_connection_seconds_total", default: 0]))
        send("participant_left", by: "ann")
        send("room_finished")
        #expect(Waiting.until("the end") { sums()["lk_participant_lifetime_seconds_count"] == 1 })
        let after = sums()
        #expect(after["lk_connections_active"] == 0)
        #expect(after["lk_participant_lifetime_seconds_sum", default: .infinity] < 86_400)
        #expect(after["lk_webhook_delivery_lag_seconds_sum", default: .infinity] < 86_400)
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }
}
