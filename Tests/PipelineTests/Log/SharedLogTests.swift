import Journal
import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@testable import Pipeline
@testable import Recording

/// The journal thread of a process that leads a shared log. The one rule: nothing leaves before the turn that caused
/// it is committed under the current epoch.
@Suite struct SharedLogTests {
    private let log = MemoryLog()

    private func append(_ ids: ClosedRange<Int>, producer: String = "p") {
        for id in ids {
            log.append([ProducedGroup([.started(id)], producer: producer, number: Int64(id))])
        }
    }

    private func ids(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "EV_\($0)" } }

    /// Takes the events that are delivered until there are so many.
    private func take(_ count: Int, from tenure: LogTenure) -> [String] {
        var taken: [String] = []
        _ = eventually {
            taken += tenure.takeEvents()
            return taken.count >= count
        }
        return taken
    }

    /// Makes a reading on a thread of its own. The result is there when it has its outcome.
    private func beginReading(_ tenure: LogTenure, at milliseconds: Int64) -> (Monitor<ReadingOutcome?>, NamedThread) {
        let outcome = Monitor<ReadingOutcome?>(nil)
        let thread = NamedThread(name: "reading") { [inbox = tenure.inbox] in
            let found = inbox.commit(
                reading: Timestamp(milliseconds: milliseconds), destination: "default", labels: "", began: [],
                ended: [])
            outcome.change { $0 = found }
        }
        return (outcome, thread)
    }

    // MARK: Reading the log

    @Test func `events are delivered in the order of the log, whoever appended them`() {
        append(1...3, producer: "a")
        let tenure = LogTenure(log)
        append(4...5, producer: "b")
        tenure.inbox.noteAppended()
        #expect(take(5, from: tenure) == ids(1...5))
        // Nobody tells of these.
        append(6...7, producer: "c")
        #expect(take(2, from: tenure) == ids(6...7))
        #expect(log.numbers.lastEvent == 0)
        tenure.leaveTurn(applied: 7)
        #expect(eventually { log.numbers.lastEvent == 7 })
    }

    @Test func `the recorder is given no more than it has room for`() {
        append(1...25)
        let tenure = LogTenure(log, room: 10)
        var taken: [String] = []
        var most = 0
        let isAll = eventually {
            let outstanding = tenure.inbox.mail.withLock { $0.outstanding }
            most = max(most, outstanding)
            // As many as there may be, or the rest.
            guard outstanding == 10 || taken.count >= 20 else { return false }
            taken += tenure.takeEvents()
            return taken.count == 25
        }
        #expect(isAll && most == 10)
        #expect(taken == ids(1...25))
    }

    @Test func `a stop delivers what is in the log, and then no more`() {
        let tenure = LogTenure(log)
        append(1...40)
        tenure.inbox.close()
        #expect(take(40, from: tenure) == ids(1...40))
        var contents = RecorderInbox.Contents()
        #expect(
            eventually {
                tenure.recorderInbox.take(into: &contents, until: SystemTime().monotonic() + .milliseconds(20))
                return contents.isLast
            })
        tenure.leaveTurn(applied: 40, row: 1)
        #expect(tenure.stop())
        #expect(log.numbers.lastEvent == 40)
        #expect(tenure.rowNumbers == [1])
        append(41...41)
        #expect(log.numbers.lastEvent == 40)
    }

    // MARK: Nothing leaves before its commit

    @Test func `rows and readings wait for the commit of the turn that caused them`() {
        append(1...2)
        let tenure = LogTenure(log)
        #expect(take(2, from: tenure) == ids(1...2))
        log.hold(true)
        tenure.leaveTurn(applied: 2, row: 1, inputs: 1)
        let (outcome, thread) = beginReading(tenure, at: 1_000)
        #expect(eventually { log.isWaiting })
        #expect(tenure.rowNumbers.isEmpty)
        #expect(outcome.withLock { $0 } != .maySend)
        #expect(log.contents.withLock { $0.readings.isEmpty })
        log.hold(false)
        #expect(eventually { tenure.rowNumbers == [1] })
        #expect(log.numbers.lastEvent == 2 && log.numbers.lastInput == 1)
        thread.join()
        #expect(eventually { tenure.read(at: 2_000) == .maySend })
        #expect(log.numbers.lastReading == Timestamp(milliseconds: 2_000))
    }

    @Test func `usage is seen when the turn that it rests on is committed`() throws {
        append(1...1)
        let tenure = LogTenure(log)
        let counter = try #require(
            tenure.registry.counter("t_seconds_total", "T.", cadence: .idleGrid).series())
        #expect(take(1, from: tenure) == ids(1...1))
        log.hold(true)
        tenure.inbox.noteApplying(upTo: 1, after: 0)
        var turn = RecorderTurn()
        turn.usage.note(counter, total: 5)
        turn.isUsageWanted = true
        tenure.inbox.take(turn)
        #expect(eventually { log.isWaiting })
        #expect(counter.value == 0)
        log.hold(false)
        #expect(eventually { counter.value == 5 })
        #expect(log.numbers.lastEvent == 1)
        // Nobody sees what follows a replacement.
        _ = log.takeOver()
        tenure.inbox.noteApplying(upTo: 1, after: 0)
        turn.inputs = [InputEntry(input: .time(at: SystemTime().now()), after: 1)]
        turn.usage.note(counter, total: 9)
        tenure.inbox.take(turn)
        #expect(eventually { tenure.inbox.isReplaced })
        tenure.inbox.take(turn)
        #expect(tenure.stop())
        #expect(counter.value == 5)
    }

    @Test func `a reading is committed with every event that it may show`() {
        append(1...3)
        let tenure = LogTenure(log)
        #expect(take(3, from: tenure) == ids(1...3))
        // The recorder has begun to apply them, and has left no turn yet.
        tenure.inbox.noteApplying(upTo: 3, after: 0)
        #expect(eventually { tenure.read(at: 1_000) == .maySend })
        #expect(log.numbers.lastEvent == 3)
    }

    @Test func `a commit that fails lets nothing go, and the next one everything`() {
        append(1...2)
        let tenure = LogTenure(log)
        #expect(take(2, from: tenure) == ids(1...2))
        log.away(true)
        tenure.leaveTurn(applied: 2, row: 1, inputs: 1)
        #expect(tenure.read(at: 1_000) == .withhold)
        #expect(tenure.held.withLock { $0 } == 1)
        #expect(tenure.rowNumbers.isEmpty)
        log.away(false)
        #expect(eventually { tenure.rowNumbers == [1] })
        #expect(eventually { tenure.read(at: 2_000) == .maySend })
        #expect(log.numbers.lastInput == 1)
        #expect(tenure.replaced.withLock { $0 } == 0)
    }

    @Test func `a held reading is released by the next success`() {
        let tenure = LogTenure(log)
        #expect(eventually { tenure.read(at: 1_000) == .maySend })
        log.fail(.lost, .ambiguous)
        // Two failures and their pauses are shorter than the patience of a reading, unless the machine is busy.
        #expect(eventually { tenure.read(at: 2_000) == .maySend })
        #expect(log.numbers.lastReading == Timestamp(milliseconds: 2_000))
    }

    @Test(arguments: MemoryLog.Fault.allCases)
    func `inputs and rows are there once, whatever becomes of the commit`(fault: MemoryLog.Fault) {
        append(1...2)
        let tenure = LogTenure(log)
        #expect(take(2, from: tenure) == ids(1...2))
        log.fail(fault, fault)
        tenure.leaveTurn(applied: 1, row: 1, inputs: 2)
        #expect(eventually { tenure.rowNumbers == [1] })
        #expect(log.contents.withLock { $0.inputs.map(\.number) } == [1, 2])
        tenure.leaveTurn(applied: 2, row: 2, inputs: 1)
        #expect(eventually { tenure.rowNumbers == [1, 2] })
        #expect(log.contents.withLock { $0.inputs.map(\.number) } == [1, 2, 3])
        #expect(log.numbers.lastEvent == 2)
    }

    // MARK: Replaced

    @Test func `a leader that was replaced lets nothing go any more`() {
        append(1...2)
        let tenure = LogTenure(log)
        #expect(take(2, from: tenure) == ids(1...2))
        log.hold(true)
        tenure.leaveTurn(applied: 2, row: 1, inputs: 1)
        let (outcome, thread) = beginReading(tenure, at: 1_000)
        #expect(eventually { log.isWaiting })
        _ = log.takeOver()
        log.hold(false)
        #expect(eventually { tenure.replaced.withLock { $0 } == 1 })
        thread.join()
        #expect(outcome.withLock { $0 } == .withhold)
        #expect(tenure.inbox.isReplaced)
        // Whatever follows.
        append(3...4)
        tenure.inbox.noteAppended()
        tenure.leaveTurn(applied: 4, row: 2, inputs: 1)
        #expect(tenure.read(at: 2_000) == .withhold)
        #expect(tenure.rowNumbers.isEmpty)
        #expect(tenure.takeEvents().isEmpty)
        let contents = log.contents.withLock { $0 }
        #expect(contents.numbers.lastEvent == 0 && contents.inputs.isEmpty && contents.readings.isEmpty)
        #expect(tenure.stop())
        #expect(tenure.replaced.withLock { $0 } == 1)
        #expect(tenure.rowNumbers.isEmpty)
    }

    @Test func `rows whose input was dropped do not leave`() {
        let tenure = LogTenure(log)
        _ = log.takeOver()
        // The recorder notes an input before it applies it, and leaves its rows later.
        tenure.inbox.note(InputEntry(input: .time(at: SystemTime().now()), after: 0))
        #expect(tenure.read(at: 1_000) == .withhold)
        #expect(tenure.inbox.isReplaced)
        tenure.leaveTurn(applied: 0, row: 1)
        #expect(tenure.read(at: 2_000) == .withhold)
        #expect(tenure.stop())
        #expect(tenure.rowNumbers.isEmpty)
    }

    @Test func `a leader that is told of another one lets nothing go any more`() {
        let tenure = LogTenure(log)
        append(1...1)
        #expect(take(1, from: tenure) == ids(1...1))
        log.away(true)
        tenure.leaveTurn(applied: 1, row: 1, inputs: 1)
        tenure.inbox.giveWay()
        #expect(eventually { tenure.replaced.withLock { $0 } == 1 })
        log.away(false)
        #expect(tenure.read(at: 1_000) == .withhold)
        #expect(tenure.stop())
        #expect(tenure.rowNumbers.isEmpty)
        #expect(log.numbers.lastEvent == 0)
        #expect(tenure.replaced.withLock { $0 } == 1)
    }

    @Test func `a start under an epoch that is over gives no state`() {
        _ = log.takeOver()
        log.away(true)
        let starting = Monitor<LogTenure.Start?>(nil)
        let thread = NamedThread(name: "tenure") { [log] in
            let tenure = LogTenure(log)
            starting.change { $0 = LogTenure.Start(hasState: tenure.start != nil, isReplaced: tenure.inbox.isReplaced) }
        }
        // It tries again while the log is away.
        #expect(eventually { log.contents.withLock { $0.epoch } == 2 })
        _ = log.takeOver()
        log.away(false)
        thread.join()
        #expect(starting.withLock { $0 } == LogTenure.Start(hasState: false, isReplaced: true))
    }

    // MARK: The next leader

    @Test(arguments: [1, 2, 3])
    func `an event that leaders die of takes the totals with it only if one had applied it to its end`(
        finished: Int64
    ) throws {
        append(1...3)
        do {
            let first = LogTenure(log)
            #expect(take(3, from: first) == ids(1...3))
            // A turn may be committed at any moment, and so in the middle of the event of which the process dies.
            first.inbox.noteApplying(upTo: 3, after: finished)
            #expect(eventually { first.read(at: 1_000) == .maySend })
            #expect(log.numbers.lastEvent == 3 && log.numbers.eventsFinished == finished)
        }
        log.contents.change { $0.numbers.deaths = [2: 3] }
        let second = LogTenure(log)
        let start = try #require(second.start)
        #expect(start.events == 3 && start.inputs == 1)
        #expect(start.needsSnapshot == (finished >= 2))
        let rooms = finished >= 2 ? " 0" : " 2"
        #expect(second.page.contains { $0.hasPrefix("lk_rooms_started_total") && $0.hasSuffix(rooms) })
    }

    @Test func `a process that keeps nothing on its machine counts in the log all the same`() {
        append(1...5)
        do {
            let first = LogTenure(log, durability: .memory)
            #expect(take(5, from: first) == ids(1...5))
            first.leaveTurn(applied: 3, row: 1, inputs: 2)
            #expect(eventually { first.rowNumbers == [1] })
            #expect(log.numbers.lastInput == 2 && log.numbers.unjournaledAfter == nil)
        }
        let second = LogTenure(log, durability: .memory)
        #expect(second.start?.events == 3 && second.start?.inputs == 2)
        #expect(second.start?.keepsInputs == true && second.start?.needsSnapshot == false)
        #expect(second.page.contains { $0.hasPrefix("lk_rooms_started_total") && $0.hasSuffix(" 3") })
    }

    @Test func `the next leader goes on behind the last event that was applied`() {
        append(1...5)
        do {
            let first = LogTenure(log)
            #expect(take(5, from: first) == ids(1...5))
            first.leaveTurn(applied: 3, row: 1, inputs: 2)
            #expect(eventually { first.rowNumbers == [1] })
        }
        let second = LogTenure(log)
        #expect(second.start?.events == 3 && second.start?.inputs == 2)
        #expect(second.page.contains { $0.hasPrefix("lk_rooms_started_total") && $0.hasSuffix(" 3") })
        #expect(take(2, from: second) == ids(4...5))
    }
}

extension LogTenure {
    /// The result of a start.
    struct Start: Sendable, Equatable {
        var hasState: Bool
        var isReplaced: Bool
    }
}
