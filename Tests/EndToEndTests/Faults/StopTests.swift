import Glibc
import Platform
import TestSupport
import Testing

/// A restart under load, as an upgrade does it, against a sender with LiveKit's own patience.
@Suite(.serialized) struct StopTests {
    @Test func `LiveKit's own retries lose nothing over a restart under load`() throws {
        let folder = TemporaryFolder()
        let day = try Day("day", limit: 12_000)
        let exporter = MortalExporter(folder, FaultDay.environment(.metadata))
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.posts.map(\.letter), to: exporter.webhooks, connections: 8, patience: .liveKit)
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
        #expect(sender.waitUntilAllSettled(within: .seconds(60)))
        let record = sender.stop()
        print("\(record.unanswered) attempts without an answer, the slowest answer took \(record.slowest)")
        #expect(record.lost == 0)
        #expect(record.unanswered > 0, "the restarts came in the middle of it")
        #expect(zip(day.posts, record.outcomes).allSatisfy { $0.status == $1.status })
        // 5 s are promised; a machine that also builds and tests may take longer.
        #expect(figures.allSatisfy { $0 < .seconds(10) })

        var expected = Reduction(region: "here")
        for post in day.posts where !post.isForged { try expected.take(post.body) }
        let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
        try exporter.terminate()
        let rows = try OfficeTables(folder.file("state/office.db")).differences(from: expected)
        #expect(rows.isEmpty, "\(rows.prefix(20).joined(separator: "\n"))")
    }
}
