import Glibc
import Platform
import TestSupport
import Testing

/// Runs that follow each other on one state: after a stop in good order, after a kill, and two at once.
@Suite(.serialized) struct TakeoverTests {
    private static let settings = FaultDay.environment(.metadata).merging(["SNAPSHOT_INTERVAL": "50ms"]) { $1 }

    private func send(_ posts: ArraySlice<Day.Post>, to exporter: MortalExporter) throws {
        let sender = RetryingSender(
            posts.map(\.webhook), to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        let isDone = sender.waitUntilAllSettled()
        exporter.note(sender.stop(), of: posts)
        try #require(isDone)
    }

    private func expect(
        _ expected: Reduction, at exporter: MortalExporter, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let differences = try exporter.differences(from: expected.all)
        #expect(
            differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))", sourceLocation: sourceLocation)
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `a second process waits for the lock, says so, and takes over`(signal: Int32) throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let first = MortalExporter(folder, name: "first", Self.settings)
        let second = MortalExporter(folder, name: "second", Self.settings)
        try first.startAndWait()
        try second.start()
        let isWaiting = try eventually {
            try second.expectAlive()
            return second.readiness.hasPrefix("503") && second.readiness.contains("lock")
        }
        #expect(isWaiting, "\(second.readiness)")
        // The log has a thread of its own.
        #expect(eventually { second.output.contains("another process has STATE_DIR") }, "the log names it too")
        #expect(LoopbackClient.get("/healthz", port: second.metrics)?.status == 200, "it is alive")

        try send(day.posts.prefix(200), to: first)
        if signal == SIGKILL { try first.kill() } else { try first.terminate() }
        try second.waitUntilReady()
        try expect(try day.reduction(.metadata, 200), at: second)
        try send(day.posts.dropFirst(200), to: second)
        try expect(try day.reduction(.metadata), at: second)
        try second.terminate()
    }

    @Test func `while the first one lives, the second one takes no webhook and touches nothing`() throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let first = MortalExporter(folder, name: "first", Self.settings)
        let second = MortalExporter(folder, name: "second", Self.settings)
        try first.startAndWait()
        try second.start()
        let isWaiting = try eventually {
            try second.expectAlive()
            return second.readiness.hasPrefix("503")
        }
        #expect(isWaiting)
        let post = day.posts[0]
        let status = try? LoopbackClient(port: second.webhooks).post(
            "/webhook", ["Authorization": post.token], post.body)?.status
        #expect(status == nil || status == 503, "LiveKit will try again, here or there")
        // Ending the process that waits does not affect the one that works.
        try second.terminate()
        try send(day.posts[...], to: first)
        try expect(try day.reduction(.metadata), at: first)
        try first.terminate()
    }

    @Test(arguments: ["commit", "memory"])
    func `a restart in good order forgets nothing`(durability: String) throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let exporter = MortalExporter(folder, Self.settings.merging(["DURABILITY": durability]) { $1 })
        try exporter.startAndWait()
        for (from, to) in zip([0, 150, 400], [150, 400, day.posts.count]) {
            try send(day.posts[from..<to], to: exporter)
            try expect(try day.reduction(.metadata, to), at: exporter)
            try exporter.terminate()
            try exporter.startAndWait()
            try expect(try day.reduction(.metadata, to), at: exporter)
        }
        // A duplicate from before the restart is still a duplicate after it.
        let last = day.posts.last { !$0.isForged }
        let again = try #require(last)
        try send([again], to: exporter)
        var expected = try day.reduction(.metadata)
        try expected.take(again.body)
        try expect(expected, at: exporter)
        try exporter.terminate()
        let tables = try ApplicationTables(folder.file("state/office.db"))
        #expect(try tables.differences(from: expected) == [])
    }

    @Test func `with DURABILITY=memory a kill starts the counters at 0 and keeps what was open`() throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let exporter = MortalExporter(folder, Self.settings.merging(["DURABILITY": "memory"]) { $1 })
        try exporter.startAndWait()
        try send(day.posts[...], to: exporter)
        let expected = try day.reduction(.metadata)
        try expect(expected, at: exporter)
        // The newest snapshots hold the current state.
        let state = StateFolder(folder)
        let before = state.snapshots.last
        #expect(eventually { state.snapshots.count > 1 && state.snapshots.last != before })
        try exporter.kill()
        try exporter.startAndWait()

        let found = Comparison.driven(exporter.samples)
        let counters = found.filter { !Gauges.isGauge($0.key) && $0.value != 0 }
        #expect(counters.isEmpty, "\(counters.keys.sorted().prefix(10))")
        #expect(Gauges.problems(found, atMost: expected.all) == [])
        try send([day.posts[0]], to: exporter)
        try exporter.expectAlive()
        try exporter.terminate()
    }

    @Test func `a start waits for nobody on an empty folder, nor after a kill`() throws {
        let folder = TemporaryFolder()
        let exporter = MortalExporter(folder, Self.settings)
        let time = SystemTime()
        var begun = time.monotonic()
        try exporter.startAndWait()
        print("ready on an empty folder after \(time.monotonic().since(begun))")
        try send(try FaultDay().posts[...], to: exporter)
        try exporter.kill()
        begun = time.monotonic()
        try exporter.startAndWait()
        print("ready after a kill after \(time.monotonic().since(begun))")
        #expect(Promptness.holds(since: begun, within: .seconds(5)))
        // A start logs what it waits for.
        #expect(!exporter.output.contains("another process has STATE_DIR"))
        try exporter.terminate()
    }
}
