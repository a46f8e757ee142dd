import Journal
import Metrics
import Platform
import TestSupport
import Testing

@testable import Pipeline

/// The metrics of the file system of STATE_DIR, which the journal thread looks at.
@Suite struct StateDiskTests {
    private let folder = TemporaryFolder()

    private func gauge(_ name: String, _ fixture: JournalFixture) -> Double? {
        let series = fixture.registry.snapshot().first { $0.family.name == "lkpush_state_disk_\(name)_bytes" }?.series
        guard case .gauge(let gauge)? = series?.first?.instrument else { return nil }
        return gauge.value
    }

    @Test(
        .enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"),
        arguments: JournalSettings.Durability.allCases)
    func `the room is renewed while nothing comes and while the disk is full`(
        durability: JournalSettings.Durability
    ) throws {
        let disk = try SmallFileSystem(in: folder)
        let fixture = JournalFixture(disk.path + "/state", durability: durability)
        _ = try #require(PlayedRecorder(fixture))
        #expect(gauge("size", fixture) == Double(SmallFileSystem.size_bytes))
        let before = try #require(gauge("free", fixture))
        #expect(before > 0 && before < Double(SmallFileSystem.size_bytes))
        try disk.fill()
        #expect(eventually { gauge("free", fixture) == 0 })
        #expect(gauge("size", fixture) == Double(SmallFileSystem.size_bytes))
        if durability == .commit { #expect(eventually { fixture.post(1) == 503 }) }
        disk.free()
        #expect(eventually { gauge("free", fixture).map { $0 > before / 2 } == true })
    }

    @Test func `the room is known while another process has the folder`() throws {
        let first = JournalFixture()
        _ = try #require(PlayedRecorder(first))
        let second = JournalFixture(first.directory)
        #expect(eventually { second.readiness.obstacles.contains { $0.contains("lock") } })
        #expect(gauge("size", second) == gauge("size", first))
        second.inbox.cancelStart()
    }

    @Test func `a folder that is not there has no room`() throws {
        let fixture = JournalFixture("/proc/none/state", durability: .memory)
        _ = try #require(PlayedRecorder(fixture))
        #expect(gauge("free", fixture) == nil && gauge("size", fixture) == nil)
    }
}
