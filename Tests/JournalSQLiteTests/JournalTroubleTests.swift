import Glibc
import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing
import Wire

/// Disks that are full, folders that cannot be written, and files that disappear. The journal refuses commits, stays
/// alive and recovers.
@Suite struct JournalTroubleTests {
    let fixture = JournalFileFixture()

    private func kind(_ body: () throws -> Void) -> JournalError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? JournalError)?.kind
        }
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a full disk refuses commits until there is room`() throws {
        let disk = try #require(SmallDisk(size: "16m"))
        let journal = try JournalFile(directory: disk.path, now: JournalFileFixture.noon)
        for round in 0..<40 {
            // In each round the disk is full at another place of a commit.
            disk.fill(sparing: round * 4_096 % 40_960)
            var refused: JournalError.Kind?
            while refused == nil {
                let next = journal.numbers.lastEvent + 1
                refused = kind { try journal.commit(JournalFileFixture.events(next...(next + 20))) }
            }
            #expect(refused == .full, "round \(round)")
            disk.free()
            let opening = try journal.reopen(now: JournalFileFixture.noon)
            #expect(!opening.isNew && !opening.mayHaveLost)
            let next = journal.numbers.lastEvent + 1
            var commit = JournalFileFixture.events(next...(next + 5))
            if next > 400 { commit.truncation = Truncation(events: next - 200) }
            try journal.commit(commit)
            let base = journal.numbers.eventsBase
            #expect(
                try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole((base + 1)...(next + 5)))
        }
        let last = journal.numbers.lastEvent
        journal.close()
        let again = try JournalFile(directory: disk.path, now: JournalFileFixture.noon)
        #expect(again.numbers.lastEvent == last && !again.opening.mayHaveLost)
        #expect(
            try JournalFileFixture.Content(again.entries(.events, after: 0))
                == .whole((again.numbers.eventsBase + 1)...last))
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a journal that cannot be made on a full disk is made when there is room`() throws {
        let disk = try #require(SmallDisk(size: "256k"))
        for spared in stride(from: 0, to: 160_000, by: 4_096) {
            for name in try JournalFileNames.all(in: disk.path) { unlink("\(disk.path)/\(name)") }
            disk.fill(sparing: spared)
            let refused = kind { _ = try JournalFile(directory: disk.path, now: JournalFileFixture.noon) }
            #expect(refused == nil || refused == .full)
            disk.free()
            let journal = try JournalFile(directory: disk.path, now: JournalFileFixture.noon)
            // Nobody has used the file that was made only in part.
            #expect(!journal.opening.mayHaveLost && journal.opening.isNew)
            try journal.commit(JournalFileFixture.events(1...2))
        }
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a file system that may not be written is told`() throws {
        let disk = try #require(SmallDisk(size: "1m"))
        #expect(ChildProcess.run("/bin/mount", ["-o", "remount,ro", disk.path]).status == 0)
        #expect(kind { _ = try JournalFile(directory: disk.path, now: JournalFileFixture.noon) } == .readOnly)
        #expect(
            kind { _ = try JournalFile(directory: disk.path + "/deeper", now: JournalFileFixture.noon) } == .readOnly)
        #expect(ChildProcess.run("/bin/mount", ["-o", "remount,rw", disk.path]).status == 0)
        do {
            let journal = try JournalFile(directory: disk.path, now: JournalFileFixture.noon)
            try journal.commit(JournalFileFixture.events(1...3))
        }
        #expect(ChildProcess.run("/bin/mount", ["-o", "remount,ro", disk.path]).status == 0)
        #expect(kind { _ = try JournalFile(directory: disk.path, now: JournalFileFixture.noon) } == .readOnly)
        #expect(ChildProcess.run("/bin/mount", ["-o", "remount,rw", disk.path]).status == 0)
        let journal = try JournalFile(directory: disk.path, now: JournalFileFixture.noon)
        #expect(journal.numbers.lastEvent == 3)
    }

    @Test(.enabled(if: Immutability.isPermitted))
    func `a log that may not be written any more is told, and nothing is lost`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        #expect(Immutability.set(fixture.file + "-wal", true))
        let refused = kind { try journal.commit(JournalFileFixture.events(4...6)) }
        let again = kind { try journal.reopen(now: JournalFileFixture.noon) }
        #expect(Immutability.set(fixture.file + "-wal", false))
        #expect(refused == .readOnly && again == .readOnly)
        #expect(!journal.isOpen)
        #expect(kind { try journal.commit(JournalFileFixture.events(4...6)) } == .readOnly)
        #expect(try !journal.reopen(now: JournalFileFixture.noon).mayHaveLost)
        try journal.commit(JournalFileFixture.events(4...6))
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...6))
    }

    // MARK: Files that disappear

    @Test func `a folder that was removed is made anew, with another id`() throws {
        let journal = try fixture.open()
        let id = journal.numbers.id
        try journal.commit(JournalFileFixture.events(1...3))
        #expect(ChildProcess.run("/bin/rm", ["-rf", fixture.directory]).status == 0)
        #expect(kind { try journal.commit(JournalFileFixture.events(4...4)) } == .gone)
        #expect(kind { try journal.commit(JournalFileFixture.events(4...4)) } == .gone)
        let opening = try journal.reopen(now: JournalFileFixture.noon)
        #expect(opening.isNew && journal.numbers.id != id && journal.numbers.lastEvent == 0)
        var complete = JournalFileFixture.truncation { $0.events = 3 }
        JournalFileFixture.append(4...4, to: &complete.events)
        try journal.commit(complete)
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 3)) == .whole(4...4))
    }

    @Test func `a file or a log that was removed or replaced is noticed before the next commit`() throws {
        for suffix in ["", "-wal"] {
            for isReplaced in [false, true] {
                let fixture = JournalFileFixture()
                let journal = try fixture.open()
                try journal.commit(JournalFileFixture.events(1...3))
                let bytes = try FileStore.read(fixture.file + suffix)
                #expect(unlink(fixture.file + suffix) == 0)
                if isReplaced { try FileStore.replace(fixture.file + suffix, with: bytes) }
                #expect(kind { try journal.commit(JournalFileFixture.events(4...4)) } == .gone)
                // Closing the old file does not touch the file that is in its place now.
                if isReplaced && suffix.isEmpty { #expect(try FileStore.read(fixture.file) == bytes) }
                let opening = try journal.reopen(now: JournalFileFixture.noon)
                // All of the log goes into the file when the log is closed, wherever the log is.
                if isReplaced || suffix == "-wal" {
                    #expect(!opening.isNew && !opening.mayHaveLost && journal.numbers.lastEvent == 3)
                } else {
                    #expect(opening.isNew && opening.mayHaveLost && journal.numbers.lastEvent == 0)
                }
            }
        }
    }

    @Test func `an older copy in place of the file is not taken for it`() throws {
        let journal = try fixture.open()
        var commit = JournalFileFixture.events(1...3)
        commit.outboxRows = [OutboxRow(sequence: 7, bytes: [7])]
        try journal.commit(commit)
        let copy = fixture.folder.file("copy")
        try JournalFileFixture.copy(fixture.file, to: copy)
        try journal.commit(JournalFileFixture.events(4...6))
        let id = journal.numbers.id
        #expect(ChildProcess.run("/bin/rm", ["-rf", fixture.directory]).status == 0)
        #expect(rename(copy, fixture.directory) == 0)
        #expect(kind { try journal.commit(JournalFileFixture.events(7...7)) } == .gone)
        let opening = try journal.reopen(now: JournalFileFixture.noon)
        #expect(opening.isNew && opening.mayHaveLost && opening.formerID == id && opening.movedAside.count == 1)
        #expect(journal.numbers.id != id && journal.numbers.lastEvent == 3)
        #expect(try journal.outbox(after: 0, limit: 9).elements == commit.outboxRows)
        try journal.commit(JournalFileFixture.truncation { $0.events = 6 })
        try journal.commit(JournalFileFixture.events(7...7))
    }

    @Test func `another journal in place of the file is moved aside`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        let other = JournalFileFixture()
        do { try other.open().commit(JournalFileFixture.events(1...30)) }
        #expect(rename(other.file, fixture.file) == 0)
        unlink(fixture.file + "-wal")
        #expect(kind { try journal.commit(JournalFileFixture.events(4...4)) } == .gone)
        let opening = try journal.reopen(now: JournalFileFixture.noon)
        #expect(opening.isNew && opening.mayHaveLost && opening.movedAside.count == 1 && journal.numbers.lastEvent == 0)
    }

    @Test func `reopening what is open does nothing`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        #expect(try journal.reopen(now: JournalFileFixture.noon) == Opening())
        journal.close()
        #expect(kind { try journal.commit(JournalFileFixture.events(4...4)) } == .other)
        try journal.reopen(now: JournalFileFixture.noon)
        try journal.commit(JournalFileFixture.events(4...4))
        #expect(journal.numbers.lastEvent == 4)
    }

    @Test func `two journals of one folder do not write at the same time`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        #expect(kind { _ = try fixture.open() } == .other)
        try journal.commit(JournalFileFixture.events(4...4))
    }
}

/// The names in a folder.
enum JournalFileNames {
    static func all(in path: String) throws -> [String] {
        let listed = ChildProcess.run("/bin/ls", ["-A", path])
        return listed.output.split(separator: "\n").map(String.init)
    }
}
