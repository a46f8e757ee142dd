import Journal
import JournalSQLite
import Platform
import TestSupport
import Testing

@testable import Pipeline

@Suite struct AppendThreadTests {
    private let world = AppendWorld()

    private func ids(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "EV_\($0)" } }

    // MARK: Answers

    @Test func `a webhook is answered when its event is in the log`() {
        let fixture = AppendFixture(world)
        for id in 1...5 {
            #expect(fixture.post(id) == 200)
            #expect(world.ids == ids(1...id))
        }
        // A webhook is answered before it is counted.
        #expect(eventually { fixture.total("lkpush_log_appended_events_total") == 5 })
        #expect(fixture.total("lkpush_spilled_events_total") == 0)
        #expect(fixture.appended.withLock { $0 } > 0)
        #expect(fixture.inbox.condition.isUp == true)
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `no webhook is answered with 200 while its event is nowhere`() {
        world.behave(.hang)
        let fixture = AppendFixture(world, hasSpill: false)
        let request = fixture.offer(1)
        #expect(eventually { world.isHanging })
        #expect(request?.status != 200)
        #expect(request?.awaitedStatus == 503)
        #expect(world.ids.isEmpty)
        world.behave(.take)
        // The event of the call that hung may be there: its sender repeats it, and the repetition is a duplicate.
        #expect(fixture.post(2) == 200)
        #expect(world.ids == ["EV_1", "EV_2"])
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `events that come together are appended together, in order`() {
        world.behave(.hang)
        let fixture = AppendFixture(world)
        let requests = (1...500).map { fixture.offer($0) }
        world.behave(.take)
        #expect(requests.allSatisfy { $0?.awaitedStatus == 200 })
        #expect(eventually { world.ids == ids(1...500) })
        #expect(world.calls.count < 100)
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    // MARK: The spill

    @Test func `a log that does not answer holds no webhook up for long`() {
        world.behave(.hang)
        let fixture = AppendFixture(world)
        let begin = SystemTime().monotonic()
        #expect(fixture.post(1) == 200)
        #expect(SystemTime().monotonic().since(begin) >= AppendSettings.Limits.patience)
        #expect(world.isHanging && world.ids.isEmpty)
        #expect(world.spilledIDs == ["EV_1"])
        // Events that follow need not wait for it.
        #expect(fixture.post(2) == 200)
        #expect(fixture.post(3) == 200)
        #expect(world.spilledIDs == ids(1...3))
        #expect(eventually { fixture.inbox.condition.spilledEvents == 3 })
        #expect(fixture.readiness.obstacles.isEmpty)
        world.behave(.take)
        #expect(eventually { world.ids == ids(1...3) && world.spilledIDs.isEmpty })
        #expect(eventually { fixture.inbox.condition.spilledEvents == 0 && fixture.inbox.condition.isUp == true })
        #expect(fixture.total("lkpush_spilled_events_total") == 3)
        #expect(fixture.total("lkpush_spill_forwarded_events_total") == 3)
        // The event of the call that hung was sent again under the same producer and number.
        let first = world.calls.filter { $0.contains { $0.eventIDs.contains("EV_1") } }.compactMap(\.first)
        #expect(first.count >= 2 && first.allSatisfy { $0 == first[0] })
        #expect(fixture.post(4) == 200)
        #expect(world.ids == ids(1...4))
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `new events wait behind those that are spilled`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        for id in 1...20 { #expect(fixture.post(id) == 200) }
        #expect(world.ids.isEmpty && world.spilledIDs == ids(1...20))
        world.behave(.take)
        for id in 21...60 { #expect(fixture.post(id) == 200) }
        #expect(eventually { world.ids == ids(1...60) && world.spilledIDs.isEmpty })
        #expect(fixture.stop())
    }

    @Test func `an append with an unknown outcome is repeated under the same number`() {
        world.behave(.take, next: [.loseAnswer, .loseAnswer, .fail])
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        #expect(eventually { world.calls.count == 4 && world.spilledIDs.isEmpty })
        #expect(Set(world.calls.map(\.description)).count == 1)
        #expect(world.ids == ["EV_1"])
        #expect(fixture.total("lkpush_log_append_failures_total") == 3)
        #expect(fixture.stop())
    }

    @Test func `a full spill refuses, and takes again when it was forwarded`() {
        world.behave(.fail)
        let fixture = AppendFixture(world, maxSpill: ByteCount(400))
        var accepted: [Int] = []
        for id in 1...40 where fixture.post(id) == 200 { accepted.append(id) }
        #expect(!accepted.isEmpty && accepted.count < 40)
        #expect(accepted == Array(1...accepted.count))
        #expect(fixture.refusals.withLock { $0 }.allSatisfy { $0 == .journal_failed })
        #expect(!fixture.readiness.obstacles.isEmpty)
        world.behave(.take)
        #expect(eventually { world.ids == accepted.map { "EV_\($0)" } && world.spilledIDs.isEmpty })
        #expect(fixture.post(41) == 200)
        #expect(fixture.readiness.obstacles.isEmpty)
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `without a spill a log that is away refuses, and says so`() {
        world.behave(.fail)
        let fixture = AppendFixture(world, hasSpill: false)
        #expect(fixture.post(1) == 503)
        #expect(fixture.refusals.withLock { $0 } == [.journal_failed])
        #expect(fixture.readiness.reason(of: .journal) != nil)
        #expect(fixture.inbox.condition.isUp == false && !fixture.inbox.condition.error.isEmpty)
        world.behave(.take)
        // No webhook comes to a replica that is not ready.
        #expect(eventually { fixture.readiness.obstacles.isEmpty })
        #expect(fixture.inbox.condition.isUp == true)
        #expect(fixture.post(2) == 200)
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `where neither the log nor the spill works, webhooks are refused and the replica is not ready`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        world.state.change { $0.isSpillFailing = true }
        #expect(fixture.post(2) == 503)
        #expect(fixture.refusals.withLock { $0 } == [.journal_failed])
        #expect(fixture.readiness.reason(of: .journal) != nil)
        #expect(eventually { !fixture.inbox.condition.spillError.isEmpty })
        world.state.change { $0.isSpillFailing = false }
        #expect(fixture.post(3) == 200)
        #expect(fixture.readiness.obstacles.isEmpty)
        world.behave(.take)
        #expect(eventually { world.ids == ["EV_1", "EV_3"] && world.spilledIDs.isEmpty })
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `a spill that cannot be opened is tried again, and the log works meanwhile`() {
        world.state.change { $0.isSpillFailing = true }
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        #expect(eventually { !fixture.inbox.condition.spillError.isEmpty })
        world.state.change { $0.isSpillFailing = false }
        #expect(eventually { fixture.inbox.condition.spillError.isEmpty })
        world.behave(.hang)
        #expect(fixture.post(2) == 200)
        #expect(world.spilledIDs == ["EV_2"])
        world.behave(.take)
        #expect(fixture.stop())
    }

    @Test func `a spill that works again while a call is on its way gets nothing before that call`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        world.state.change { $0.isSpillFailing = true }
        #expect(fixture.post(2) == 503)
        world.behave(.take)
        #expect(eventually { fixture.post(3) == 200 })
        world.behave(.hang)
        let requests = [fixture.offer(4), fixture.offer(5)]
        #expect(eventually { world.isHanging })
        world.state.change { $0.isSpillFailing = false }
        let later = fixture.offer(6)
        // On a slow machine the first find a spill that still fails.
        let statuses = (requests + [later]).map { $0?.awaitedStatus }
        #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 } && statuses.last == 200)
        let numbers = Dictionary(grouping: world.state.withLock { $0.spilled.map(\.group) }, by: \.producer)
        for groups in numbers.values { #expect(groups.map(\.number) == groups.map(\.number).sorted()) }
        world.behave(.take)
        let accepted = zip(4...6, statuses).filter { $0.1 == 200 }.map { "EV_\($0.0)" }
        #expect(eventually { Set(world.ids) == Set(["EV_1", "EV_3"] + accepted) && world.spilledIDs.isEmpty })
        #expect(fixture.stop())
    }

    @Test func `where the log hangs and the spill fails, every webhook is answered`() {
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        world.state.change { $0.isSpillFailing = true }
        world.behave(.hang)
        let requests = (2...6).map { fixture.offer($0) }
        #expect(requests.allSatisfy { $0?.awaitedStatus == 503 })
        world.state.change { $0.isSpillFailing = false }
        #expect(eventually { fixture.post(7) == 200 })
        world.behave(.take)
        #expect(eventually { Set(world.ids).isSuperset(of: ["EV_1", "EV_7"]) && world.spilledIDs.isEmpty })
        #expect(fixture.stop())
    }

    @Test func `a spill that takes and does not give holds no webhook up while the log works`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        for id in 1...3 { #expect(fixture.post(id) == 200) }
        world.state.change { $0.isReadFailing = true }
        #expect(fixture.post(4) == 200)
        world.behave(.take)
        #expect(eventually { fixture.inbox.condition.isUp == true })
        #expect(fixture.post(5) == 200)
        #expect(eventually { world.ids.contains("EV_5") })
        world.state.change { $0.isReadFailing = false }
        #expect(eventually { Set(world.ids) == Set(ids(1...5)) && world.spilledIDs.isEmpty })
        #expect(world.ids.filter { $0 != "EV_5" } == ids(1...4))
        #expect(fixture.stop())
    }

    @Test func `a spill that works again makes the replica ready, though no webhook comes`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        world.state.change { $0.isSpillFailing = true }
        #expect(fixture.post(2) == 503)
        #expect(fixture.readiness.reason(of: .journal) != nil)
        world.state.change { $0.isSpillFailing = false }
        #expect(eventually { fixture.readiness.obstacles.isEmpty })
        #expect(fixture.inbox.condition.spillError.isEmpty)
        #expect(fixture.post(3) == 200)
        world.behave(.take)
        #expect(eventually { world.ids == ["EV_1", "EV_3"] && world.spilledIDs.isEmpty })
        #expect(fixture.stop())
    }

    @Test func `where the spill breaks while events wait in it, new ones go to the log before them`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        for id in 1...3 { #expect(fixture.post(id) == 200) }
        world.state.change { $0.isSpillFailing = true }
        world.behave(.take)
        // One webhook may find out, and is refused.
        var id = 3
        #expect(
            eventually {
                id += 1
                return fixture.post(id) == 200
            })
        let first = id
        for id in first + 1...first + 5 { #expect(fixture.post(id) == 200) }
        #expect(world.ids == ids(first...first + 5))
        #expect(fixture.readiness.obstacles.isEmpty)
        #expect(!fixture.inbox.condition.spillError.isEmpty)
        world.state.change { $0.isSpillFailing = false }
        #expect(eventually { world.ids == ids(first...first + 5) + ids(1...3) && world.spilledIDs.isEmpty })
        #expect(eventually { fixture.inbox.condition.spillError.isEmpty })
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    // MARK: Copies

    @Test func `another group under the number of a new event gets it a new producer`() {
        world.behave(.take, next: [.take, .conflict])
        let fixture = AppendFixture(world)
        #expect(fixture.post(1) == 200)
        #expect(fixture.post(2) == 200)
        #expect(eventually { world.ids == ids(1...2) && world.spilledIDs.isEmpty })
        #expect(fixture.post(3) == 200)
        #expect(eventually { world.ids == ids(1...3) && world.spilledIDs.isEmpty })
        let producers = world.state.withLock { $0.groups.map(\.producer) }
        #expect(producers[0] != producers[1])
        #expect(fixture.stop())
        #expect(fixture.intake.count == 0)
    }

    @Test func `other groups under the numbers of spilled events get these a new producer`() {
        world.behave(.fail)
        let fixture = AppendFixture(world)
        for id in 1...3 { #expect(fixture.post(id) == 200) }
        world.behave(.take, next: [.conflict])
        #expect(eventually { world.ids == ids(1...3) && world.spilledIDs.isEmpty })
        for id in 4...6 { #expect(fixture.post(id) == 200) }
        #expect(eventually { world.ids == ids(1...6) })
        #expect(fixture.stop())
    }

    // MARK: Start and stop

    @Test func `a start forwards first what waits`() {
        world.behave(.fail)
        do {
            let fixture = AppendFixture(world)
            for id in 1...3 { #expect(fixture.post(id) == 200) }
            #expect(fixture.stop())
            #expect(fixture.intake.count == 0)
        }
        #expect(world.ids.isEmpty && world.spilledIDs == ids(1...3))
        world.behave(.take)
        let next = AppendFixture(world)
        for id in 4...6 { #expect(next.post(id) == 200) }
        #expect(eventually { world.ids == ids(1...6) && world.spilledIDs.isEmpty })
        #expect(next.stop())
        // The new process has a producer of its own.
        #expect(Set(world.state.withLock { $0.groups.map(\.producer) }).count == 2)
    }

    @Test func `a stop lets everything become durable that was taken`() {
        world.behave(.hang)
        let fixture = AppendFixture(world)
        let requests = (1...50).map { fixture.offer($0) }
        #expect(eventually { world.isHanging })
        world.behave(.take)
        #expect(fixture.stop())
        #expect(requests.allSatisfy { $0?.status == 200 })
        #expect(world.ids == ids(1...50) && world.spilledIDs.isEmpty)
        #expect(fixture.intake.count == 0)
        #expect(fixture.offer(51) == nil)
    }

    @Test func `a stop while the log hangs keeps events in the spill`() {
        world.behave(.hang)
        let fixture = AppendFixture(world)
        let requests = (1...5).map { fixture.offer($0) }
        #expect(requests.allSatisfy { $0?.awaitedStatus == 200 })
        _ = fixture.stop(by: SystemTime().monotonic() + .milliseconds(50))
        #expect(world.ids.isEmpty && world.spilledIDs == ids(1...5))
        #expect(eventually { fixture.intake.count == 0 })
    }

    @Test func `a stop without time refuses what is nowhere`() {
        world.behave(.hang)
        let fixture = AppendFixture(world, hasSpill: false)
        let request = fixture.offer(1)
        #expect(eventually { world.isHanging })
        _ = fixture.stop(by: SystemTime().monotonic())
        #expect(request?.awaitedStatus == 503)
        #expect(eventually { fixture.intake.count == 0 })
    }

    @Test func `a spill on a disk is forwarded by the next process, and lost events are counted`() throws {
        let directory = TemporaryFolder()
        let path = directory.path
        let open: OpenSpill = { () throws(JournalError) in try SQLiteSpill(directory: path) }
        world.behave(.fail)
        do {
            let fixture = AppendFixture(world, spill: open)
            for id in 1...3 { #expect(fixture.post(id) == 200) }
            #expect(fixture.stop())
        }
        #expect(world.ids.isEmpty)
        try damageSecondGroup(of: path)
        world.behave(.take)
        let next = AppendFixture(world, spill: open)
        #expect(next.post(4) == 200)
        #expect(eventually { world.ids == ["EV_1", "EV_3", "EV_4"] })
        #expect(eventually { next.inbox.condition.spilledEvents == 0 })
        #expect(next.total("lkpush_spill_lost_events_total") == 1)
        #expect(next.stop())
    }
}
