import Journal
import JournalSQLite
import SQLite
import Testing

/// The events that processes died of, as the journal keeps them.
@Suite struct JournalDeathsTests {
    private let fixture = JournalFileFixture()

    private static func deaths(_ events: Int64...) -> Commit {
        var commit = Commit()
        commit.deaths = events
        return commit
    }

    @Test func `deaths add up over restarts, for each event by itself`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...5))
        try journal.commit(Self.deaths(2))
        try journal.commit(Self.deaths(2, 4))
        #expect(journal.numbers.deaths == [2: 2, 4: 1])
        journal.close()
        let next = try fixture.open()
        #expect(next.numbers.deaths == [2: 2, 4: 1])
        try next.commit(Self.deaths(2))
        #expect(next.numbers.deaths == [2: 3, 4: 1])
    }

    @Test func `deaths go with the events that are truncated`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...5))
        try journal.commit(Self.deaths(2, 3, 4))
        try journal.commit(JournalFileFixture.truncation { $0.inputs = 0 })
        #expect(journal.numbers.deaths == [2: 1, 3: 1, 4: 1])
        try journal.commit(JournalFileFixture.truncation { $0.events = 3 })
        #expect(journal.numbers.deaths == [4: 1])
        journal.close()
        #expect(try fixture.open().numbers.deaths == [4: 1])
    }

    @Test func `where too many events have deaths, those with the fewest are forgotten`() throws {
        let journal = try fixture.open()
        try journal.commit(Self.deaths(1, 1))
        var commit = Commit()
        commit.deaths = Array(2...Int64(Commit.Limits.deaths) + 1)
        try journal.commit(commit)
        #expect(journal.numbers.deaths.count == Commit.Limits.deaths)
        #expect(journal.numbers.deaths[1] == 2 && journal.numbers.deaths[2] == nil)
    }

    @Test func `a journal of a program that knows no deaths has none, and one that has some keeps its format`() throws {
        let journal = try fixture.open()
        try journal.commit(JournalFileFixture.events(1...2))
        journal.close()
        // As every program before left it.
        #expect(try value("SELECT COUNT(*) FROM meta WHERE key = 'deaths'") == 0)
        let format = try value("PRAGMA user_version")
        let next = try fixture.open()
        #expect(next.numbers.deaths.isEmpty && !next.opening.isNew)
        try next.commit(Self.deaths(2))
        next.close()
        // A program before this one reads the same tables, and passes over a value that it does not know.
        #expect(try value("PRAGMA user_version") == format)
        #expect(try value("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'deaths'") == 0)
        #expect(try fixture.open().numbers.deaths == [2: 1])
    }

    @Test func `an event that is set aside makes room after all rows`() throws {
        let journal = try fixture.open()
        let noon = JournalFileFixture.noon
        var commit = Commit()
        commit.deadLetters = [DeadLetter(event: 7, at: noon, reason: "killed", row: "{}")]
        try journal.commit(commit)
        commit.deadLetters = (1...Int64(Commit.Limits.deadLetters)).map {
            DeadLetter(sequence: $0, at: noon, reason: "refused", row: "{}")
        }
        try journal.commit(commit)
        let found = try journal.deadLetters(after: 0, limit: .max).elements
        #expect(found.count == Commit.Limits.deadLetters)
        #expect(found.first?.sequence == 2 && found.last?.reason == "killed")
        #expect(found.last == DeadLetter(event: 7, at: noon, reason: "killed", row: "{}"))
    }

    private func value(_ query: String) throws -> Int64? {
        let file = try Connection(path: fixture.file)
        defer { file.close() }
        return try file.number(query)
    }
}
