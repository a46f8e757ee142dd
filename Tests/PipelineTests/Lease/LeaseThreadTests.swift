import Glibc
import Journal
import Metrics
import Platform
import TestSupport
import Testing

@testable import Pipeline

@Suite struct LeaseThreadTests {
    /// A replica that competes for the lease, and what it was told.
    private final class Candidate {
        struct Told: Sendable {
            var began: [Int64] = []
            var lost = 0
            var bar: String?
        }

        let told = Monitor(Told())
        let registry = Registry(maxSeries: 1_000)
        let thread: LeaseThread

        init(
            _ lease: ScriptedLease, ttl: Duration = .milliseconds(40), bar: String? = nil, marks: LogMarks? = nil,
            log: Log = Log(level: .error, format: .text, file: -1)
        ) {
            let told = told
            told.change { $0.bar = bar }
            thread = LeaseThread(
                { lease.end() }, settings: LeaseSettings(ttl: ttl, holder: "this", configuration: "f", marks: marks),
                bar: { _ in told.withLock { $0.bar } }, registry: registry, interruption: lease.interruption,
                log: log,
                began: { epoch in told.change { $0.began.append(epoch) } },
                lost: { told.change { $0.lost += 1 } })
        }

        var began: [Int64] { told.withLock { $0.began } }
        var lost: Int { told.withLock { $0.lost } }

        func value(_ family: String) -> Double? {
            registry.collect()
            switch registry.series(of: family).first?.instrument {
            case .counter(let counter): return counter.value
            case .gauge(let gauge): return gauge.value
            default: return nil
            }
        }
    }

    private let lease = ScriptedLease()

    /// Waits until the lease was looked at some more times.
    private func afterLooks(_ count: Int = 5) -> Bool {
        let before = lease.state.withLock { $0.looks }
        return eventually { lease.state.withLock { $0.looks } >= before + count }
    }

    private let folder = TemporaryFolder()

    /// Makes marks that saw more of the log than it has.
    private func marksOfLostEnd() throws -> LogMarks {
        let marks = try LogMarks(path: folder.file("marks"))
        var seen = LeaseRecord()
        (seen.id, seen.epoch, seen.lastEvent) = (RandomID.make(), 5, 100)
        marks.note(seen)
        lease.state.change { state in
            state.record = seen
            state.record.lastEvent = 90
        }
        return marks
    }

    /// Opens a file for the log of a candidate.
    private func openLog() -> Int32 { open(folder.file("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }

    /// Waits until the log has a text, and returns all of it.
    private func log(with text: String) throws -> String {
        var found = ""
        let isWritten = try eventually {
            found = try String(decoding: FileStore.read(folder.file("log"), limit: 1 << 20), as: UTF8.self)
            return found.contains(text)
        }
        #expect(isWritten)
        return found
    }

    @Test func `it takes a lease that nobody has, renews it, and releases it at the stop`() {
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began == [1] })
        #expect(eventually { lease.state.withLock { $0.renewals } >= 3 })
        #expect(candidate.thread.condition.epoch == 1)
        #expect(candidate.thread.condition.record?.holder == "this")
        #expect(candidate.value("lkpush_leader") == 1)
        #expect(candidate.value("lkpush_leaderships_total") == 1)
        #expect(candidate.thread.stop(by: Waits.end))
        #expect(lease.state.withLock { $0.releases } == [1])
        #expect(lease.state.withLock { $0.isClosed })
        #expect(candidate.lost == 0)
    }

    @Test func `it leaves a lease alone that another one renews, and takes it when that one releases it`() {
        lease.giveToAnother()
        let other = lease.end()
        let candidate = Candidate(lease)
        // Renewed for longer than a lease and its grace.
        let begin = SystemTime().monotonic()
        var isRenewed = true
        let isLong = eventually {
            isRenewed = isRenewed && (try? other.renew(1, lasting: .seconds(1))) == true
            return SystemTime().monotonic().since(begin) > .milliseconds(1_500)
        }
        #expect(isLong && isRenewed)
        #expect(candidate.began == [] && lease.state.withLock { $0.takings } == [])
        #expect(candidate.value("lkpush_leader") == 0)
        #expect(throws: Never.self) { try other.release(1) }
        #expect(eventually { candidate.began == [2] })
        #expect(lease.state.withLock { $0.takings } == [.expired])
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `it takes a lease whose renewal stood still, whatever the database's clock says`() {
        lease.giveToAnother()
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began == [2] })
        #expect(lease.state.withLock { $0.takings } == [.stoodStill(renewal: 1)])
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `looks that fail do not end a leadership`() {
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began == [1] })
        lease.state.change { $0.isFailing = true }
        // Longer than a lease.
        #expect(eventually { lease.state.withLock { $0.failures } >= 20 })
        #expect(candidate.thread.condition.epoch == 1)
        #expect(candidate.thread.condition.error.contains("told to fail"))
        #expect(candidate.lost == 0)
        let renewals = lease.state.change { state in
            state.isFailing = false
            return state.renewals
        }
        #expect(eventually { lease.state.withLock { $0.renewals } > renewals + 2 })
        #expect(eventually { candidate.thread.condition.error.isEmpty })
        #expect(candidate.began == [1] && candidate.lost == 0)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `a leadership ends when another replica has the lease, and it may lead again later`() {
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began == [1] })
        lease.giveToAnother()
        #expect(eventually { candidate.lost == 1 })
        #expect(candidate.thread.condition.epoch == nil)
        #expect(candidate.value("lkpush_leader") == 0)
        #expect(candidate.value("lkpush_leaderships_lost_total") == 1)
        #expect(lease.state.withLock { $0.releases } == [])
        #expect(throws: Never.self) { try lease.end().release(2) }
        #expect(eventually { candidate.began == [1, 3] })
        #expect(candidate.thread.stop(by: Waits.end))
        #expect(candidate.lost == 1)
    }

    @Test func `a tenure that ended gives its own lease up, and no later one`() {
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began == [1] })
        candidate.thread.giveUp(1)
        #expect(eventually { candidate.began == [1, 2] })
        #expect(lease.state.withLock { $0.releases } == [1])
        candidate.thread.giveUp(1)
        #expect(afterLooks())
        #expect(candidate.began == [1, 2])
        #expect(lease.state.withLock { $0.releases } == [1])
        #expect(candidate.thread.condition.epoch == 2)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `a replica that may not lead takes nothing until it may`() {
        let candidate = Candidate(lease, bar: "its clock is wrong")
        #expect(eventually { candidate.thread.condition.bar == "its clock is wrong" })
        #expect(afterLooks())
        #expect(candidate.began == [] && lease.state.withLock { $0.takings } == [])
        candidate.told.change { $0.bar = nil }
        #expect(eventually { candidate.began == [1] })
        #expect(candidate.thread.condition.bar.isEmpty)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `a taking whose answer was lost is no leadership, and the next one has another epoch`() {
        lease.state.change { $0.losesAnswer = true }
        let candidate = Candidate(lease)
        #expect(eventually { candidate.began.count == 1 })
        #expect(candidate.began == [2])
        #expect(candidate.thread.stop(by: Waits.end))
        #expect(lease.state.withLock { $0.releases } == [2])
    }

    @Test(arguments: [false, true])
    func `a log that lost its end is begun anew and counted once, also where the answer is lost`(losesAnswer: Bool)
        throws
    {
        lease.state.change { $0.losesAnswer = losesAnswer }
        let candidate = try Candidate(lease, marks: marksOfLostEnd())
        #expect(eventually { !candidate.began.isEmpty })
        #expect(candidate.began == [7])
        #expect(candidate.value("lkpush_log_losses_total") == 1)
        #expect(lease.state.withLock { $0.beginnings } == 1)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `a new beginning that another replica made is the other's to tell`() throws {
        lease.state.change { $0.failsBeginning = true }
        let candidate = try Candidate(lease, marks: marksOfLostEnd())
        #expect(eventually { lease.state.withLock { $0.failures } > 2 })
        lease.state.change { $0.record.id = RandomID.make() }
        #expect(eventually { candidate.began == [6] })
        #expect(candidate.value("lkpush_log_losses_total") == 0)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test(arguments: [false, true])
    func `a leader whose log loses its end tells of the loss alone`(losesAnswer: Bool) throws {
        let file = openLog()
        defer { close(file) }
        let marks = try LogMarks(path: folder.file("marks"))
        lease.state.change { ($0.record.id, $0.record.epoch, $0.record.lastEvent) = (RandomID.make(), 5, 100) }
        let candidate = Candidate(lease, marks: marks, log: Log(level: .warning, format: .text, file: file))
        #expect(eventually { candidate.began == [6] })
        #expect(eventually { marks.seen != nil })
        #expect(afterLooks())
        lease.state.change { state in
            (state.record.epoch, state.record.lastEvent, state.losesAnswer) = (5, 90, losesAnswer)
        }
        #expect(eventually { candidate.began.count == 2 })
        #expect(candidate.lost == 1 && candidate.value("lkpush_log_losses_total") == 1)
        #expect(candidate.thread.stop(by: Waits.end))
        let text = try log(with: "has lost its end")
        #expect(!text.contains("another replica"), "\(text)")
    }

    @Test func `a log that comes back whole while its new beginning is unknown is no loss`() throws {
        lease.state.change { $0.failsBeginning = true }
        let candidate = try Candidate(lease, marks: marksOfLostEnd())
        #expect(eventually { lease.state.withLock { $0.failures } > 2 })
        lease.state.change { $0.record.lastEvent = 100 }
        #expect(eventually { candidate.began == [6] })
        #expect(candidate.value("lkpush_log_losses_total") == 0)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test(arguments: [false, true])
    func `who is replaced says why`(isAnew: Bool) throws {
        let file = openLog()
        defer { close(file) }
        let candidate = Candidate(lease, log: Log(level: .warning, format: .text, file: file))
        #expect(eventually { candidate.began == [1] })
        if isAnew { lease.state.change { $0.record.id = RandomID.make() } }
        lease.giveToAnother()
        #expect(eventually { candidate.lost == 1 })
        // A thread of the log writes the line.
        let text = try log(with: "\n")
        #expect(text.contains("began the shared log anew") == isAnew, "\(text)")
        #expect(text.contains("silent for longer than LEASE_TTL") != isAnew)
        #expect(candidate.thread.stop(by: Waits.end))
    }

    @Test func `a stop does not wait for a database that does not answer`() {
        lease.state.change { $0.isHanging = true }
        let candidate = Candidate(lease)
        #expect(!candidate.thread.stop(by: SystemTime().monotonic()))
        #expect(lease.interruption.isInterrupted)
    }

    @Test func `it shows how far behind the leader is`() {
        lease.giveToAnother()
        lease.state.change { state in
            (state.record.lastEvent, state.record.applied) = (120, 100)
        }
        let candidate = Candidate(lease, ttl: .seconds(4))
        #expect(eventually { candidate.thread.condition.record != nil })
        #expect(candidate.value("lkpush_log_last_event") == 120)
        #expect(candidate.value("lkpush_log_events_behind") == 20)
        #expect(candidate.value("lkpush_log_contact_age_seconds") != nil)
        #expect(candidate.thread.stop(by: Waits.end))
    }
}
