import Glibc
import Platform
import TestSupport
import Testing

/// A restart under load, as in an upgrade, with a sender that gives up as LiveKit does.
@Suite(.serialized) struct StopTests {
    /// LiveKit waits 15 s in all, which is three times as long as a restart may take. On a busy machine both take
    /// longer.
    private static let patience: RetryingSender.Patience =
        Promptness.isChecked ? .liveKit : .liveKit(scaledBy: 10)

    @Test func `LiveKit's own retries lose nothing over a restart under load`() throws {
        let folder = TemporaryFolder()
        let day = try Day("day", limit: 12_000)
        let exporter = MortalExporter(folder, FaultDay.environment(.metadata))
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.posts.map(\.webhook), to: exporter.webhooks, connections: 8, patience: Self.patience)
        let time = SystemTime()
        var figures: [Duration] = []
        for share in 1...2 {
            #expect(sender.wait(untilSettled: day.posts.count * share / 4))
            let begun = time.monotonic()
            try exporter.terminate()
            let stopped = time.monotonic()
            try exporter.startAndWait()
            let ready = time.monotonic()
            figures.append(ready.since(begun))
            print(
                """
                SIGTERM to ready again after \(sender.record.settled) posts: \(ready.since(begun)), of which stopping \
                took \(stopped.since(begun))
                """)
        }
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        print("\(record.unanswered) attempts without an answer, the slowest answer took \(record.slowest)")
        #expect(record.lost == 0)
        #expect(record.unanswered > 0, "the restarts came in the middle of it")
        #expect(zip(day.posts, record.outcomes).allSatisfy { $0.status == $1.status })
        #expect(figures.allSatisfy { Promptness.holds($0, within: .seconds(5)) })

        var expected = Reduction(region: "here")
        for post in day.posts where !post.isForged { try expected.take(post.body) }
        let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
        try exporter.terminate()
        let rows = try ApplicationTables(folder.file("state/office.db")).differences(from: expected)
        #expect(rows.isEmpty, "\(rows.prefix(20).joined(separator: "\n"))")
    }
}
