import Glibc
import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing

@Suite struct StateLockTests {
    let folder = TemporaryFolder()
    private var directory: String { folder.file("state") }

    private func take() throws -> StateLock? {
        if case .taken(let lock) = try StateLock.take(directory: directory) { lock } else { nil }
    }

    @Test func `one at a time has it, and the others learn who`() throws {
        let lock = try #require(try take())
        #expect(lock.isInPlace)
        guard case .held(let holder) = try StateLock.take(directory: directory) else {
            Issue.record("it was taken twice")
            return
        }
        #expect(holder.hasPrefix("process \(getpid()) on "))
        withExtendedLifetime(lock) {}
    }

    @Test func `it is free again when its owner goes`() throws {
        for _ in 0..<3 {
            let lock = try take()
            #expect(lock != nil)
        }
    }

    @Test func `a lock whose file was removed is noticed`() throws {
        let lock = try #require(try take())
        #expect(unlink(lock.path) == 0)
        #expect(!lock.isInPlace)
        let second = try #require(try take())
        #expect(second.isInPlace && !lock.isInPlace)
    }

    @Test func `a folder that cannot be made is an error`() throws {
        try FileStore.replace(folder.file("state"), with: [1])
        #expect(throws: SystemError.self) { try StateLock.take(directory: directory + "/deeper") }
    }

    @Test func `the kernel frees it when a process is killed`() async throws {
        let directory = directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            guard case .taken(let lock) = try StateLock.take(directory: directory) else { exit(3) }
            withExtendedLifetime(lock) { _ = kill(getpid(), SIGKILL) }
        }
        let text = String(decoding: try FileStore.read(directory + "/lock"), as: UTF8.self)
        #expect(text.hasPrefix("process ") && !text.hasPrefix("process \(getpid()) "))
        #expect(try take() != nil)
    }
}
