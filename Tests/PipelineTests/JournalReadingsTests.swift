import Journal
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// The journal of readings with several destinations: each gets back what it committed, whatever the others did.
@Suite struct JournalReadingsTests {
    /// The engines of the journal. Each does the same.
    enum Engine: CaseIterable {
        case memory
        case sqlite
    }

    /// What starts of the program on one state have in common.
    struct State {
        let disk = MemoryStateJournal.Disk()
        let folder = TemporaryFolder()
        let engine: Engine

        /// Starts the journal, as if the process before had died at this moment.
        func start(_ destinations: Set<String>) -> JournalFixture {
            switch engine {
            case .memory: JournalFixture(open: disk.opener, destinations: destinations)
            case .sqlite: JournalFixture(folder.file("state"), destinations: destinations)
            }
        }

        /// Starts it, and ends it in order after `body`.
        func run(_ destinations: Set<String> = ["default", "eu"], _ body: (JournalFixture, ShippedStates) -> Void)
            throws
        {
            let fixture = start(destinations)
            body(fixture, try #require(fixture.journal.awaitStart()).shipped)
            fixture.inbox.noteRecorderDone()
            #expect(fixture.journal.stop(by: Waits.end))
        }
    }

    private static func key(_ name: String) -> SeriesKey { SeriesKey(family: "lk_\(name)", labelValues: ["a"]) }

    private static func commit(
        _ fixture: JournalFixture, _ destination: String, at seconds: Int64, labels: String = "l",
        began: [String] = [], ended: [String] = []
    ) -> ReadingOutcome {
        fixture.inbox.commit(
            reading: Timestamp(seconds: seconds), destination: destination, labels: labels, began: began.map(key),
            ended: ended.map(key))
    }

    private static func state(_ seconds: Int64, labels: String = "l", _ series: [String]) -> ShippedState {
        ShippedState(lastReading: Timestamp(seconds: seconds), labels: labels, series: series.map(key))
    }

    // MARK: What is restored

    @Test(arguments: Engine.allCases)
    func `destinations hold the same series, and the end of one is not that of another`(_ engine: Engine) throws {
        let state = State(engine: engine)
        try state.run { fixture, shipped in
            #expect(shipped["default"] == ShippedState() && shipped["eu"] == ShippedState())
            #expect(Self.commit(fixture, "default", at: 10, began: ["one"]) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 10, began: ["one"]) == .maySend)
        }
        try state.run { fixture, shipped in
            #expect(shipped["default"] == Self.state(10, ["one"]) && shipped["eu"] == Self.state(10, ["one"]))
            #expect(Self.commit(fixture, "eu", at: 20, ended: ["one"]) == .maySend)
        }
        try state.run { fixture, shipped in
            #expect(shipped["default"] == Self.state(20, ["one"]) && shipped["eu"] == Self.state(20, []))
            #expect(shipped["new"] == Self.state(20, []))
            #expect(Self.commit(fixture, "default", at: 30, ended: ["one"]) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 30, began: ["two"]) == .maySend)
        }
        try state.run { _, shipped in
            #expect(shipped["default"] == Self.state(30, []) && shipped["eu"] == Self.state(30, ["two"]))
        }
    }

    @Test(arguments: Engine.allCases)
    func `what was sent to a destination that is gone is forgotten, and comes back as no other one's`(
        _ engine: Engine
    ) throws {
        let state = State(engine: engine)
        try state.run { fixture, _ in
            #expect(Self.commit(fixture, "default", at: 10, began: ["one", "both"]) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 10, began: ["two", "both"]) == .maySend)
        }
        try state.run(["default", "us"]) { fixture, shipped in
            #expect(Set(shipped["default"].series) == [Self.key("one"), Self.key("both")])
            #expect(shipped["us"].series.isEmpty && shipped["eu"].series.isEmpty)
            // The first commit takes them off the disk, whoever makes it.
            #expect(Self.commit(fixture, "us", at: 20, began: ["both"]) == .maySend)
        }
        try state.run(["default", "eu", "us"]) { _, shipped in
            #expect(Set(shipped["default"].series) == [Self.key("one"), Self.key("both")])
            #expect(shipped["us"].series == [Self.key("both")])
            #expect(shipped["eu"].series.isEmpty)
        }
        try state.run(["eu"]) { fixture, shipped in
            #expect(shipped["default"].series.isEmpty)
            #expect(Self.commit(fixture, "eu", at: 40) == .maySend)
        }
        try state.run { _, shipped in #expect(shipped["default"] == Self.state(40, [])) }
    }

    @Test(arguments: Engine.allCases)
    func `labels that change make every destination begin anew, also one that has not committed since`(
        _ engine: Engine
    ) throws {
        let state = State(engine: engine)
        try state.run { fixture, _ in
            #expect(Self.commit(fixture, "default", at: 10, began: ["one"]) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 10, began: ["one"]) == .maySend)
        }
        try state.run { fixture, _ in
            #expect(Self.commit(fixture, "eu", at: 20, labels: "m", began: ["one"], ended: ["one"]) == .maySend)
        }
        try state.run { _, shipped in
            #expect(shipped["default"] == Self.state(20, labels: "m", []))
            #expect(shipped["eu"] == Self.state(20, labels: "m", ["one"]))
        }
    }

    @Test(arguments: Engine.allCases)
    func `a destination that is behind does not move the last reading back, and a clock that all follow does`(
        _ engine: Engine
    ) throws {
        let state = State(engine: engine)
        try state.run { fixture, _ in
            #expect(Self.commit(fixture, "default", at: 30) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 20) == .maySend)
        }
        try state.run { fixture, shipped in
            #expect(shipped["eu"].lastReading == Timestamp(seconds: 30))
            #expect(Self.commit(fixture, "default", at: 90) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 90) == .maySend)
            // The clock is set back.
            #expect(Self.commit(fixture, "default", at: 40) == .maySend)
        }
        try state.run { fixture, shipped in
            #expect(shipped["default"].lastReading == Timestamp(seconds: 90))
            #expect(Self.commit(fixture, "default", at: 41) == .maySend)
            #expect(Self.commit(fixture, "eu", at: 40) == .maySend)
        }
        try state.run { _, shipped in #expect(shipped["default"].lastReading == Timestamp(seconds: 41)) }
    }

    // MARK: Waiting

    /// Commits of several destinations at the same time, each on a thread of its own.
    private final class Crowd {
        let outcomes = Monitor<[String: ReadingOutcome]>([:])
        private var threads: [NamedThread] = []

        func commit(_ fixture: JournalFixture, _ destination: String, at seconds: Int64, began: [String]) {
            let (inbox, outcomes, keys) = (fixture.inbox, outcomes, began.map(JournalReadingsTests.key))
            threads.append(
                NamedThread(name: "shipper-\(destination)") {
                    let outcome = inbox.commit(
                        reading: Timestamp(seconds: seconds), destination: destination, labels: "l", began: keys,
                        ended: [])
                    outcomes.change { $0[destination] = outcome }
                })
        }

        func join() -> [String: ReadingOutcome] {
            for thread in threads { thread.join() }
            threads = []
            return outcomes.withLock { $0 }
        }
    }

    @Test func `destinations that wait at the same time share one commit`() throws {
        let disk = MemoryStateJournal.Disk()
        let fixture = JournalFixture(open: disk.opener, destinations: ["default", "eu", "us"])
        _ = try #require(fixture.journal.awaitStart())
        #expect(Self.commit(fixture, "default", at: 1) == .maySend)
        disk.hold(true)
        let crowd = Crowd()
        crowd.commit(fixture, "default", at: 10, began: ["one"])
        #expect(eventually { disk.contents.withLock { $0.isWaiting } })
        let before = disk.contents.withLock { $0.seriesByCommit.count }
        crowd.commit(fixture, "eu", at: 10, began: ["one"])
        crowd.commit(fixture, "us", at: 10, began: ["one"])
        #expect(eventually { fixture.inbox.mail.withLock { $0.readings.count == 2 } })
        disk.hold(false)
        _ = crowd.join()
        #expect(eventually { disk.contents.withLock { $0.seriesByCommit.last?.count == 3 } })
        #expect(disk.contents.withLock { $0.seriesByCommit.dropFirst(before).map(\.count) } == [1, 3])
    }

    @Test func `a journal that hangs lets each destination go on by itself, and has the readings of all later`() throws
    {
        let disk = MemoryStateJournal.Disk()
        let fixture = JournalFixture(open: disk.opener, destinations: ["default", "eu"])
        _ = try #require(fixture.journal.awaitStart())
        #expect(Self.commit(fixture, "default", at: 1) == .maySend)
        disk.hold(true)
        let crowd = Crowd()
        crowd.commit(fixture, "default", at: 10, began: ["one", "two"])
        #expect(eventually { disk.contents.withLock { $0.isWaiting } })
        crowd.commit(fixture, "eu", at: 10, began: ["one"])
        // All of them return while nothing can be committed: this would never end otherwise.
        #expect(crowd.join() == ["default": .withhold, "eu": .withhold])
        #expect(Self.commit(fixture, "default", at: 20, began: ["two"], ended: ["one"]) == .withhold)
        // In the commit that has both readings, what began in the first one has ended.
        #expect(Self.commit(fixture, "eu", at: 20, ended: ["one"]) == .withhold)
        disk.hold(false)
        #expect(Self.commit(fixture, "eu", at: 30, began: ["three"]) == .maySend)
        #expect(disk.shipped["default"].series == [Self.key("two")])
        #expect(disk.shipped["eu"] == Self.state(30, ["three"]))
    }

    @Test func `series of readings that left although the disk refused them are written when it takes them`() throws {
        let disk = MemoryStateJournal.Disk()
        disk.contents.change { $0.sendsLateReadings = true }
        let fixture = JournalFixture(open: disk.opener, destinations: ["default", "eu"])
        _ = try #require(fixture.journal.awaitStart())
        #expect(Self.commit(fixture, "default", at: 1, began: ["old"]) == .maySend)
        disk.fail(true)
        #expect(Self.commit(fixture, "default", at: 10, began: ["one"], ended: ["old"]) == .maySend)
        #expect(Self.commit(fixture, "eu", at: 10, began: ["one", "two"]) == .maySend)
        #expect(Self.commit(fixture, "eu", at: 20, began: ["three"], ended: ["two"]) == .maySend)
        disk.fail(false)
        #expect(eventually { Set(disk.shipped["eu"].series) == [Self.key("one"), Self.key("three")] })
        #expect(disk.shipped["default"] == Self.state(20, ["one"]))
    }
}

extension MemoryStateJournal.Disk {
    /// What a process would restore that starts now.
    var shipped: ShippedStates {
        contents.withLock { contents in
            ShippedStates(
                lastReading: contents.numbers.lastReading, labels: contents.numbers.pushedLabels,
                series: contents.series.compactMap { try? ShippedSeries(bytes: $0) })
        }
    }
}
