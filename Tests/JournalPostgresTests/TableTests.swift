import Journal
import JournalPostgres
import Platform
import TestSupport
import Testing
import Wire

/// The tables of logs, and a server in trouble.
@Suite struct TableTests {
    @Test func `several replicas make the tables at once`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        let results = Monitor<[String]>([])
        let threads = (0..<6).map { number in
            NamedThread(name: "start-\(number)") {
                do {
                    let record = try fixture.log().lease().look()
                    results.change { $0.append("epoch \(record.epoch)") }
                } catch {
                    results.change { $0.append("\(error)") }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(results.withLock { $0 } == [String](repeating: "epoch 0", count: 6))
        #expect(try fixture.query("SELECT version FROM lkpush_journal_versions") == "1")
        #expect(try fixture.query("SELECT count(*) FROM lkpush_journal_logs") == "1")
    }

    @Test func `logs in one database do not meet`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        let url = try fixture.log()
        let other = try fixture.log(named: "other")
        _ = try url.eventLog().append([LogFixture.group("p", 1, 1...3)])
        #expect(try other.eventLog().append([LogFixture.group("p", 1, 1...2)]) == 2)
        #expect(try fixture.takeLease(url) == 1 && fixture.takeLease(other) == 1)
        let ids = try [url, other].map { try fixture.open($0, epoch: 1).numbers.id }
        #expect(ids[0] != ids[1])
    }

    @Test func `tables of a newer program are left alone`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        _ = try fixture.log().lease().look()
        try fixture.query("INSERT INTO lkpush_journal_versions VALUES (9, now())")
        #expect(throws: JournalError.self) { try fixture.log().lease().look() }
        do {
            _ = try fixture.log().lease().look()
        } catch {
            #expect("\(error)".contains("version 9 of a newer program; this one knows 1"))
        }
    }

    @Test func `tables that went are made again, as another log`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        let log = try fixture.log()
        let events = log.eventLog()
        _ = try events.append([LogFixture.group("p", 1, 1...3)])
        let journal = try fixture.lead(log)
        let tables = try fixture.query(
            "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE tablename LIKE 'lkpush_journal_%'")
        try fixture.query("DROP TABLE \(tables)")
        #expect(kind { _ = try events.append([LogFixture.group("p", 2, 4...4)]) } == .other)
        #expect(try events.append([LogFixture.group("p", 2, 4...4)]) == 1)
        var commit = Commit()
        commit.lineage = "x"
        #expect(kind { try journal.commit(commit) } != nil)
        #expect(kind { _ = try journal.reopen(now: LogFixture.noon) } == .replaced, "nobody leads the new log")
        #expect(try fixture.lead(log).numbers.id != journal.numbers.id)
    }

    @Test func `damaged groups are named, and the others read`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log()
        let events = log.eventLog()
        let journal = try fixture.lead(log)
        for number in 1...4 as ClosedRange<Int64> {
            _ = try events.append([LogFixture.group("p", number, (number * 5 - 4)...(number * 5))])
        }
        var commit = Commit()
        commit.eventsApplied = 20
        commit.outboxRows = (1...3).map { OutboxRow(sequence: $0, bytes: [UInt8($0)]) }
        commit.seriesBegan = [[1], [2]]
        try journal.commit(commit)
        let own = "WHERE log = '\(fixture.name)'"
        try fixture.query("UPDATE lkpush_journal_events SET bytes = bytes || '\\x00' \(own) AND first IN (6, 16)")
        try fixture.query("UPDATE lkpush_journal_outbox SET checksum = checksum + 1 \(own) AND sequence = 2")
        try fixture.query("UPDATE lkpush_journal_shipped SET key = '\\x05' \(own) AND key = '\\x01'")
        for cursor in try [journal.entries(.events, after: 0), journal.appended(after: 0, limit: 99)] {
            let content = try Content(cursor)
            #expect(content.damaged == [6...10, 16...20])
            #expect(content.values == Array(1...5) + Array(11...15))
        }
        try fixture.query("DELETE FROM lkpush_journal_events \(own) AND first = 11")
        let content = try Content(journal.entries(.events, after: 3))
        #expect(content.values == [4, 5] && content.damaged == [6...20])
        let rows = try journal.rows(after: 0, limit: 9)
        #expect(rows.damaged == 1 && rows.elements.map(\.sequence) == [1, 3])
        let series = try journal.shipped()
        #expect(series.damaged == 1 && series.elements == [[2]])
    }

    @Test func `an interruption ends every wait`() throws {
        let fixture = try LogFixture()
        let proxy = try PostgresProxy(to: fixture.server.port)
        let interruption = Interruption()
        let log = try fixture.log(port: proxy.port, interruption: interruption)
        let failure = Monitor<JournalError.Kind?>(nil)
        let isReady = Monitor(false)
        let thread = NamedThread(name: "append") {
            let events = log.eventLog()
            _ = try? events.append([])
            proxy.plan(.silence, atMessage: 1)
            isReady.change { $0 = true }
            let found = kind { _ = try events.append([LogFixture.group("p", 1, 1...1)]) }
            failure.change { $0 = found }
        }
        _ = isReady.wait(until: nil) { $0 ? () : nil }
        #expect(eventually { !proxy.isPlanned })
        interruption.interrupt()
        thread.join()
        #expect(failure.withLock { $0 } == .other)
        #expect(kind { _ = try log.lease().look() } == .other)
    }

    @Test func `a server that became read-only is told, and used again when it is not`() throws {
        let server = try PostgresServer()
        let fixture = try LogFixture(ownDatabaseOn: server)
        let log = try fixture.log()
        let events = log.eventLog()
        #expect(try events.append([LogFixture.group("p", 1, 1...3)]) == 3)
        func set(_ value: String) throws {
            try server.query("ALTER SYSTEM SET default_transaction_read_only = \(value)")
            try server.query("SELECT pg_reload_conf()")
            #expect(try eventually { try server.query("SHOW default_transaction_read_only") == value })
        }
        try set("on")
        let group = LogFixture.group("p", 2, 4...4)
        var kinds: [JournalError.Kind] = []
        // A session takes the setting over when it is next idle.
        _ = eventually {
            guard let found = kind({ _ = try events.append([group]) }) else { return false }
            kinds.append(found)
            return true
        }
        #expect(kinds == [.readOnly])
        #expect(kind { _ = try events.append([group]) } == .other, "no host accepts writes")
        try set("off")
        #expect(eventually { (try? events.append([group])) == 4 })
        let facts = try log.look()
        #expect(facts.serverVersion > 120_000 && !facts.isInRecovery && !facts.isSynced)
        #expect(facts.standbyNames == "" && facts.synchronousStandbys == 0 && facts.synchronousCommit == "off")
    }
}
