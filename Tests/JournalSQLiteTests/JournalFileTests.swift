import Glibc
import Journal
import JournalSQLite
import Platform
import SQLite
import TestSupport
import Testing
import Wire

@Suite struct JournalFileTests {
    let fixture = JournalFileFixture()

    @Test func `what is committed is read again in order after a restart`() throws {
        let id: String
        do {
            let journal = try fixture.open()
            #expect(journal.opening.isNew && !journal.opening.mayHaveLost && journal.opening.notes.isEmpty)
            id = journal.numbers.id
            #expect(id.utf8.count == 32)
            try journal.commit(JournalFileFixture.events(1...1))
            var both = JournalFileFixture.events(2...300)
            JournalFileFixture.append(1...5, to: &both.inputs)
            try journal.commit(both)
            try journal.commit(JournalFileFixture.inputs(6...6))
            #expect(journal.numbers.lastEvent == 300 && journal.numbers.lastInput == 6)
            #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...300))
        }
        let journal = try fixture.open()
        #expect(journal.numbers.id == id && !journal.opening.isNew && !journal.opening.mayHaveLost)
        #expect(journal.numbers.lastEvent == 300 && journal.numbers.lastInput == 6)
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...300))
        #expect(try JournalFileFixture.Content(journal.entries(.inputs, after: 0)) == .whole(1...6))
    }

    @Test func `reading begins in the middle of a group and beyond the end`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...10))
        try journal.commit(JournalFileFixture.events(11...20))
        for after: Int64 in 0..<20 {
            #expect(try JournalFileFixture.Content(journal.entries(.events, after: after)) == .whole((after + 1)...20))
        }
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 20)) == .init())
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 99)) == .init())
        #expect(try JournalFileFixture.Content(journal.entries(.inputs, after: 0)) == .init())
    }

    @Test func `events and inputs are read in turns`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        try journal.commit(JournalFileFixture.inputs(1...2))
        try journal.commit(JournalFileFixture.events(4...4))
        var events = journal.entries(.events, after: 0)
        var inputs = journal.entries(.inputs, after: 0)
        var order: [String] = []
        for isEvent in [true, false, true, false, true, true] {
            let step = isEvent ? try events.next() : try inputs.next()
            guard case .entry(let number, _) = step else { continue }
            order.append("\(isEvent ? "event" : "input") \(number)")
        }
        #expect(order == ["event 1", "input 1", "event 2", "input 2", "event 3", "event 4"])
        #expect(try events.next() == nil && inputs.next() == nil)
    }

    @Test func `numbers that do not follow are refused and nothing is written`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...3))
        for wrong in [3...4, 5...6, 1...1] as [ClosedRange<Int64>] {
            var commit = JournalFileFixture.events(wrong)
            commit.rowsAppliedUpTo = 9
            #expect(throws: JournalError.self) { try journal.commit(commit) }
        }
        #expect(journal.numbers.lastEvent == 3 && journal.numbers.rowsApplied == 0)
        try journal.commit(JournalFileFixture.events(4...4))
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...4))
    }

    @Test func `an empty commit does nothing`() throws {
        let journal = try fixture.open()
        let size = try journal.size_bytes()
        try journal.commit(Commit())
        #expect(try journal.size_bytes() == size)
    }

    @Test func `a commit is kept and used again`() throws {
        let journal = try fixture.open()
        var commit = Commit()
        for _ in 0..<10 {
            commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: journal.numbers.lastInput)
            for number in (journal.numbers.lastEvent + 1)...(journal.numbers.lastEvent + 5) {
                var writer = MessageWriter()
                writer.field(1, number)
                writer.field(2, JournalFileFixture.text(number))
                commit.events.append(encoded: writer.bytes)
            }
            try journal.commit(commit)
        }
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...50))
    }

    // MARK: Truncation

    @Test func `truncated entries are gone, whole groups at a time, and the numbers go on`() throws {
        do {
            let journal = try fixture.open()
            try journal.commit(JournalFileFixture.events(1...10))
            try journal.commit(JournalFileFixture.events(11...20))
            try journal.commit(JournalFileFixture.inputs(1...4))
            try journal.commit(
                JournalFileFixture.truncation {
                    $0.events = 15
                    $0.inputs = 4
                })
            #expect(journal.numbers.eventsBase == 15 && journal.numbers.inputsBase == 4)
            #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(16...20))
        }
        let journal = try fixture.open()
        #expect(journal.numbers.lastEvent == 20 && journal.numbers.lastInput == 4)
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(16...20))
        #expect(try JournalFileFixture.Content(journal.entries(.inputs, after: 0)) == .init())
        try journal.commit(JournalFileFixture.inputs(5...6))
        #expect(try JournalFileFixture.Content(journal.entries(.inputs, after: 4)) == .whole(5...6))
    }

    @Test func `truncation beyond the end moves the numbering on`() throws {
        let journal = try fixture.open()
        var commit = JournalFileFixture.truncation {
            $0.events = 1_000
            $0.inputs = 50
        }
        JournalFileFixture.append(1_001...1_002, to: &commit.events)
        try journal.commit(commit)
        #expect(journal.numbers.lastEvent == 1_002 && journal.numbers.lastInput == 50)
        try journal.commit(JournalFileFixture.inputs(51...51))
        let again = try {
            journal.close(); return try fixture.open()
        }()
        #expect(again.numbers.lastEvent == 1_002 && again.numbers.lastInput == 51)
        #expect(try JournalFileFixture.Content(again.entries(.events, after: 0)) == .whole(1_001...1_002))
    }

    @Test func `many truncated groups go a bounded number at a time and the file shrinks`() throws {
        let journal = try fixture.open()
        let groups = Int64(JournalFile.Limits.truncatedGroups * 3)
        for group in 0..<groups {
            try journal.commit(JournalFileFixture.events((group * 100 + 1)...(group * 100 + 100)))
        }
        let full = try journal.size_bytes()
        try journal.commit(JournalFileFixture.truncation { $0.events = groups * 100 })
        let first = try journal.size_bytes()
        for number in 0..<20 as Range<Int64> {
            try journal.commit(JournalFileFixture.inputs((number + 1)...(number + 1)))
        }
        let last = try journal.size_bytes()
        #expect(first < full && last < first)
        // The log keeps its own size on disk.
        #expect(last < JournalFile.Limits.log_bytes + (1 << 20))
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .init())
    }

    @Test func `room that the outbox took is given back`() throws {
        let journal = try fixture.open()
        var commit = Commit()
        let big = [UInt8](repeating: 1, count: 100_000)
        commit.outboxRows = (1...400).map { OutboxRow(sequence: $0, bytes: big) }
        try journal.commit(commit)
        #expect(try journal.size_bytes() > 40_000_000)
        var applied = JournalFileFixture.truncation { $0.events = 1 }
        applied.rowsAppliedUpTo = 400
        try journal.commit(applied)
        // The log shrinks at the commit after the one that empties it.
        try journal.commit(JournalFileFixture.events(2...2))
        #expect(try journal.size_bytes() < JournalFile.Limits.log_bytes + (1 << 20))
        for number in 1...80 as ClosedRange<Int64> { try journal.commit(JournalFileFixture.inputs(number...number)) }
        journal.close()
        let size = try FileStore.read(fixture.file, limit: 1 << 30).count
        #expect(size < (JournalFile.Limits.freePages + 400) * 4_096)
        #expect(try JournalFileFixture.Content(try fixture.open().entries(.inputs, after: 0)) == .whole(1...80))
    }

    // MARK: Outbox

    @Test func `rows wait in the outbox until they are applied`() throws {
        let rows = (11...40).map { OutboxRow(sequence: $0, bytes: Array("row \($0)".utf8)) }
        do {
            let journal = try fixture.open()
            #expect(try journal.outboxExtent() == nil)
            var commit = Commit()
            commit.outboxRows = rows
            try journal.commit(commit)
            // A replay writes the rows again that it makes again.
            try journal.commit(commit)
        }
        let journal = try fixture.open()
        let extent = try #require(try journal.outboxExtent())
        #expect(extent.oldest == 11 && extent.newest == 40)
        #expect(try journal.outbox(after: 0, limit: 10).elements == Array(rows[0..<10]))
        #expect(try journal.outbox(after: 20, limit: 99).elements == Array(rows[10...]))
        var applied = Commit()
        applied.rowsAppliedUpTo = 35
        applied.outboxRows = [OutboxRow(sequence: 30, bytes: [1]), OutboxRow(sequence: 41, bytes: [])]
        try journal.commit(applied)
        #expect(journal.numbers.rowsApplied == 35)
        #expect(try journal.outbox(after: 0, limit: 99).elements.map(\.sequence) == [36, 37, 38, 39, 40, 41])
        #expect(try journal.dropOldestRows(2) == 2)
        #expect(try journal.outboxExtent()?.oldest == 38)
        #expect(try journal.dropOldestRows(99) == 4)
        #expect(try journal.outboxExtent() == nil)
        let again = try {
            journal.close(); return try fixture.open()
        }()
        #expect(again.numbers.rowsApplied == 35)
    }

    @Test func `dead letters are bounded and the dropped ones counted`() throws {
        let journal = try fixture.open()
        let most = Int64(Commit.Limits.deadLetters)
        var commit = Commit()
        for sequence in 1...(most + 3) {
            commit.deadLetters.append(
                DeadLetter(
                    sequence: sequence, at: JournalFileFixture.noon, reason: "22003", row: "{\"a\": \(sequence)}"))
        }
        try journal.commit(commit)
        #expect(journal.numbers.deadLetterCount == Int(most) && journal.numbers.deadLettersDropped == 3)
        let page = try journal.deadLetters(after: 0, limit: 2)
        #expect(page.elements == Array(commit.deadLetters[3...4]) && page.damaged == 0)
        let again = try {
            journal.close(); return try fixture.open()
        }()
        #expect(again.numbers.deadLetterCount == Int(most) && again.numbers.deadLettersDropped == 3)
    }

    // MARK: Ids, series, time

    @Test func `segments of ids come back in order, expire and fall with their snapshot`() throws {
        func segment(_ snapshot: Int64, _ kind: Int, _ latest: Int64, _ bytes: [UInt8]) -> JournalIDSegment {
            JournalIDSegment(snapshot: snapshot, kind: kind, latest: Timestamp(seconds: latest), bytes: bytes)
        }
        func all(_ journal: JournalFile) throws -> [JournalIDSegment] {
            var found: [JournalIDSegment] = []
            #expect(try journal.forEachSegment { found.append($0) } == 0)
            return found
        }
        let journal = try fixture.open()
        var commit = Commit()
        let big = [UInt8](repeating: 7, count: 300_000)
        commit.ids = [segment(1, 1, 10, [1]), segment(1, 2, 10, big), segment(2, 1, 20, []), segment(3, 1, 30, [3])]
        try journal.commit(commit)
        #expect(try all(journal) == commit.ids)
        var again = Commit()
        again.ids = [segment(3, 1, 31, [4])]
        try journal.commit(again)
        #expect(try all(journal) == commit.ids + again.ids)
        try journal.commit(
            JournalFileFixture.truncation {
                $0.expiredIDs = [Truncation.Expiry(kind: 1, latest: Timestamp(seconds: 10))]
                $0.idsAboveSnapshot = 2
            })
        #expect(try all(journal) == [commit.ids[1], commit.ids[2]])
    }

    @Test func `series and the time of the last sample are remembered`() throws {
        do {
            let journal = try fixture.open()
            #expect(journal.numbers.lastReading == nil)
            var commit = Commit()
            commit.readingSent = JournalFileFixture.noon
            commit.seriesBegan = [[1], [2, 2], [], [3]]
            try journal.commit(commit)
            var ended = Commit()
            ended.seriesEnded = [[2, 2], [9]]
            ended.seriesBegan = [[1]]
            try journal.commit(ended)
        }
        let journal = try fixture.open()
        #expect(journal.numbers.lastReading == JournalFileFixture.noon)
        #expect(Set(try journal.shipped().elements) == [[1], [], [3]])
    }

    @Test func `series that were pushed can be looked at beside the process that has the journal`() throws {
        let directory = fixture.directory
        #expect(JournalFile.glimpseOfShipped(in: directory) == nil)
        do {
            let journal = try fixture.open()
            #expect(JournalFile.glimpseOfShipped(in: directory) == [])
            var commit = Commit()
            commit.seriesBegan = [[1], [2, 2]]
            try journal.commit(commit)
        }
        let journal = try fixture.open()
        let before = try Folder.names(directory)
        #expect(JournalFile.glimpseOfShipped(in: directory).map(Set.init) == [[1], [2, 2]])
        #expect(try Folder.names(directory) == before)
        var commit = Commit()
        commit.seriesBegan = [[3]]
        try journal.commit(commit)
        #expect(try journal.shipped().elements.count == 3)
    }

    @Test func `a journal that is none, or of a newer program, tells no series`() throws {
        let path = fixture.file
        try FileStore.makeDirectory(fixture.directory)
        try FileStore.replace(path, with: Array("no database".utf8))
        #expect(JournalFile.glimpseOfShipped(in: fixture.directory) == nil)
        unlink(path)
        let other = try Connection(path: path)
        try other.execute("CREATE TABLE shipped (number, crc, key)")
        other.close()
        #expect(JournalFile.glimpseOfShipped(in: fixture.directory) == nil)
    }

    // MARK: Size

    @Test func `an office day needs less than eight mebibytes on disk`() throws {
        let journal = try fixture.open()
        // There are 15,000 events of 170 bytes in groups of ten, truncated every 150 events.
        var commit = Commit()
        let filler = String(repeating: "x", count: 150)
        for group in 0..<1_500 as Range<Int64> {
            commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: journal.numbers.lastInput)
            for number in (group * 10 + 1)...(group * 10 + 10) {
                commit.events.append {
                    $0.field(1, number)
                    $0.field(2, filler)
                }
            }
            commit.inputs.append { $0.field(1, group) }
            if group % 15 == 0 {
                commit.truncation = Truncation(events: max(0, group * 10 - 150), inputs: max(0, group - 15))
            }
            try journal.commit(commit)
        }
        var bytes = 0
        for suffix in ["", "-wal"] { bytes += try FileStore.read(fixture.file + suffix, limit: 1 << 30).count }
        #expect(bytes < 8 << 20)
        #expect(try journal.size_bytes() < 8 << 20)
    }
}
