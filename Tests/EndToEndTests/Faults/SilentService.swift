import Platform
import TestSupport
import Testing

/// The built program on known ports, for tests in which its log cannot report them.
struct SilentService {
    let webhooks = FixedPorts.pick()
    let metrics = FixedPorts.pick()
    private let folder: TemporaryFolder

    init(_ folder: TemporaryFolder) { self.folder = folder }

    func environment(_ more: [String: String] = [:]) -> [String: String] {
        BuiltProgram.environment(folder).merging([
            "LISTEN": "127.0.0.1:\(webhooks)", "METRICS_LISTEN": "127.0.0.1:\(metrics)",
            // Only a stop that waits for a reader needs this long.
            "SHUTDOWN_TIMEOUT": "60s",
        ]) { $1 }.merging(more) { $1 }
    }

    func waitUntilReady(_ process: ChildProcess) throws {
        let isReady = Waiting.until("readiness") {
            process.poll() != nil || LoopbackClient.get("/readyz", port: metrics)?.status == 200
        }
        try #require(isReady && process.poll() == nil)
    }

    /// Sends signed webhooks, each of which is a line at the level `debug`, and then some with a bad token.
    func sendWebhooks(_ count: Int) throws {
        let letters = (0..<count).map { number in
            let room = "0f0e0d0c-0b0a-4908-8706-050403020100"
            return SignedWebhook.make("participant_joined", room: room, identity: "\(number)")
        }
        let sender = RetryingSender(letters, to: webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == count)
        for token in ["", "nonsense", "a.b.c"] {
            let client = try LoopbackClient(port: webhooks)
            #expect(client.post("/webhook", ["Authorization": token], Array("{}".utf8))?.status == 401)
        }
        #expect(LoopbackClient.get("/healthz", port: webhooks)?.status == 200)
        #expect(LoopbackClient.get("/healthz", port: metrics)?.status == 200)
    }

    /// The number of log lines that were dropped.
    var dropped: Double { RunningExporter.metrics(metrics)["lkpush_log_lines_dropped_total"] ?? -1 }
}
