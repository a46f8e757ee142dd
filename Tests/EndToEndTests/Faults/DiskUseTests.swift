import Platform
import TestSupport
import Testing

/// The disk space that an office day takes.
@Suite struct DiskUseTests {
    @Test func `an office day of 15,000 events fits into 20 MB`() throws {
        let folder = TemporaryFolder()
        let day = try Day("day")
        let exporter = MortalExporter(
            folder, FaultDay.environment(.metadata).merging(["SNAPSHOT_INTERVAL": "1s"]) { $1 })
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.posts.map(\.webhook), to: exporter.webhooks, connections: 16, patience: .untilAnswered(scaledBy: 0.1))
        let state = StateFolder(folder)
        var most = 0
        for share in 1...10 {
            #expect(sender.wait(untilSettled: day.posts.count * share / 10))
            most = max(most, state.size_bytes)
        }
        _ = sender.stop()
        let listing = state.listing
        try exporter.terminate()
        let after = state.size_bytes
        func megabytes(_ size: Int) -> Double { (Double(size) / 10_000).rounded() / 100 }
        print(
            """
            \(day.posts.count) events: at most \(megabytes(most)) MB while they came, \(megabytes(after)) MB after the \
            stop
            """)
        print(listing)
        #expect(StateFolder.size(of: state.journal) > 0, "there is a journal: \(state.listing)")
        #expect(most < 20_000_000)
        #expect(after < 20_000_000)
    }
}
