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
}
