import Platform
import TestSupport
import Testing

@Suite struct FolderSpaceTests {
    private let folder = TemporaryFolder()

    @Test func `the room of a file system is known where there is a folder`() throws {
        let space = try #require(Folder.space(of: folder.path))
        #expect(space.free_bytes > 0 && space.free_bytes <= space.size_bytes)
        #expect(Folder.space(of: folder.file("nowhere")) == nil)
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `what is free is what a program may still write`() throws {
        let disk = try SmallFileSystem(in: folder)
        let empty = try #require(Folder.space(of: disk.path))
        #expect(empty.size_bytes == SmallFileSystem.size_bytes && empty.free_bytes <= empty.size_bytes)
        try disk.fill(sparing: 1 << 20)
        let nearlyFull = try #require(Folder.space(of: disk.path))
        #expect(nearlyFull == Folder.Space(free_bytes: 1 << 20, size_bytes: SmallFileSystem.size_bytes))
        try disk.fill()
        #expect(Folder.space(of: disk.path)?.free_bytes == 0)
    }
}
