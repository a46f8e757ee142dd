import Glibc
import Journal
import JournalSQLite
import Platform
import SQLite
import TestSupport
import Testing
import Wire

/// Torn writes, cut logs and flipped bits. The journal never traps, never gives an entry that was not written, and
/// never loses one silently.
@Suite struct JournalDamageTests {
    let fixture = JournalFileFixture()

    /// Makes a journal that is still open, with its log. Returns the length of the log after each commit, and a copy.
    private func live(_ commits: Int64) throws -> (log: [(bytes: Int, last: Int64)], copy: String) {
        let journal = try fixture.open()
        var log: [(bytes: Int, last: Int64)] = [(0, 0)]
        for number in 0..<commits {
            // Groups have 1 to 30 entries. Some of them need several pages.
            let first = journal.numbers.lastEvent + 1
            var commit = JournalFileFixture.events(first...(first + number * 7 % 30))
            if number % 3 == 0 {
                JournalFileFixture.append(
                    (journal.numbers.lastInput + 1)...(journal.numbers.lastInput + 2), to: &commit.inputs)
            }
            if number % 4 == 0 { commit.outboxRows = [OutboxRow(sequence: number, bytes: Array("row".utf8))] }
            try journal.commit(commit)
            log.append((try FileStore.read(fixture.file + "-wal", limit: 1 << 30).count, journal.numbers.lastEvent))
        }
        let copy = fixture.folder.file("live")
        try JournalFileFixture.copy(fixture.file, to: copy)
        journal.close()
        return (log, copy)
    }

    /// Changes the file with `suffix` in a copy of `source`, and opens the copy.
    private func open(
        _ source: String, _ suffix: String = "-wal", _ change: (inout [UInt8]) -> Void
    ) throws -> JournalFile {
        let target = fixture.folder.file("changed")
        #expect(ChildProcess.run("/bin/rm", ["-rf", target]).status == 0)
        try JournalFileFixture.copy(source + "/journal.db", to: target)
        var bytes = try FileStore.read("\(target)/journal.db\(suffix)", limit: 1 << 30)
        change(&bytes)
        try FileStore.replace("\(target)/journal.db\(suffix)", with: bytes)
        return try JournalFile(directory: target, now: JournalFileFixture.noon)
    }

    @Test func `a log that is cut anywhere holds every commit before the cut and nothing else`() throws {
        let (log, copy) = try live(60)
        let whole = try #require(log.last?.bytes)
        var random = SeededGenerator(seed: 11)
        let boundaries = stride(from: 32, through: whole, by: 24 + 4_096)
        let anywhere = (0..<60).map { _ in Int.random(in: 0...whole, using: &random) }
        for cut in Array(boundaries) + anywhere + [0, 1, 31, 33, whole - 1] {
            let journal = try open(copy) { $0.removeLast($0.count - cut) }
            let expected = log.last { $0.bytes <= cut }?.last ?? 0
            #expect(journal.numbers.lastEvent == expected, "cut at \(cut)")
            let content = try JournalFileFixture.Content(journal.entries(.events, after: 0))
            #expect(content == .upTo(expected), "cut at \(cut)")
            #expect(journal.opening.isNew == (expected == 0) && journal.opening.movedAside.isEmpty)
            #expect(
                try JournalFileFixture.Content(journal.entries(.inputs, after: 0)) == .upTo(journal.numbers.lastInput))
            // The journal goes on.
            try journal.commit(JournalFileFixture.events((expected + 1)...(expected + 2)))
        }
    }

    @Test func `a copy at any moment of a live journal opens`() throws {
        let journal = try fixture.open()
        for number in 0..<30 as Range<Int64> {
            try journal.commit(JournalFileFixture.events((number * 40 + 1)...(number * 40 + 40)))
            let target = fixture.folder.file("copy-\(number)")
            try JournalFileFixture.copy(fixture.file, to: target)
            let copy = try JournalFile(directory: target, now: JournalFileFixture.noon)
            #expect(try JournalFileFixture.Content(copy.entries(.events, after: 0)) == .whole(1...(number * 40 + 40)))
            #expect(!copy.opening.mayHaveLost && copy.numbers.id == journal.numbers.id)
        }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `a flipped bit in the log loses nothing before it and is told`(_ seed: UInt64) throws {
        let (log, copy) = try live(60)
        let last = try #require(log.last)
        let beforeLast = log[log.count - 2].last
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let place = Int.random(in: 0..<last.bytes, using: &random)
            let bit = UInt8.random(in: 0..<8, using: &random)
            let journal = try open(copy) { $0[place] ^= 1 << bit }
            let content = try JournalFileFixture.Content(journal.entries(.events, after: 0))
            #expect(content.invented == 0, "place \(place)")
            let intact = log.last { $0.bytes <= place }?.last ?? 0
            #expect(content.numbers.starts(with: JournalFileFixture.Content.upTo(intact).numbers), "place \(place)")
            // Nobody can tell whether the last commit was ever finished.
            if content.numbers.count < beforeLast {
                #expect(journal.opening.mayHaveLost && journal.opening.isNew, "place \(place), bit \(bit)")
            }
            #expect(content == .upTo(journal.numbers.lastEvent))
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `a flipped bit in the file is told wherever it hides something`(_ seed: UInt64) throws {
        let (log, copy) = try live(60)
        let last = try #require(log.last?.last)
        // A journal that was closed has everything in one file.
        do { try open(copy) { _ in }.close() }
        let closed = fixture.folder.file("closed")
        #expect(rename(fixture.folder.file("changed"), closed) == 0)
        let size = try FileStore.read(closed + "/journal.db", limit: 1 << 30).count
        var random = SeededGenerator(seed: seed)
        var kept = 0
        let flips = 40
        for _ in 0..<flips {
            let place = Int.random(in: 0..<size, using: &random)
            let bit = UInt8.random(in: 0..<8, using: &random)
            let journal = try open(closed, "") { $0[place] ^= 1 << bit }
            let content = try JournalFileFixture.Content(journal.entries(.events, after: 0))
            #expect(content.invented == 0, "place \(place), bit \(bit)")
            #expect(content.numbers == content.numbers.sorted() && Set(content.numbers).count == content.numbers.count)
            if content.numbers != Array(1...last) {
                let isTold = journal.opening.mayHaveLost || !content.damaged.isEmpty
                #expect(isTold, "place \(place), bit \(bit)")
            }
            if journal.opening.mayHaveLost { #expect(journal.opening.isNew) }
            let opening = journal.opening
            kept += content.numbers.count
            // The journal goes on. A loss is reported again until a commit covers it.
            let next = journal.numbers.lastEvent + 1
            try journal.commit(JournalFileFixture.events(next...next))
            if !opening.mayHaveLost { continue }
            journal.close()
            let told = try journal.reopen(now: JournalFileFixture.noon)
            #expect(told.mayHaveLost && told.isNew && told.formerID == opening.formerID)
            var covered = Commit()
            covered.coversLoss = true
            try journal.commit(covered)
            journal.close()
            let calm = try journal.reopen(now: JournalFileFixture.noon)
            #expect(!calm.mayHaveLost && !calm.isNew && calm.formerID == nil)
        }
        // A flipped bit hides one group, or a page of groups. Only in the header of the file does it hide everything.
        #expect(kept > Int(last) * flips * 8 / 10)
    }

    @Test func `pages of zeros are passed over`() throws {
        let (log, copy) = try live(60)
        let last = try #require(log.last?.last)
        do { try open(copy) { _ in }.close() }
        let closed = fixture.folder.file("closed")
        #expect(rename(fixture.folder.file("changed"), closed) == 0)
        let pages = try FileStore.read(closed + "/journal.db", limit: 1 << 30).count / 4_096
        for page in 0..<pages {
            let journal = try open(closed, "") { bytes in
                for place in page * 4_096..<(page + 1) * 4_096 { bytes[place] = 0 }
            }
            let content = try JournalFileFixture.Content(journal.entries(.events, after: 0))
            #expect(content.invented == 0)
            if content.numbers != Array(1...last) {
                #expect(journal.opening.mayHaveLost || !content.damaged.isEmpty, "page \(page)")
            }
        }
    }

    @Test func `a file cut short keeps what it can`() throws {
        let (log, copy) = try live(60)
        let last = try #require(log.last?.last)
        do { try open(copy) { _ in }.close() }
        let closed = fixture.folder.file("closed")
        #expect(rename(fixture.folder.file("changed"), closed) == 0)
        let size = try FileStore.read(closed + "/journal.db", limit: 1 << 30).count
        for cut in stride(from: 0, to: size, by: 3_000) {
            let journal = try open(closed, "") { $0.removeLast($0.count - cut) }
            let content = try JournalFileFixture.Content(journal.entries(.events, after: 0))
            #expect(content.invented == 0)
            #expect(journal.opening.isNew, "cut at \(cut)")
            #expect(cut == 0 || journal.opening.mayHaveLost || content.numbers == Array(1...last), "cut at \(cut)")
        }
    }

    // MARK: Damage that checksums find in a sound file

    private func change(_ sql: String, in file: String? = nil) throws {
        var settings = ConnectionSettings()
        settings.isExclusive = true
        let connection = try Connection(path: file ?? fixture.file, settings)
        try connection.execute(sql)
        connection.close()
    }

    @Test func `a group with a wrong checksum is passed over, the rest is used`() throws {
        do {
            let journal = try fixture.open()
            for group in 0..<5 as Range<Int64> {
                try journal.commit(JournalFileFixture.events((group * 10 + 1)...(group * 10 + 10)))
            }
        }
        try change("UPDATE events SET crc = crc + 1 WHERE first IN (11, 31)")
        let journal = try fixture.open()
        var expected = JournalFileFixture.Content()
        expected.numbers = Array(1...10) + Array(21...30) + Array(41...50)
        expected.damaged = [11...20, 31...40]
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == expected)
        expected.numbers.removeFirst(10)
        expected.damaged[0] = 13...20
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 12)) == expected)
    }

    @Test func `missing groups are told`() throws {
        do {
            let journal = try fixture.open()
            for group in 0..<5 as Range<Int64> {
                try journal.commit(JournalFileFixture.inputs((group * 10 + 1)...(group * 10 + 10)))
            }
        }
        try change("DELETE FROM inputs WHERE first IN (1, 21, 31)")
        let journal = try fixture.open()
        var expected = JournalFileFixture.Content()
        expected.numbers = Array(11...20) + Array(41...50)
        expected.damaged = [1...10, 21...40]
        #expect(try JournalFileFixture.Content(journal.entries(.inputs, after: 0)) == expected)
    }

    @Test func `a bad last group, value or format number makes a new journal out of the rest`() throws {
        for sql in [
            "UPDATE events SET crc = 0 WHERE first = 11", "UPDATE meta SET value = '9' WHERE key = 'rows_applied'",
            "UPDATE meta SET value = '2' WHERE key = 'format'", "PRAGMA user_version = 5",
            "PRAGMA application_id = 5",
        ] {
            let fixture = JournalFileFixture()
            var id = ""
            do {
                let journal = try fixture.open()
                id = journal.numbers.id
                try journal.commit(JournalFileFixture.events(1...10))
                var commit = JournalFileFixture.events(11...20)
                commit.outboxRows = [OutboxRow(sequence: 1, bytes: [1]), OutboxRow(sequence: 2, bytes: [2])]
                commit.rowsAppliedUpTo = 1
                try journal.commit(commit)
            }
            try change(sql, in: fixture.file)
            let journal = try fixture.open()
            #expect(journal.opening.movedAside.count == 1 && journal.opening.notes.count == 2)
            #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)).numbers.starts(with: 1...10))
            #expect(try journal.outbox(after: 0, limit: 9).elements.map(\.sequence) == [2])
            let isLoss = sql.hasPrefix("UPDATE")
            #expect(journal.opening.mayHaveLost == isLoss && journal.opening.isNew == isLoss, "\(sql)")
            #expect((journal.numbers.id == id) == !isLoss && journal.opening.formerID == (isLoss ? id : nil))
        }
    }

    @Test func `damage that is met while the journal is open makes a new one out of the rest`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...10))
        var root = 0
        // The rows are more than the cache holds, so pages are read again.
        var commit = Commit()
        commit.outboxRows = (1...100).map { OutboxRow(sequence: $0, bytes: [UInt8](repeating: 1, count: 100_000)) }
        try journal.commit(commit)
        journal.close()
        do {
            var settings = ConnectionSettings()
            settings.isExclusive = true
            let connection = try Connection(path: fixture.file, settings)
            try connection.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'ids_by_snapshot'") {
                root = Int($0.int64(at: 0))
            }
        }
        try journal.reopen(now: JournalFileFixture.noon)
        let file = Glibc.open(fixture.file, O_WRONLY)
        let zeros = [UInt8](repeating: 0, count: 4_096)
        #expect(pwrite(file, zeros, zeros.count, (root - 1) * 4_096) == 4_096)
        close(file)
        #expect(try journal.outbox(after: 0, limit: 1_000).elements.count == 100)
        var ids = Commit()
        ids.ids = [JournalIDSegment(snapshot: 1, kind: 1, latest: JournalFileFixture.noon, bytes: [1])]
        let error = #expect(throws: JournalError.self) { try journal.commit(ids) }
        #expect(error?.kind == .damaged && !journal.isOpen)
        let opening = try journal.reopen(now: JournalFileFixture.noon)
        // Only an index is gone, and none of the rows that it was made of.
        #expect(!opening.mayHaveLost && !opening.isNew && opening.movedAside.count == 1)
        try journal.commit(ids)
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...10))
        #expect(try journal.outbox(after: 0, limit: .max).elements.count == 100)
    }

    @Test func `rows and segments with a wrong checksum are counted and passed over`() throws {
        do {
            var commit = Commit()
            commit.outboxRows = (1...3).map { OutboxRow(sequence: $0, bytes: [UInt8($0)]) }
            commit.seriesBegan = [[1], [2]]
            commit.ids = (1...3).map {
                JournalIDSegment(snapshot: $0, kind: 1, latest: JournalFileFixture.noon, bytes: [1])
            }
            try fixture.open().commit(commit)
        }
        try change(
            """
            UPDATE outbox SET bytes = x'09' WHERE sequence = 2; UPDATE ids SET latest = 1 WHERE snapshot = 1;
            UPDATE shipped SET key = x'77' WHERE number = 1
            """)
        let journal = try fixture.open()
        let rows = try journal.outbox(after: 0, limit: 9)
        #expect(rows.elements.map(\.sequence) == [1, 3] && rows.damaged == 1)
        var snapshots: [Int64] = []
        #expect(try journal.forEachSegment { snapshots.append($0.snapshot) } == 1)
        #expect(snapshots == [2, 3])
        let series = try journal.shipped()
        #expect(series.elements == [[2]] && series.damaged == 1)
    }

    @Test func `a journal of a newer program is moved aside whole`() throws {
        do { try fixture.open().commit(JournalFileFixture.events(1...10)) }
        // The new value of the format has the right checksum.
        do {
            let crc = Checksum.crc32c(
                Array("format=2".utf8).span, after: Checksum.crc32c(([6] + Array(repeating: 0, count: 16)).span))
            try change("UPDATE meta SET value = '2', crc = \(crc) WHERE key = 'format'; PRAGMA user_version = 2")
        }
        let journal = try fixture.open()
        #expect(journal.opening.isNew && journal.opening.mayHaveLost && journal.numbers.lastEvent == 0)
        #expect(journal.opening.notes.first?.contains("format 2 of a newer program") == true)
        let aside = try #require(journal.opening.movedAside.first)
        #expect(aside.hasSuffix("journal.db.newer-20260921T141320Z"))
        #expect(access(aside, F_OK) == 0)
    }

    @Test func `what is no database is moved aside, each time under another name`() throws {
        for number in 1...3 {
            try FileStore.makeDirectory(fixture.directory)
            unlink(fixture.file)
            try FileStore.replace(fixture.file, with: Array(repeating: 0x41, count: 10_000))
            let journal = try fixture.open()
            #expect(journal.opening.isNew && journal.opening.mayHaveLost)
            try journal.commit(JournalFileFixture.events(1...2))
            let names = try JournalFileNames.all(in: fixture.directory).filter { $0.contains("damaged") }
            #expect(names.count == number)
        }
    }

    @Test func `a salvage that was interrupted is finished or begun again`() throws {
        do { try fixture.open().commit(JournalFileFixture.events(1...10)) }
        // The new file is complete, and the damaged one was moved aside already.
        #expect(rename(fixture.file, fixture.file + ".salvaged") == 0)
        do {
            let journal = try fixture.open()
            #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...10))
        }
        for name in [".salvage", ".salvaged", ".salvage-wal"] {
            try FileStore.replace(fixture.file + name, with: [1, 2, 3])
        }
        let journal = try fixture.open()
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...10))
        #expect(try JournalFileNames.all(in: fixture.directory).allSatisfy { !$0.contains("salvage") })
    }
}
