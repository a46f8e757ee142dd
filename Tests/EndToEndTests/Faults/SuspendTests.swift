import Glibc
import TestSupport
import Testing

/// The built program on a machine that was suspended: the clock of its deadlines and that of the C library's waits differ.
@Suite struct SuspendTests {
    @Test(.enabled(if: SuspendedMachine.isAllowed, "a time namespace needs root"))
    func `a machine that was suspended for a day keeps its schedule`() throws {
        try SuspendedMachine.run {
            let folder = TemporaryFolder()
            let receiver = try ScriptedReceiver()
            let exporter = try RunningExporter(
                folder,
                [
                    "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "PUSH_INTERVAL": "100ms",
                    "IDLE_PUSH_INTERVAL": "100ms", "ACTIVITY_REFRESH": "1s", "SNAPSHOT_INTERVAL": "1s",
                ])
            let ports = try exporter.ready()
            // Each is made by another thread, after a wait with a deadline.
            #expect(Waiting.until("pushes") { receiver.requests.count >= 20 })
            let room = "0f0e0d0c-0b0a-4908-8706-050403020100"
            let letter = SignedWebhook.make("participant_joined", room: room, identity: "one")
            let sender = RetryingSender([letter], to: ports.webhooks, patience: .untilAnswered(scaledBy: 1))
            #expect(sender.waitUntilAllSettled())
            #expect(sender.stop().accepted == 1)
            #expect(exporter.process.end(with: SIGTERM) == 0, "\(exporter.output.suffix(2_000))")
        }
    }
}
