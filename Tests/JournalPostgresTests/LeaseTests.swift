import Journal
import JournalPostgres
import Platform
import TestSupport
import Testing
import Wire

@Suite struct LeaseTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    private func take(
        _ lease: any LogLease, _ how: LeaseTaking = .expired, after epoch: Int64, _ holder: String = "a"
    ) throws -> Int64? {
        try lease.take(how, after: epoch, holder: holder, fingerprint: "print of \(holder)", lasting: .seconds(3_600))
    }

    @Test func `a new log has no leader`() throws {
        let record = try fixture.log().lease().look()
        var expected = LeaseRecord()
        (expected.now, expected.id) = (record.now, record.id)
        #expect(!record.id.isEmpty)
        #expect(record == expected)
        #expect(record.now.milliseconds > 1_700_000_000_000)
    }

    @Test func `a lease is taken, renewed and released`() throws {
        let lease = try fixture.log().lease()
        #expect(try take(lease, after: 0) == 1)
        var record = try lease.look()
        #expect(record.epoch == 1 && record.holder == "a" && record.fingerprint == "print of a")
        #expect(!record.hasExpired && !record.isReleased && record.since != nil)
        let before = record.renewal
        #expect(try lease.renew(1, lasting: .seconds(3_600)))
        record = try lease.look()
        #expect(record.renewal > before && record.epoch == 1)
        #expect(try !lease.renew(2, lasting: .seconds(3_600)) && !lease.renew(0, lasting: .seconds(3_600)))

        let other = try fixture.log().lease()
        #expect(try take(other, after: 1, "b") == nil)
        #expect(try other.look().holder == "a", "a refused taking changes nothing")
        try other.release(2)
        #expect(try !other.look().isReleased)
        try lease.release(1)
        record = try other.look()
        #expect(record.isReleased && record.hasExpired && record.holder == "a" && record.epoch == 1)
        #expect(try take(other, after: 1, "b") == 2)
        #expect(try !lease.renew(1, lasting: .seconds(3_600)))
        try lease.release(1)
        #expect(try !other.look().isReleased, "the old holder releases nothing")
    }

    @Test func `a lease that has run out can be taken, by one`() throws {
        let lease = try fixture.log().lease()
        #expect(try lease.take(.expired, after: 0, holder: "a", fingerprint: "", lasting: .milliseconds(1)) == 1)
        #expect(try eventually { try lease.look().hasExpired })
        #expect(try take(lease, after: 0, "b") == nil, "another epoch was seen")
        let winners = Monitor<[Int64?]>([])
        let threads = (0..<4).map { number in
            NamedThread(name: "take-\(number)") { [fixture] in
                let epoch = try? fixture.log().lease().take(
                    .expired, after: 1, holder: "\(number)", fingerprint: "", lasting: .seconds(3_600))
                winners.change { $0.append(epoch) }
            }
        }
        for thread in threads { thread.join() }
        #expect(winners.withLock { $0.compactMap { $0 } } == [2])
    }

    @Test func `a lease whose renewals stand still is taken, whatever the clock of the database says`() throws {
        let lease = try fixture.log().lease()
        #expect(try take(lease, after: 0) == 1)
        // The clock of a standby that was promoted is ten minutes behind, so the lease lasts ten minutes longer.
        try fixture.query(
            "UPDATE lkpush_journal_leases SET expires = expires + interval '10 minutes' WHERE log = '\(fixture.name)'")
        let seen = try lease.look()
        #expect(!seen.hasExpired)
        let other = try fixture.log().lease()
        #expect(try take(other, after: 1, "b") == nil)
        #expect(try lease.renew(1, lasting: .seconds(3_600)))
        #expect(try take(other, .stoodStill(renewal: seen.renewal), after: 1, "b") == nil, "it was renewed since")
        let again = try lease.look()
        #expect(try take(other, .stoodStill(renewal: again.renewal), after: 1, "b") == 2)
    }

    @Test func `the lease tells how far the log and its leader are`() throws {
        let log = try fixture.log()
        let events = log.eventLog()
        _ = try events.append([LogFixture.group("p", 1, 1...9)])
        let journal = try fixture.lead(log)
        var commit = Commit()
        commit.eventsApplied = 4
        try journal.commit(commit)
        let record = try log.lease().look()
        #expect(record.lastEvent == 9 && record.applied == 4)
    }

    @Test func `deaths are noted without a lease, and read when the journal is opened`() throws {
        let lease = try fixture.log().lease()
        for event in [7, 9, 7] as [Int64] { try lease.note(deathOf: event) }
        let journal = try fixture.lead()
        #expect(journal.numbers.deaths == [7: 2, 9: 1])
    }

    @Test func `whichever message is lost, a lease is taken and looked at again`() throws {
        for fault in [PostgresProxy.Fault.before, .after] {
            var message = 0
            var isOver = false
            while !isOver {
                message += JournalContractFaultTests.stride
                let fixture = try LogFixture()
                let proxy = try PostgresProxy(to: fixture.server.port)
                let lease = try fixture.log(port: proxy.port).lease()
                proxy.plan(fault, atMessage: message)
                var epoch: Int64?
                while epoch == nil {
                    guard let record = try? lease.look() else { continue }
                    epoch = try? lease.take(
                        .stoodStill(renewal: record.renewal), after: record.epoch, holder: "a", fingerprint: "",
                        lasting: .seconds(3_600))
                    if epoch != nil { break }
                    #expect(!proxy.isPlanned)
                }
                isOver = proxy.cancel()
                let taken = try #require(epoch)
                let record = try lease.look()
                #expect(record.epoch == taken && taken <= 2 && !record.hasExpired)
            }
        }
    }

    @Test func `a log that has lost its end begins anew, once, and every leader is replaced`() throws {
        let (lease, other) = (try fixture.log().lease(), try fixture.log().lease())
        #expect(try take(lease, after: 0) == 1)
        let before = try lease.look()
        #expect(try other.beginAnew(after: before.id, as: RandomID.make(), aboveEpoch: 7))
        let after = try lease.look()
        #expect(after.id != before.id && after.epoch == 8 && after.hasExpired && after.isReleased)
        #expect(try !lease.renew(1, lasting: .seconds(3_600)), "the leader of before is replaced")
        #expect(
            try !lease.beginAnew(after: before.id, as: RandomID.make(), aboveEpoch: 7),
            "another replica that finds it changes nothing")
        #expect(try lease.look().epoch == 8)
        #expect(try take(other, after: 8, "b") == 9)
        guard case .opened(let journal) = try fixture.log().journal(epoch: 9, snapshotFormat: 1)(after.now) else {
            return
        }
        #expect(journal.opening.mayHaveLost, "the next leader begins the totals at zero")
    }

    @Test func `the clocks of the replicas that are alive are known to each`() throws {
        let (lease, other) = (try fixture.log().lease(), try fixture.log().lease())
        #expect(try lease.note(ahead_ms: 20, holder: "a", within: .seconds(3_600)) == [20])
        #expect(try other.note(ahead_ms: -600_000, holder: "b", within: .seconds(3_600)).sorted() == [-600_000, 20])
        #expect(try lease.note(ahead_ms: 30, holder: "a", within: .seconds(3_600)).sorted() == [-600_000, 30])
    }
}
