import Journal
import JournalPostgres
import Platform
import TestSupport
import Testing
import Wire

/// A leader that was replaced, or that does not know what became of its commit.
@Suite struct FenceTests {
    private func turn(_ inputs: ClosedRange<Int64>, applied: Int64? = nil, bytes: Int = 0) -> Commit {
        var commit = Commit()
        LogFixture.append(inputs, to: &commit.inputs)
        commit.eventsApplied = applied
        commit.readingSent = LogFixture.noon + .seconds(inputs.lowerBound)
        commit.outboxRows = [OutboxRow(sequence: inputs.lowerBound, bytes: [UInt8](repeating: 1, count: bytes))]
        commit.deaths = [77]
        commit.ids = [
            JournalIDSegment(snapshot: 1, kind: 1, latest: LogFixture.noon, bytes: Array("\(inputs)".utf8))
        ]
        commit.deadLetters = [DeadLetter(sequence: inputs.lowerBound, at: LogFixture.noon, reason: "r", row: "x")]
        return commit
    }

    /// Everything that a turn leaves.
    private func state(_ journal: any StateJournal) throws -> [String] {
        var ids: [String] = []
        let damaged = try journal.forEachSegment { ids.append(String(decoding: $0.bytes, as: UTF8.self)) }
        #expect(damaged == 0)
        let rows = try journal.rows(after: 0, limit: 99).elements.map(\.sequence)
        let numbers = journal.numbers
        return [
            "\(try Content(journal.entries(.inputs, after: 0)).values)", "\(rows)", "\(ids)", "\(numbers.deaths)",
            "\(numbers.deadLetterCount)", "\(numbers.lastReading.map { $0.milliseconds } ?? 0)", "\(numbers.lastInput)",
        ]
    }

    @Test func `a commit under an epoch that is over is refused and writes nothing`() throws {
        let fixture = try LogFixture()
        let old = try fixture.lead()
        try old.commit(turn(1...2))
        let new = try fixture.lead()
        let before = try state(new)
        #expect(kind { try old.commit(turn(3...4)) } == .replaced)
        #expect(!old.isOpen && kind { try old.commit(turn(3...4)) } == .replaced)
        #expect(kind { _ = try old.reopen(now: LogFixture.noon) } == .replaced)
        let header = SnapshotHeader(
            journalID: "", number: 1, eventsApplied: 0, inputsApplied: 2, rowsEmitted: 0, takenAt: LogFixture.noon,
            isCleanStop: false)
        #expect(kind { try old.snapshotWriter.save(header, [1, 2, 3]) } == .replaced)
        #expect(kind { try old.moveAsideSnapshot(1, now: LogFixture.noon) } == .replaced)
        new.close()
        _ = try new.reopen(now: LogFixture.noon)
        #expect(try state(new) == before)
        #expect(try new.loadSnapshots(now: LogFixture.noon).newest == nil)
        try new.commit(turn(3...4))
    }

    @Test func `a commit that was on its way when the lease was taken is refused as well`() throws {
        let fixture = try LogFixture()
        let proxy = try PostgresProxy(to: fixture.server.port)
        let old = try fixture.lead(fixture.log(port: proxy.port))
        try old.commit(turn(1...2))
        proxy.plan(.late, atMessage: 1)
        #expect(kind { try old.commit(turn(3...4)) } == .other)
        let new = try fixture.lead()
        let before = try state(new)
        proxy.release()
        #expect(kind { _ = try old.reopen(now: LogFixture.noon) } == .replaced)
        waitForQuiet(proxy)
        new.close()
        _ = try new.reopen(now: LogFixture.noon)
        #expect(try state(new) == before)
    }

    @Test func `a taking waits for a commit that has passed the fence, and that commit counts`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        let proxy = try PostgresProxy(to: fixture.server.port)
        let old = try fixture.lead(fixture.log(port: proxy.port))
        try old.commit(turn(1...2, bytes: 50_000))
        // The large row comes after the fence. The server gets it when the taking waits.
        proxy.plan(.late, atMessage: 1, type: "B", size_bytes: 50_000)
        #expect(kind { try old.commit(turn(3...4, bytes: 50_000)) } == .other)
        #expect(try eventually { try isInTransaction(fixture) })
        let epoch = Monitor<Int64?>(nil)
        let taker = NamedThread(name: "taker") {
            let taken = try? fixture.takeLease(fixture.log(), holder: "b")
            epoch.change { $0 = taken }
        }
        #expect(try eventually { try isBlocked(fixture) })
        #expect(epoch.withLock { $0 } == nil)
        proxy.release()
        taker.join()
        #expect(epoch.withLock { $0 } == 2)
        let new = try fixture.open(fixture.log(), epoch: 2)
        #expect(try Content(new.entries(.inputs, after: 0)) == .whole(1...4))
        #expect(kind { _ = try old.reopen(now: LogFixture.noon) } == .replaced)
        #expect(try Content(new.entries(.inputs, after: 0)) == .whole(1...4))
    }

    @Test func `a leader that is silent inside a transaction does not hold up the next one`() throws {
        let fixture = try LogFixture(ownDatabaseOn: .shared())
        let proxy = try PostgresProxy(to: fixture.server.port)
        var settings = LogFixture.patient
        settings.idle = .seconds(4)
        let isReady = Monitor(false)
        let log = try fixture.log(port: proxy.port, settings)
        let result = Monitor<JournalError.Kind?>(nil)
        let leader = NamedThread(name: "leader") {
            let failure = kind {
                let journal = try fixture.lead(log)
                try journal.commit(turn(1...2, bytes: 50_000))
                proxy.plan(.silence, atMessage: 1, type: "B", size_bytes: 50_000)
                isReady.change { $0 = true }
                try journal.commit(turn(3...4, bytes: 50_000))
            }
            isReady.change { $0 = true }
            result.change { $0 = failure }
        }
        isReady.wait(until: nil) { $0 ? () : nil }
        // The leader has the lock of the fence when the server waits for the large row.
        let isSilent = try eventually { try !proxy.isPlanned && isInTransaction(fixture) }
        #expect(isSilent)
        var impatient = LogFixture.patient
        impatient.idle = .seconds(4)
        let epoch = try fixture.takeLease(fixture.log(impatient), holder: "b")
        let next = try fixture.open(fixture.log(), epoch: epoch)
        leader.join()
        #expect(result.withLock { $0 } == .other)
        #expect(try Content(next.entries(.inputs, after: 0)) == .whole(1...2))
    }

    // MARK: Unknown outcomes

    /// Commits until it succeeds, as the journal's thread does: after an error the journal is opened again, and the same
    /// content follows its last input.
    private func insist(_ journal: any StateJournal, _ commit: Commit, _ check: () throws -> Void = {}) throws {
        var commit = commit
        while true {
            commit.inputs.renumber(first: journal.numbers.lastInput + 1)
            do {
                try journal.commit(commit)
                return
            } catch {
                try check()
                while !journal.isOpen { _ = try? journal.reopen(now: LogFixture.noon) }
            }
        }
    }

    @Test(arguments: [PostgresProxy.Fault.before, .after])
    func `whichever message of a commit is lost, the commit counts once`(_ fault: PostgresProxy.Fault) throws {
        let model = try LogFixture().lead()
        for commit in [turn(1...2), turn(3...9, applied: 5, bytes: 6_000), turn(10...10)] { try model.commit(commit) }
        let expected = try state(model)
        var message = 0
        var isOver = false
        while !isOver {
            message += JournalContractFaultTests.stride
            let fixture = try LogFixture()
            let proxy = try PostgresProxy(to: fixture.server.port)
            let journal = try fixture.lead(fixture.log(port: proxy.port))
            try journal.commit(turn(1...2))
            proxy.plan(fault, atMessage: message)
            for commit in [turn(3...9, applied: 5, bytes: 6_000), turn(10...10)] {
                let before = journal.numbers.lastInput
                try insist(journal, commit) { () throws in
                    _ = eventually { (try? journal.reopen(now: LogFixture.noon)) != nil }
                    #expect(journal.numbers.lastInput == before, "the caller's numbers stay its own")
                    #expect(try Content(journal.entries(.inputs, after: 0)) == .whole(1...before))
                }
            }
            isOver = proxy.cancel()
            #expect(try state(journal) == expected, "message \(message)")
            #expect(try state(fixture.lead()) == expected, "message \(message)")
        }
        #expect(message > 20)
    }

    @Test(arguments: [PostgresProxy.Fault.before, .after])
    func `three openings that fail one after the other at any message are no replacement`(
        _ fault: PostgresProxy.Fault
    ) throws {
        let model = try LogFixture().lead()
        for commit in [turn(1...2), turn(3...4)] { try model.commit(commit) }
        let expected = try state(model)
        var message = 0
        var isOver = false
        while !isOver {
            message += JournalContractFaultTests.stride
            let fixture = try LogFixture()
            let proxy = try PostgresProxy(to: fixture.server.port)
            let journal = try fixture.lead(fixture.log(port: proxy.port))
            try journal.commit(turn(1...2))
            journal.close()
            for _ in 1...3 {
                proxy.plan(fault, atMessage: message)
                let failure = kind { _ = try journal.reopen(now: LogFixture.noon) }
                isOver = proxy.cancel()
                #expect(failure == (isOver ? nil : .other), "message \(message)")
                if isOver { break }
            }
            _ = try journal.reopen(now: LogFixture.noon)
            try journal.commit(turn(3...4))
            #expect(try state(journal) == expected, "message \(message)")
        }
        #expect(message > 8)
    }

    @Test func `a commit that arrives after the journal was opened again does nothing`() throws {
        let fixture = try LogFixture()
        let proxy = try PostgresProxy(to: fixture.server.port)
        let journal = try fixture.lead(fixture.log(port: proxy.port))
        try journal.commit(turn(1...2))
        proxy.plan(.late, atMessage: 1)
        #expect(kind { try journal.commit(turn(3...4)) } == .other)
        _ = try journal.reopen(now: LogFixture.noon)
        let before = try state(journal)
        proxy.release()
        waitForQuiet(proxy)
        journal.close()
        _ = try journal.reopen(now: LogFixture.noon)
        #expect(try state(journal) == before)
        try journal.commit(turn(3...4))
        let again = try state(journal)
        #expect(again[0] == "[1, 2, 3, 4]" && again[3] == "[77: 2]")
    }

    /// Somebody has begun a transaction in a database of one test, and is silent.
    private func isInTransaction(_ fixture: LogFixture) throws -> Bool {
        try fixture.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(fixture.database)' "
                + "AND state = 'idle in transaction'") == "1"
    }

    /// Somebody waits for a lock.
    private func isBlocked(_ fixture: LogFixture) throws -> Bool {
        try fixture.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(fixture.database)' AND wait_event_type = 'Lock' "
                + "AND query LIKE '%lkpush_journal_epochs%'") != "0"
    }

    /// The server did what was held back, and ended that connection.
    private func waitForQuiet(_ proxy: PostgresProxy) {
        #expect(eventually { proxy.isDone })
    }
}
