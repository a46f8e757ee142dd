import Glibc
import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing
import Wire

/// The journal of a process that dies, or whose writes fail. The process is another one than that of the test.
@Suite struct JournalCrashTests {
    let fixture = JournalFileFixture()

    /// Commits without end. After each commit it notes in a file which numbers were acknowledged.
    static func commitForEver(in directory: String, noting path: String) throws {
        let notes = open(path, O_WRONLY | O_CREAT, 0o600)
        let journal = try JournalFile(directory: directory, now: JournalFileFixture.noon)
        if journal.opening.mayHaveLost || journal.opening.isNew && journal.numbers.lastEvent != 0 { exit(3) }
        var random = SystemRandomNumberGenerator()
        while true {
            let first = journal.numbers.lastEvent + 1
            var commit = JournalFileFixture.events(first...(first + Int64.random(in: 0...40, using: &random)))
            if first % 3 == 0 {
                JournalFileFixture.append(
                    (journal.numbers.lastInput + 1)...(journal.numbers.lastInput + 2), to: &commit.inputs)
            }
            if first > 2_000, first % 7 == 0 { commit.truncation = Truncation(events: first - 1_000) }
            try journal.commit(commit)
            let acknowledged = [journal.numbers.lastEvent, journal.numbers.lastInput]
            _ = acknowledged.withUnsafeBytes { pwrite(notes, $0.baseAddress, $0.count, 0) }
        }
    }

    @Test func `what was acknowledged is there after kill -9, again and again`() async throws {
        let directory = fixture.directory
        let notes = fixture.folder.file("notes")
        var round: UInt64 = 0
        var last: Int64 = 0
        // The loop runs twelve times, and goes on with longer rounds until the process committed something.
        while round < 12 || last <= 100 {
            let delay_ms = 3 + SeededGenerator.first(seed: round) % 60 + (round < 12 ? 0 : 100 * (round - 11))
            round += 1
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [directory = directory as String, notes = notes as String, delay_ms = delay_ms as UInt64] in
                // The process dies at any instruction of the other thread.
                let killer = NamedThread(name: "killer") {
                    var pause = timespec(tv_sec: 0, tv_nsec: Int(delay_ms) * 1_000_000)
                    nanosleep(&pause, nil)
                    kill(getpid(), SIGKILL)
                }
                try JournalCrashTests.commitForEver(in: directory, noting: notes)
                killer.join()
            }
            var acknowledged: [Int64] = [0, 0]
            if let bytes = try? FileStore.read(notes), bytes.count == 16 {
                acknowledged = bytes.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
            }
            let journal = try fixture.open()
            #expect(!journal.opening.mayHaveLost)
            #expect(journal.numbers.lastEvent >= acknowledged[0] && journal.numbers.lastInput >= acknowledged[1])
            last = journal.numbers.lastEvent
            try #require(round < 100, "nothing is ever committed")
            if last > 0 {
                let base = journal.numbers.eventsBase
                #expect(
                    try JournalFileFixture.Content(journal.entries(.events, after: 0))
                        == .whole((base + 1)...journal.numbers.lastEvent))
            }
        }
    }

    @Test func `writes that fail at any size of the files lose nothing`() async throws {
        let directory = fixture.directory
        await #expect(processExitsWith: .exitCode(0)) { [directory = directory as String] in
            signal(SIGXFSZ, SIG_IGN)
            func limit(_ bytes: UInt) {
                var limit = rlimit(rlim_cur: bytes, rlim_max: .max)
                setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
            }
            let journal = try JournalFile(directory: directory, now: JournalFileFixture.noon)
            var failures = 0
            for size in stride(from: 1 as UInt, to: 260_000, by: 2_477) {
                limit(size)
                do {
                    for _ in 0..<12 {
                        let next = journal.numbers.lastEvent + 1
                        try journal.commit(JournalFileFixture.events(next...(next + 9)))
                    }
                } catch {
                    failures += 1
                }
                let last = journal.numbers.lastEvent
                // While the limit holds, `reopen` fails, or it succeeds and everything is there.
                _ = try? journal.reopen(now: JournalFileFixture.noon)
                limit(.max)
                let opening = try journal.reopen(now: JournalFileFixture.noon)
                guard !opening.mayHaveLost, !opening.isNew, journal.numbers.lastEvent == last else { exit(4) }
                guard
                    try last == 0 || JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...last)
                else {
                    exit(5)
                }
            }
            exit(failures > 50 && journal.numbers.lastEvent > 100 ? 0 : 6)
        }
        #expect(try fixture.open().numbers.lastEvent > 100)
    }
}

extension SeededGenerator {
    static func first(seed: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: seed)
        return generator.next()
    }
}
