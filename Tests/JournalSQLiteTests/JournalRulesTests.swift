import Journal
import JournalSQLite
import Testing
import Wire

/// The number of the rules that entries are noted with.
@Suite struct JournalRulesTests {
    private let fixture = JournalFileFixture()

    private func rules(_ cursor: GroupCursor) throws -> [Int] {
        var cursor = cursor
        var found: [Int] = []
        while let step = try cursor.next() {
            if case .entry = step { found.append(cursor.rules) }
        }
        return found
    }

    @Test func `entries are given with the number they were noted with, and one that is missing is 1`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...2))
        var commit = Commit(rules: 7)
        JournalFileFixture.append(3...5, to: &commit.events)
        JournalFileFixture.append(1...2, to: &commit.inputs)
        try journal.commit(commit)
        // A commit that is used again notes its rules again.
        commit.restart(afterEvent: 5, afterInput: 2)
        JournalFileFixture.append(6...6, to: &commit.events)
        try journal.commit(commit)
        // The program before this version writes these after a way back.
        try journal.commit(JournalFileFixture.events(7...8))
        #expect(try JournalFileFixture.Content(journal.entries(.events, after: 0)) == .whole(1...8))
        #expect(try rules(journal.entries(.events, after: 0)) == [1, 1, 7, 7, 7, 7, 1, 1])
        #expect(try rules(journal.entries(.events, after: 3)) == [7, 7, 7, 1, 1])
        #expect(try rules(journal.entries(.inputs, after: 0)) == [7, 7])
    }

    @Test func `a group of the first rules has the bytes that it always had, others only a field more`() throws {
        var first = Group()
        var second = Group(rules: 2)
        for _ in 0..<2 {
            first.append(encoded: [8, 1])
            second.append(encoded: [8, 1])
        }
        let entries: [UInt8] = [1 << 3 | 2, 2, 8, 1, 1 << 3 | 2, 2, 8, 1]
        #expect(first.bytes == entries)
        #expect(second.bytes == [2 << 3, 2] + entries)
    }

    @Test func `who may write rows is kept with what they are`() throws {
        do {
            let journal = try fixture.open()
            #expect(journal.numbers.lineage == "" && journal.numbers.inputApplied == 0)
            var commit = Commit()
            commit.lineage = "a:0:0\nb:1"
            commit.inputAppliedUpTo = 12
            try journal.commit(commit)
        }
        let journal = try fixture.open()
        #expect(journal.numbers.lineage == "a:0:0\nb:1" && journal.numbers.inputApplied == 12)
    }
}
