import Glibc
import Platform
import TestSupport
import Testing

@Suite struct FileStoreTests {
    @Test func `what is replaced is read back, and no temporary file stays`() throws {
        let folder = TemporaryFolder()
        let path = folder.file("state")
        try FileStore.replace(path, with: Array("old".utf8))
        try FileStore.replace(path, with: Array("new content".utf8))
        #expect(String(decoding: try FileStore.read(path), as: UTF8.self) == "new content")
        #expect(access(path + ".new", F_OK) != 0)
    }

    @Test func `a file over the limit is an error that names it`() throws {
        let path = TemporaryFolder().file("absent")
        #expect(throws: SystemError("open", path, code: ENOENT)) { try FileStore.read(path) }
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("big"), with: [UInt8](repeating: 1, count: 100))
        #expect(throws: SystemError("read", folder.file("big"), code: EFBIG)) {
            try FileStore.read(folder.file("big"), limit: 99)
        }
    }

    @Test func `folders are made with their parents, again and again`() throws {
        let folder = TemporaryFolder()
        try FileStore.makeDirectory(folder.file("a/b/c"))
        try FileStore.makeDirectory(folder.file("a/b/c"))
        try FileStore.replace(folder.file("a/b/c/file"), with: [])
        #expect(throws: SystemError.self) { try FileStore.makeDirectory(folder.file("a/b/c/file/d")) }
    }
}
