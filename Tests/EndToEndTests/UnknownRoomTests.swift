import Platform
import TestSupport
import Testing

/// An operator finds the rooms that count under `unknown` in the log.
@Suite(.serialized) struct UnknownRoomTests {
    private let folder = TemporaryFolder()

    private func send(_ rooms: [String], to exporter: MortalExporter) throws {
        let webhooks = rooms.map { SignedWebhook.make("participant_joined", room: $0, identity: "Ann Example") }
        let sender = RetryingSender(webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == rooms.count)
    }

    private func told(_ exporter: MortalExporter) -> [Substring] {
        exporter.output.split(separator: "\n").filter { $0.contains(#""reason":"room_not_found""#) }
    }

    @Test func `each room is named once, and no replay names it again`() throws {
        let application = try ApplicationDatabase(.sqlite, in: folder)
        try application.fill(["known room": "org_1"], in: folder)
        let exporter = MortalExporter(
            folder, ["DATABASE_URL": application.url, "ORG_SOURCE": "database", "SNAPSHOT_INTERVAL": "1h"])
        try exporter.startAndWait()
        let long = String(repeating: "long name ", count: 10)
        try send(["lost room", "lost room", long, "lost room"], to: exporter)
        #expect(eventually { told(exporter).count == 2 })
        let lines = told(exporter)
        #expect(lines.allSatisfy { $0.contains(#""level":"warning""#) })
        #expect(lines.contains { $0.contains(#""room":"lost room""#) }, "\(lines)")
        #expect(lines.contains { $0.contains(#""room":"\#(long.prefix(64))""#) }, "\(lines)")

        // When a later row has been written, the journal holds the answers too.
        try send(["known room"], to: exporter)
        #expect(eventually { exporter.samples[#"lkpush_database_rows_total{result="written"}"#] == 1 })
        // All events are replayed. Their rooms were logged before.
        try exporter.kill()
        try exporter.startAndWait()
        #expect(exporter.samples[#"lk_org_lookup_failures_total{reason="room_not_found"}"#] == 4)
        try send(["another room"], to: exporter)
        #expect(eventually { told(exporter).count == 3 })
        #expect(told(exporter).last?.contains(#""room":"another room""#) == true)
        try exporter.terminate()
        for secret in ["Ann", "known room", "metadata"] { #expect(!exporter.output.contains(secret)) }
    }
}
