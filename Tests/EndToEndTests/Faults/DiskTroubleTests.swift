import Glibc
import Platform
import TestSupport
import Testing

/// A disk that is full, read-only, broken or gone: webhooks get 503, the program stays alive and recovers by itself.
@Suite(.serialized) struct DiskTroubleTests {
    private static func settings(_ folder: TemporaryFolder) -> [String: String] {
        FaultDay.environment(.metadata).merging([
            "DATABASE_URL": "sqlite:" + folder.file("office.db"), "SNAPSHOT_INTERVAL": "200ms",
        ]) { $1 }
    }

    /// Sends the day while the disk is in trouble from `begin` to `end`. Expects that everything that was answered 200
    /// counts.
    private func expectRecovery(
        _ exporter: MortalExporter, _ day: FaultDay, _ folder: TemporaryFolder, begin: () throws -> Void,
        end: () throws -> Void
    ) throws {
        let patience = RetryingSender.Patience.untilAnswered(scaledBy: 0.02)
        let before = RetryingSender(
            day.posts.prefix(100).map(\.webhook), to: exporter.webhooks, patience: patience)
        #expect(before.waitUntilAllSettled())
        _ = before.stop()
        try begin()
        let sender = RetryingSender(
            day.posts.dropFirst(100).map(\.webhook), to: exporter.webhooks, patience: patience)
        let isRefused = sender.wait { $0.refusals(503) >= 5 }
        #expect(isRefused, "\(sender.record.settled) settled; \(exporter.readiness)")
        try expectUnready(exporter)
        try end()
        #expect(sender.waitUntilAllSettled(), "\(exporter.readiness)")
        let record = sender.stop()
        #expect(record.retryAfters == 0)
        #expect(record.unanswered == 0)
        #expect(zip(day.posts.dropFirst(100), record.outcomes).allSatisfy { $0.status == $1.status })
        try exporter.waitUntilReady()
        try expectEverything(day, exporter)
        // The state is on the disk again.
        try exporter.kill()
        try exporter.startAndWait()
        try expectEverything(day, exporter)
        try exporter.terminate()
        let rows = try ApplicationTables(folder.file("office.db")).differences(from: try day.reduction(.metadata))
        #expect(rows.isEmpty, "\(rows.prefix(10).joined(separator: "\n"))")
    }

    private func expectUnready(_ exporter: MortalExporter) throws {
        try exporter.expectAlive()
        for port in [exporter.webhooks, exporter.metrics] {
            #expect(LoopbackClient.get("/healthz", port: port)?.status == 200)
        }
        let isSaid = eventually { exporter.readiness.hasPrefix("503") && exporter.readiness.contains("journal") }
        #expect(isSaid, "\(exporter.readiness)")
        #expect(!exporter.samples.isEmpty, "the figures are served")
    }

    private func expectEverything(_ day: FaultDay, _ exporter: MortalExporter) throws {
        let expected = try day.reduction(.metadata)
        let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
    }

    @Test(arguments: [FaultyDisk.Trouble.full, .readOnly, .broken].map(\.description))
    func `calls that fail for a while`(trouble: String) throws {
        let all = [FaultyDisk.Trouble.full, .readOnly, .broken]
        let trouble = try #require(all.first { $0.description == trouble })
        let folder = TemporaryFolder()
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        let exporter = MortalExporter(folder, Self.settings(folder))
        try exporter.startAndWait(disk.environment)
        try expectRecovery(
            exporter, try FaultDay(), folder, begin: { try disk.begin(trouble) }, end: { try disk.begin(nil) })
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a file system that is full`() throws {
        let folder = TemporaryFolder()
        let small = try SmallFileSystem(in: folder, name: "state")
        let exporter = MortalExporter(folder, Self.settings(folder))
        try exporter.startAndWait()
        try expectRecovery(
            exporter, try FaultDay(others: 1_000), folder, begin: { try small.fill() }, end: { small.free() })
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a start on a full file system waits for room`() throws {
        let folder = TemporaryFolder()
        let small = try SmallFileSystem(in: folder, name: "state")
        try small.fill()
        let exporter = MortalExporter(folder, Self.settings(folder))
        try exporter.start()
        let isUnready = eventually { exporter.readiness.hasPrefix("503") }
        #expect(isUnready, "\(exporter.readiness)")
        try exporter.expectAlive()
        small.free()
        try exporter.waitUntilReady()
        try exporter.terminate()
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a start on a read-only file system waits until it can be written`() throws {
        let folder = TemporaryFolder()
        let small = try SmallFileSystem(in: folder, name: "state")
        let day = try FaultDay()
        let exporter = MortalExporter(folder, Self.settings(folder))
        // The first round has an empty folder. The second one follows a run that was killed.
        for (from, to) in [(0, 200), (200, day.posts.count)].map({ ($0.0, $0.1) }) {
            try small.remount(isReadOnly: true)
            try exporter.start()
            let isUnready = eventually { exporter.readiness.hasPrefix("503") }
            #expect(isUnready, "\(exporter.readiness)")
            try exporter.expectAlive()
            try small.remount(isReadOnly: false)
            try exporter.waitUntilReady()
            let sender = RetryingSender(
                day.posts[from..<to].map(\.webhook), to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.02))
            #expect(sender.waitUntilAllSettled())
            _ = sender.stop()
            let expected = try day.reduction(.metadata, to)
            let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
            #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
            try exporter.kill()
        }
    }

    @Test func `a folder that is removed is noticed, and made anew`() throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let exporter = MortalExporter(folder, Self.settings(folder))
        try exporter.startAndWait()
        let patience = RetryingSender.Patience.untilAnswered(scaledBy: 0.02)
        let before = RetryingSender(
            day.posts.prefix(100).map(\.webhook), to: exporter.webhooks, patience: patience)
        #expect(before.waitUntilAllSettled())
        _ = before.stop()
        let state = StateFolder(folder)
        #expect(ChildProcess.run("/bin/rm", ["-rf", state.path]).status == 0)
        let sender = RetryingSender(
            day.posts.dropFirst(100).map(\.webhook), to: exporter.webhooks, patience: patience,
            pace: .milliseconds(20))
        // If only the owner of the parent folder may make the folder, an operator does so when /readyz shows the
        // reason.
        let isBack = try eventually {
            try exporter.expectAlive()
            if exporter.readiness.hasPrefix("503") { mkdir(state.path, 0o750) }
            return StateFolder.size(of: state.journal) > 0
        }
        #expect(isBack, "\(exporter.readiness) \(state.listing)")
        #expect(sender.waitUntilAllSettled(), "\(exporter.readiness)")
        _ = sender.stop()
        try exporter.waitUntilReady()
        try expectEverything(day, exporter)
        try exporter.terminate()
        try exporter.startAndWait()
        try expectEverything(day, exporter)
        try exporter.terminate()
    }

    @Test func `a start dies at every call that changes a file, and loses nothing`() throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        let exporter = MortalExporter(folder, FaultDay.environment(.metadata))
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.02))
        #expect(sender.waitUntilAllSettled())
        exporter.note(sender.stop(), of: day.posts)
        try exporter.kill()
        var call = 0
        var isReady = false
        while !isReady {
            call += 1
            let death = FaultyDisk.Death.allCases[call % FaultyDisk.Death.allCases.count]
            try exporter.start(disk.environment(dyingAt: call, death))
            let isOver = eventually {
                exporter.hasEnded || LoopbackClient.get("/readyz", port: exporter.metrics)?.status == 200
            }
            #expect(isOver, "\(exporter.readiness)")
            isReady = !exporter.hasEnded
            if !isReady { try exporter.expectKilled() }
            try #require(call < 300, "a start changes files without an end")
        }
        print("a start changes files at least \(call - 1) times before it is ready")
        #expect(call > 1, "the disk was asked for something")
        // The program may still reach that call after it is ready.
        if exporter.hasEnded { try exporter.expectKilled() } else { try exporter.kill() }
        try exporter.startAndWait()
        let expected = try day.reduction(.metadata)
        let differences = try exporter.differences(from: expected.all)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
        try exporter.kill()
    }
}
