import Journal
import JournalPostgres
import Platform
import TestSupport
import Testing
import Wire

@Suite struct AppendTests {
    @Test func `groups get consecutive numbers from 1, in their order`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        #expect(try log.append([]) == 0)
        #expect(try log.append([LogFixture.group("p", 1, 1...3)]) == 3)
        #expect(try log.append([LogFixture.group("q", 1, 4...4), LogFixture.group("p", 2, 5...9)]) == 9)
        log.close()
        #expect(try log.append([LogFixture.group("p", 3, 10...10)]) == 10)
        let journal = try fixture.lead()
        #expect(try Content(journal.appended(after: 0, limit: .max)) == .whole(1...10))
        #expect(try Content(journal.appended(after: 5, limit: 1)) == .whole(6...9))
        #expect(try Content(journal.appended(after: 10, limit: 1)) == Content())
        #expect(try fixture.query("SELECT sum(count) FROM lkpush_journal_events WHERE log = '\(fixture.name)'") == "10")
    }

    @Test func `what was read of a log again and again is the whole of it`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        for number in 1...40 as ClosedRange<Int64> {
            _ = try log.append([LogFixture.group("p", number, (number * 7 - 6)...(number * 7))])
        }
        let journal = try fixture.lead()
        for limit in [1, 3, 7, 8, 100] {
            var values: [Int64] = []
            while let step = Optional(try Content(journal.appended(after: Int64(values.count), limit: limit))),
                !step.numbers.isEmpty
            {
                #expect(step.numbers.first == Int64(values.count + 1) && step.numbers.count < limit + 7)
                values += step.values
            }
            #expect(values == Array(1...280))
        }
    }

    @Test func `a group that is repeated changes nothing`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        let groups = [LogFixture.group("p", 1, 1...3), LogFixture.group("p", 2, 4...5)]
        #expect(try log.append([groups[0]]) == 3)
        #expect(try log.append(groups) == 5)
        #expect(try log.append(groups) == 5)
        #expect(try log.append([groups[1], groups[1], LogFixture.group("p", 3, 6...6)]) == 6)
        #expect(try Content(fixture.lead().appended(after: 0, limit: .max)) == .whole(1...6))
    }

    @Test func `another group under the same number is a conflict, and nothing is appended`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        #expect(try log.append([LogFixture.group("p", 1, 1...3)]) == 3)
        let others = [
            LogFixture.group("q", 1, 4...4), LogFixture.group("p", 1, 4...6), LogFixture.group("q", 2, 7...7),
        ]
        #expect(kind { _ = try log.append(others) } == .conflict)
        #expect(try log.append([LogFixture.group("r", 1, 4...4)]) == 4)
        #expect(try Content(fixture.lead().appended(after: 0, limit: .max)) == .whole(1...4))
    }

    @Test func `three replicas append at once without a gap, each in its own order`() throws {
        let fixture = try LogFixture()
        let failures = Monitor(0)
        let threads = (0..<3).map { replica in
            NamedThread(name: "append-\(replica)") {
                do {
                    let log = try fixture.log().eventLog()
                    for number in 1...60 as ClosedRange<Int64> {
                        let value = Int64(replica) * 1_000 + number * 3
                        let group = LogFixture.group("replica-\(replica)", number, value...(value + 2))
                        _ = try log.append([group])
                        if number % 10 == 0 { _ = try log.append([group]) }
                    }
                } catch {
                    failures.change { $0 += 1 }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == 0)
        let content = try Content(fixture.lead().appended(after: 0, limit: .max))
        #expect(content.numbers == Array(1...540) && content.damaged.isEmpty)
        for replica in 0..<3 as Range<Int64> {
            let own = content.values.filter { $0 / 1_000 == replica }
            #expect(own == Array((replica * 1_000 + 3)...(replica * 1_000 + 182)))
        }
    }

    @Test func `large groups are appended whole`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        #expect(
            try log.append([LogFixture.group("p", 1, 1...20_000), LogFixture.group("p", 2, 20_001...40_000)]) == 40_000)
        let journal = try fixture.lead()
        let content = try Content(journal.appended(after: 19_000, limit: .max))
        #expect(content == .whole(19_001...20_000), "one that is read is as large as a portion, or is alone")
        #expect(try Content(journal.appended(after: 20_000, limit: .max)) == .whole(20_001...40_000))
    }

    @Test func `whichever message is lost, the repeated groups are there once`() throws {
        for fault in [PostgresProxy.Fault.before, .after] {
            var message = 0
            var isOver = false
            while !isOver {
                message += JournalContractFaultTests.stride
                let fixture = try LogFixture()
                let proxy = try PostgresProxy(to: fixture.server.port)
                let log = try fixture.log(port: proxy.port).eventLog()
                let first = [LogFixture.group("p", 1, 1...3)]
                let second = [LogFixture.group("p", 2, 4...50), LogFixture.group("p", 3, 51...51)]
                proxy.plan(fault, atMessage: message)
                for groups in [first, second] {
                    while kind({ _ = try log.append(groups) }) != nil { #expect(!proxy.isPlanned) }
                }
                isOver = proxy.cancel()
                #expect(
                    try Content(fixture.lead().appended(after: 0, limit: .max)) == .whole(1...51), "message \(message)")
            }
            #expect(message > 20)
        }
    }

    @Test func `groups that were trimmed are known still, and the numbers go on`() throws {
        let fixture = try LogFixture()
        let log = try fixture.log().eventLog()
        let journal = try fixture.lead()
        for number in 1...4 as ClosedRange<Int64> {
            _ = try log.append([LogFixture.group("p", number, (number * 2 - 1)...(number * 2))])
        }
        var commit = Commit()
        commit.eventsApplied = 8
        commit.truncation = Truncation(events: 8)
        try journal.commit(commit)
        #expect(try fixture.query("SELECT first FROM lkpush_journal_events WHERE log = '\(fixture.name)'") == "7")
        #expect(try log.append([LogFixture.group("p", 2, 3...4), LogFixture.group("p", 5, 9...9)]) == 9)
        #expect(try Content(journal.appended(after: 0, limit: .max)) == .whole(9...9))
    }

    @Test func `a wait for a standby that is cancelled is no success, and the repeat is harmless`() throws {
        let server = try PostgresServer(settings: ["synchronous_standby_names": "nobody"])
        let fixture = try LogFixture(ownDatabaseOn: server)
        // The tables are made while nothing waits.
        try server.query("ALTER SYSTEM SET synchronous_standby_names = ''")
        try server.query("SELECT pg_reload_conf()")
        let isQuiet = eventually {
            (try? server.query("SHOW synchronous_standby_names")) == ""
        }
        #expect(isQuiet)
        let log = try fixture.log().eventLog()
        _ = try log.append([])
        try server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try server.query("SELECT pg_reload_conf()")
        let isStrict = eventually { (try? server.query("SHOW synchronous_standby_names")) == "nobody" }
        #expect(isStrict)
        let isDone = Monitor(false)
        let canceller = NamedThread(name: "cancel") {
            _ = eventually {
                _ = try? server.query(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                return isDone.withLock { $0 }
            }
        }
        let group = LogFixture.group("p", 1, 1...3)
        #expect(kind { _ = try log.append([group]) } == .other)
        isDone.change { $0 = true }
        canceller.join()
        try server.query("ALTER SYSTEM SET synchronous_standby_names = ''")
        try server.query("SELECT pg_reload_conf()")
        #expect(eventually { (try? server.query("SHOW synchronous_standby_names")) == "" })
        #expect(try log.append([group]) == 3)
        #expect(try log.append([LogFixture.group("p", 2, 4...4)]) == 4)
    }
}
