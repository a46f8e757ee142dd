import Glibc
import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing
import Wire

@Suite struct SnapshotFilesTests {
    let folder = TemporaryFolder()
    var files: SnapshotFiles { SnapshotFiles(directory: folder.path, format: 3) }

    private func header(_ number: Int64) -> SnapshotHeader {
        SnapshotHeader(
            journalID: "0123456789abcdef0123456789abcdef", number: number, eventsApplied: number * 100,
            inputsApplied: number * 10, rowsEmitted: number, takenAt: JournalFileFixture.noon,
            isCleanStop: number % 2 == 0)
    }

    private func body(_ number: Int64) -> [UInt8] { (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* number) } }

    private var names: [String] { get throws { try JournalFileNames.all(in: folder.path) } }

    @Test func `the newest comes back, the one before is kept, older ones go`() throws {
        #expect(try files.load(now: JournalFileFixture.noon) == .init())
        for number in [1, 2, 9, 10, 11] as [Int64] { try files.save(header(number), body(number)) }
        #expect(try names == ["snapshot.10", "snapshot.11"])
        let loaded = try files.load(now: JournalFileFixture.noon)
        #expect(loaded.newest == Snapshot(header: header(11), body: body(11)))
        #expect(loaded.older == header(10) && loaded.highestNumber == 11)
        #expect(loaded.damaged.isEmpty && loaded.notes.isEmpty)
    }

    @Test func `an empty body and a folder that is not there are fine`() throws {
        try files.save(header(1), [])
        #expect(try files.load(now: JournalFileFixture.noon).newest?.body == [])
        let nowhere = SnapshotFiles(directory: folder.file("nowhere"), format: 1)
        #expect(try nowhere.load(now: JournalFileFixture.noon) == .init())
        let error = #expect(throws: JournalError.self) { try nowhere.save(header(1), [1]) }
        #expect(error?.kind == .gone)
    }

    @Test func `one flipped bit anywhere or any cut sends it aside, and the older one is used`() throws {
        try files.save(header(1), body(1))
        try files.save(header(2), Array(body(2).prefix(40)))
        let whole = try FileStore.read(folder.file("snapshot.2"))
        var changed = whole.indices.map { index in
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            return bytes
        }
        changed += (0..<whole.count).map { Array(whole.prefix($0)) }
        changed.append(whole + [0])
        for (index, bytes) in changed.enumerated() {
            try FileStore.replace(folder.file("snapshot.2"), with: bytes)
            let loaded = try files.load(now: JournalFileFixture.noon)
            #expect(loaded.newest?.header == header(1) && loaded.older == nil && loaded.highestNumber == 2, "\(index)")
            let aside = try #require(loaded.damaged.first ?? loaded.ofNewerProgram.first)
            #expect(loaded.damaged.count == 1 && loaded.notes.count == 1)
            #expect(unlink(aside) == 0)
        }
    }

    @Test func `a damaged older one is told and the newest is used`() throws {
        try files.save(header(1), body(1))
        try files.save(header(2), body(2))
        try FileStore.replace(folder.file("snapshot.1"), with: [1, 2, 3])
        let loaded = try files.load(now: JournalFileFixture.noon)
        #expect(loaded.newest?.header == header(2) && loaded.older == nil)
        #expect(loaded.damaged == [folder.file("snapshot.1.damaged-20260921T141320Z")])
    }

    @Test func `a snapshot of a newer program is moved aside with a clear message, an older one is read`() throws {
        try SnapshotFiles(directory: folder.path, format: 2).save(header(1), body(1))
        try SnapshotFiles(directory: folder.path, format: 4).save(header(2), body(2))
        let loaded = try files.load(now: JournalFileFixture.noon)
        #expect(loaded.newest?.header == header(1))
        #expect(loaded.ofNewerProgram == [folder.file("snapshot.2.newer-20260921T141320Z")])
        #expect(
            loaded.notes == ["Snapshot 2 was moved aside: it has format 4 of a newer program; this one knows 3."])
    }

    @Test func `a snapshot under another's name is not taken for it`() throws {
        try files.save(header(1), body(1))
        #expect(rename(folder.file("snapshot.1"), folder.file("snapshot.7")) == 0)
        let loaded = try files.load(now: JournalFileFixture.noon)
        #expect(loaded.newest == nil && loaded.damaged.count == 1 && loaded.highestNumber == 7)
    }

    @Test func `what was never finished is removed, what is not ours stays`() throws {
        try files.save(header(1), body(1))
        for name in ["snapshot.2.new", "snapshot.x", "snapshot.01", "snapshot.3.news", "other"] {
            try FileStore.replace(folder.file(name), with: [1])
        }
        _ = try files.load(now: JournalFileFixture.noon)
        #expect(try names == ["other", "snapshot.01", "snapshot.1", "snapshot.3.news", "snapshot.x"])
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a full disk leaves the ones before and nothing else`() throws {
        let disk = try #require(SmallDisk(size: "256k"))
        let files = SnapshotFiles(directory: disk.path, format: 1)
        try files.save(header(1), body(1))
        try files.save(header(2), body(2))
        disk.fill()
        for _ in 0..<3 {
            let error = #expect(throws: JournalError.self) { try files.save(header(3), body(3)) }
            #expect(error?.kind == .full)
            #expect(try JournalFileNames.all(in: disk.path) == ["filler", "snapshot.1", "snapshot.2"])
            #expect(try files.load(now: JournalFileFixture.noon).newest?.header == header(2))
        }
        disk.free()
        try files.save(header(3), body(3))
        #expect(try files.load(now: JournalFileFixture.noon).newest?.header == header(3))
    }
}
