import Platform
import Shipper
import TestSupport
import Testing

@Suite struct SpoolRoomTests {
    private func room(free: Int, total: Int, taken: Int = 0, spools: Int = 1) -> SpoolRoom {
        SpoolRoom(free: .mebibytes(free), total: .mebibytes(total), taken: .mebibytes(taken), spools: spools)
    }

    @Test func `the last 128 MiB or tenth of the file system is left to others`() {
        #expect(room(free: 500, total: 1_000).reserve == .mebibytes(128))
        #expect(room(free: 500, total: 1_000).each == .mebibytes(500 - 128))
        #expect(room(free: 500, total: 2_000).reserve.bytes / (1 << 20) == 200)
        #expect(!room(free: 128, total: 1_000).isThere && room(free: 129, total: 1_000).isThere)
        #expect(room(free: 0, total: 0).each == ByteCount(0))
    }

    @Test func `spools share the room, and keep what they have`() {
        #expect(room(free: 528, total: 1_000, spools: 4).each == .mebibytes(100))
        #expect(room(free: 528, total: 1_000, taken: 40, spools: 4).each == .mebibytes(110))
        #expect(room(free: 10, total: 1_000, taken: 40, spools: 2).each == .mebibytes(20))
        #expect(room(free: 529, total: 1_000, spools: 0).each == .mebibytes(401))
    }

    @Test func `the room of a folder is that of its file system`() throws {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("spool-eu.db"), with: [UInt8](repeating: 0, count: 5_000))
        try FileStore.replace(folder.file("spool-eu.db-wal"), with: [UInt8](repeating: 0, count: 500))
        #expect(SpoolFile.size_bytes(directory: folder.path, destination: "eu") == 5_500)
        #expect(SpoolFile.size_bytes(directory: folder.path, destination: "none") == 0)
        let room = try #require(SpoolRoom(directory: folder.path, destinations: ["eu", "none"]))
        #expect(room.free.bytes > 0 && room.reserve >= .mebibytes(128))
        #expect(SpoolRoom(directory: folder.file("absent"), destinations: []) == nil)
    }
}
