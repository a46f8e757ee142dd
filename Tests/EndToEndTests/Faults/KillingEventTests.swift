import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// Webhooks of which the program dies, and kills that have nothing to do with any webhook.
@Suite(.serialized) struct KillingEventTests {
    private let folder = TemporaryFolder()

    /// The dead letters, as an operator sees them with the query of the manual.
    private func deadLetters() throws -> [(reason: String, row: [String: Any])] {
        let rows = try ApplicationDatabase(file: folder.file("state/journal.db")).rows(
            "SELECT reason, row FROM set_aside")
        return try rows.map { row in
            let json = try JSONSerialization.jsonObject(with: Data(try #require(row[1]).utf8))
            return (try #require(row[0]), try #require(json as? [String: Any]))
        }
    }

    @Test func `a webhook that kills the program becomes a dead letter alone, and everything else counts`() throws {
        let exporter = MortalExporter(
            folder,
            [
                "ORG_SOURCE": "fixed", "LKPUSH_TRAP_IDENTITY": "the trap",
                // It takes seconds, and signals to all threads.
                "SWIFT_BACKTRACE": "enable=no",
            ])
        try exporter.startAndWait()
        let people = (0..<60).map { number in
            SignedWebhook.make("participant_joined", room: "room \(number)", identity: "person \(number)")
        }
        let trap = SignedWebhook.make("participant_joined", room: "room trap", identity: "the trap")
        // LiveKit repeats what got no answer, so the same event may come again after each death.
        let sender = RetryingSender(
            Array(people[..<30]) + [trap] + Array(people[30...]), to: exporter.webhooks, connections: 4,
            patience: .untilAnswered(scaledBy: 0.01))
        for _ in 0..<3 {
            let status = try exporter.waitForEnd()
            #expect([128 + SIGILL, 128 + SIGTRAP].contains(status))
            try exporter.start()
        }
        try exporter.waitUntilReady()
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        #expect(record.accepted == 61)
        let isCounted = try eventually {
            try exporter.expectAlive()
            return exporter.samples["lk_webhook_events_total{event=\"participant_joined\"}"] == 60
        }
        let samples = exporter.samples
        #expect(isCounted, "\(samples.filter { $0.key.contains("webhook") })")
        #expect(samples["lkpush_events_set_aside_total"] == 1)
        #expect(samples["lkpush_event_deaths_total"] == 1)
        let status = LoopbackClient.get("/debug/status", port: exporter.metrics)?.body ?? ""
        #expect(status.contains("events_set_aside") && status.contains("room trap"), "\(status)")

        // It stays aside after a kill, and the rest is still there.
        try exporter.kill()
        try exporter.startAndWait()
        #expect(exporter.samples["lk_webhook_events_total{event=\"participant_joined\"}"] == 60)
        #expect(exporter.samples["lkpush_events_set_aside_total"] == 0)
        try exporter.terminate()

        let letters = try deadLetters()
        try #require(letters.count == 1, "\(letters)")
        #expect(letters[0].reason == "3 processes died while they applied this event")
        #expect(letters[0].row["type"] as? String == "participant_joined")
        #expect(letters[0].row["room"] as? String == "room trap")
        let lines = exporter.output.split(separator: "\n")
        #expect(lines.count { $0.contains("the process before died while it applied an event") } == 3)
        let errors = lines.filter { $0.contains("\"level\":\"error\"") }
        #expect(errors.count == 1 && errors[0].contains("died of again and again is set aside"), "\(errors)")
    }

    @Test func `twenty kills at random discard nothing`() throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let day = try FaultDay()
        let exporter = MortalExporter(
            folder, FaultDay.environment(.fixed).merging(["QUEUE_SIZE": "10000", "SNAPSHOT_INTERVAL": "50ms"]) { $1 })
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, connections: 8, patience: .untilAnswered(scaledBy: 0.01),
            pace: .milliseconds(5))
        for number in 1...20 {
            // Half of them hit a start, which replays. The others hit a program that works.
            if number % 2 == 0 { try exporter.waitUntilReady() }
            Pause.wait(.microseconds(Int.random(in: 0...150_000, using: &random)))
            try exporter.kill()
            try exporter.start()
        }
        try exporter.waitUntilReady()
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        let expected = try day.reduction(.fixed)
        let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        #expect(differences.isEmpty, "seed \(seed): \(differences.prefix(20))")
        #expect(day.deliveryProblems(record, expected, exporter.samples) == [])
        #expect(exporter.samples["lkpush_events_set_aside_total"] == 0)
        try exporter.terminate()
        #expect(!exporter.output.contains("is set aside: it is not counted"))
        #expect(try deadLetters().isEmpty)
    }
}
