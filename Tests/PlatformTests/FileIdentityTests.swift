import Glibc
import Platform
import TestSupport
import Testing

@Suite struct FileIdentityTests {
    private let folder = TemporaryFolder()

    @Test func `where there is no file there is no identity and no stamp`() {
        #expect(FileIdentity(path: folder.file("absent")) == nil)
        #expect(FileStamp(path: folder.file("absent")) == nil)
    }

    @Test func `what is written changes the stamp, not the identity`() throws {
        let path = folder.file("a")
        try FileStore.replace(path, with: [1])
        let identity = try #require(FileIdentity(path: path))
        let stamp = try #require(FileStamp(path: path))
        #expect(FileStamp(path: path) == stamp)
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(file) }
        try FileStore.writeAll([2], to: file, named: path)
        #expect(FileIdentity(path: path) == identity)
        #expect(FileStamp(path: path) != stamp)
    }

    @Test func `a file in place of another has another identity, of the same size too`() throws {
        let path = folder.file("a")
        try FileStore.replace(path, with: [1])
        let identity = FileIdentity(path: path)
        let stamp = FileStamp(path: path)
        // The link keeps the old file, so that its inode number is not given again.
        #expect(link(path, folder.file("old")) == 0)
        try FileStore.replace(path, with: [1])
        #expect(FileIdentity(path: path) != identity)
        #expect(FileStamp(path: path) != stamp)
        #expect(FileIdentity(path: folder.file("old")) == identity)
    }

    @Test func `a time of the same size and file is seen to the nanosecond`() throws {
        let path = folder.file("a")
        try FileStore.replace(path, with: [1])
        var times = [timespec(tv_sec: 1, tv_nsec: 7), timespec(tv_sec: 1, tv_nsec: 7)]
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        let stamp = FileStamp(path: path)
        times[1].tv_nsec = 8
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        #expect(FileStamp(path: path) != stamp)
    }
}
