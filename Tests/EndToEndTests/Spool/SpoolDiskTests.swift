import TestSupport
import Testing

/// A disk that has no room for the spool. Samples wait in memory, and webhooks are answered.
@Suite struct SpoolDiskTests {
    private static let failure = "the spool cannot be used"
    private static let reserve = "the file system has no room for the spool"

    private func expectEverything(_ receiver: OutageReceiver, least: [Int]) {
        let received = ReceivedReadings(receiver)
        #expect(received.violations == [])
        #expect(received.missing(least: least) == [])
        #expect(received.holes == [])
    }

    @Test(arguments: [FaultyDisk.Trouble.full, .readOnly, .broken].map(\.description))
    func `a disk that fails at the spool is told, and used again when it is good`(trouble: String) throws {
        let all = [FaultyDisk.Trouble.full, .readOnly, .broken]
        let trouble = try #require(all.first { $0.description == trouble })
        let folder = TemporaryFolder()
        let disk = try FaultyDisk(root: folder.file("state") + "/spool-", in: folder)
        let receiver = try OutageReceiver(.taken)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try disk.begin(trouble)
        try exporter.startAndWait(disk.environment)
        try exporter.awaitReadings(2)
        try receiver.change(to: .refused)
        try exporter.wait(for: "the line about it") {
            exporter.logged(Self.failure) > 0 && exporter.figure("spool_failures_total") ?? 0 > 0
        }
        exporter.start(rooms: ["one", "two"])
        try exporter.awaitReadings(2)
        #expect(exporter.figure("spool_samples") == 0)
        #expect(exporter.figure("samples_pending") ?? 0 > 0)
        try disk.begin(nil)
        try exporter.awaitSpool()
        // It is worth something again.
        try exporter.awaitReadings(2)
        var least = [try exporter.killNoting()]
        try exporter.startAndWait()
        try receiver.change(to: .taken)
        try exporter.awaitEmptySpool(in: folder)
        least.append(try exporter.terminateNoting())
        expectEverything(receiver, least: least)
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a file system below the reserve holds no spool`() throws {
        let folder = TemporaryFolder()
        // All of it is less than the reserve.
        let small = try SmallFileSystem(in: folder, name: "state")
        let receiver = try OutageReceiver(.taken)
        let exporter = MortalExporter(folder, MortalExporter.pushing(to: receiver.url))
        try exporter.startAndWait()
        try exporter.awaitReadings(2)
        try receiver.change(to: .refused)
        try exporter.wait(for: "the reserve") { exporter.figure("spool_reserve_reached") == 1 }
        exporter.start(rooms: ["one", "two"])
        try exporter.awaitReadings(4)
        #expect(exporter.logged(Self.reserve) == 1)
        #expect(exporter.figure("spool_samples") == 0)
        #expect(exporter.figure("samples_pending") ?? 0 > 0)
        try receiver.change(to: .taken)
        // The reserve is nobody's concern when nothing waits.
        try exporter.wait(for: "the end of the backlog") { exporter.figure("spool_reserve_reached") == 0 }
        try exporter.awaitReadings(1)
        expectEverything(receiver, least: [try exporter.terminateNoting()])
        _ = small
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `the reserve holds for the first write, too, when a request is late`() throws {
        let folder = TemporaryFolder()
        let small = try SmallFileSystem(in: folder, name: "state")
        let receiver = try OutageReceiver(.unanswered)
        // No other reading comes meanwhile.
        let settings = MortalExporter.pushing(to: receiver.url, every: "200s")
        let exporter = MortalExporter(folder, settings.merging(["REMOTE_WRITE_MESSAGE": "2.0"]) { $1 })
        try exporter.startAndWait()
        try exporter.wait(for: "the reserve") { exporter.figure("spool_reserve_reached") == 1 }
        #expect(exporter.figure("spool_samples_written_total") == 0)
        #expect(exporter.figure("spool_samples") == 0)
        try receiver.change(to: .taken)
        try exporter.wait(for: "the end of the backlog") { exporter.figure("spool_reserve_reached") == 0 }
        expectEverything(receiver, least: [try exporter.terminateNoting()])
        _ = small
    }
}
