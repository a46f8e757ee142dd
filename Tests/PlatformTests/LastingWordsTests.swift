import Glibc
import Platform
import TestSupport
import Testing

/// Words that outlive the process.
@Suite struct LastingWordsTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.file("words") }

    @Test func `a new file has zeros, and what was stored is there at the next opening`() throws {
        let words = try LastingWords(path: path)
        #expect((0..<LastingWords.count).allSatisfy { words.load($0) == 0 })
        words.store(.max, at: 0)
        words.store(.min, at: LastingWords.count - 1)
        // Without closing the first: as a process that was killed leaves it.
        let next = try LastingWords(path: path)
        #expect(next.load(0) == .max && next.load(LastingWords.count - 1) == .min && next.load(1) == 0)
    }

    @Test(arguments: [0, 1, 100, 4_095, 4_097, 100_000])
    func `a file of another size is made anew`(size: Int) throws {
        try FileStore.replace(path, with: [UInt8](repeating: 0xFF, count: size))
        let words = try LastingWords(path: path)
        #expect((0..<LastingWords.count).allSatisfy { words.load($0) == 0 })
        #expect(Folder.size_bytes(path) == 4_096)
    }

    @Test func `a file with a hole gets its room at the opening`() throws {
        let file = open(path, O_RDWR | O_CREAT, 0o600)
        #expect(ftruncate(file, 4_096) == 0)
        close(file)
        _ = try LastingWords(path: path)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_blocks > 0)
    }

    @Test func `a path that cannot be written is an error`() throws {
        #expect(throws: SystemError.self) { try LastingWords(path: folder.file("no/such/folder")) }
        #expect(throws: SystemError.self) { try LastingWords(path: "/proc/version") }
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a full disk is an error at the opening, and none later`() throws {
        let disk = try SmallFileSystem(in: folder)
        let words = try LastingWords(path: disk.path + "/words")
        try disk.fill()
        words.store(7, at: 3)
        #expect(words.load(3) == 7)
        #expect(throws: SystemError.self) { try LastingWords(path: disk.path + "/others") }
    }
}
