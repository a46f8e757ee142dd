import Glibc
import Platform
import TestSupport
import Testing

/// A file system across a network that answers no more.
@Suite struct SilentDiskTests {
    @Test func `while nobody is told of the room on the disk, the metrics are served`() throws {
        let folder = TemporaryFolder()
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        let exporter = try RunningExporter(folder, disk.environment)
        let ports = try exporter.ready()
        let client = try LoopbackClient(port: ports.webhooks)
        func post(_ room: String) -> Int? {
            let webhook = SignedWebhook.make("room_started", room: room)
            return client.post("/webhook", ["Authorization": webhook.token], webhook.body)?.status
        }
        #expect(post("before") == 200)
        let size = RunningExporter.metrics(ports.metrics)["lkpush_state_disk_size_bytes"]
        #expect(size.map { $0 > 0 } == true)

        try disk.begin(.silent)
        // The journal's thread asks for the room, and waits: nothing is committed from then on.
        var count = 0
        let isSilent = Waiting.until("the silence") {
            count += 1
            return post("meanwhile-\(count)") == 503
        }
        #expect(isSilent)
        for _ in 0..<3 {
            let metrics = RunningExporter.metrics(ports.metrics)
            #expect(metrics["lkpush_state_disk_size_bytes"] == size)
            #expect(metrics["lkpush_webhook_rejected_total{reason=\"commit_late\"}"].map { $0 > 0 } == true)
        }
        try disk.begin(nil)
        #expect(Waiting.until("the end of the silence") { post("after") == 200 })
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }
}
