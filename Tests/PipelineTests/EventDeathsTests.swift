import HTTPServing
import Journal
import LiveKit
import Platform
import Recording
import SQLite
import Status
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// Events that processes die of. A death is played by the file that the dead process leaves.
@Suite struct EventDeathsTests {
    private let folder = TemporaryFolder()

    /// Leaves in a state folder what a process leaves that dies while it applies an event.
    private func die(of event: Int64, in directory: String) throws {
        let hand = try EventInHand(path: "\(directory)/\(EventInHand.fileName)")
        let id = try #require(try Self.id(of: directory))
        _ = hand.begin(id)
        hand.take(event)
    }

    /// The id of the journal in a folder that no process has.
    private static func id(of directory: String) throws -> String? {
        let file = try Connection(path: directory + "/journal.db")
        defer { file.close() }
        var id: String?
        try file.rows("SELECT value FROM meta WHERE key = 'id'") { id = $0.text(at: 0) }
        return id
    }

    /// A folder in which three events are accepted. No snapshot stands for them.
    private func stateOfThree(tick: Bool = false) throws -> (JournalFixture, String) {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        for id in 1...3 {
            #expect(fixture.post(id) == 200)
            recorder.apply(JournalFixture.event(id))
        }
        if tick {
            recorder.tick()
            recorder.emit(JournalFixture.row(1))
            recorder.handOver()
            #expect(eventually { fixture.rows.count == 1 })
        }
        return (fixture, fixture.crash())
    }

    /// Starts on a folder again and again, each time after a death of the event. Returns all starts.
    private func start(afterDeathsOf events: Int64..., tick: Bool = false) throws -> [JournalFixture] {
        let (first, state) = try stateOfThree(tick: tick)
        var directory = state
        // A fixture takes its folders with it.
        var fixtures = [first]
        for event in events.dropLast() {
            try die(of: event, in: directory)
            let fixture = JournalFixture(directory)
            _ = try #require(PlayedRecorder(fixture))
            #expect(fixture.total("lkpush_event_deaths_total") == 1)
            #expect(fixture.total("lkpush_events_set_aside_total") == 0)
            #expect(fixture.total("lk_rooms_started_total") == 3)
            directory = fixture.crash()
            fixtures.append(fixture)
        }
        if let last = events.last { try die(of: last, in: directory) }
        return fixtures + [JournalFixture(directory)]
    }

    private static func state(_ played: PlayedRecorder) -> [UInt8] {
        let recorder = played.recorder
        var writer = MessageWriter()
        recorder.encodeState(into: &writer)
        return writer.bytes
    }

    // MARK: Deaths

    @Test func `an event is applied again after two deaths, and set aside alone after three`() throws {
        let fixtures = try start(afterDeathsOf: 2, 2, 2)
        let fixture = fixtures[fixtures.count - 1]
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.total("lkpush_event_deaths_total") == 1)
        #expect(fixture.total("lkpush_events_set_aside_total") == 1)
        #expect(recorder.events == 3 && recorder.inputs == 1)
        #expect(fixture.total("lk_rooms_started_total") == 2)
        #expect(fixture.inbox.deadLetters.kept == 1)
        let letter = try #require(fixture.inbox.deadLetters.last.first)
        #expect(letter.table == DeadLetterStatus.event)
        #expect(letter.reason.hasPrefix("3 processes died while they applied this event: {\"event\":2,\"id\":\"EV_2\""))
        #expect(letter.reason.contains("\"room\":\"room 2\""))
    }

    @Test func `every later replay leaves the event out, and comes to the same state`() throws {
        let fixtures = try start(afterDeathsOf: 2, 2, 2)
        let fixture = fixtures[fixtures.count - 1]
        let recorder = try #require(PlayedRecorder(fixture))
        let next = JournalFixture(fixture.crash())
        let replayed = try #require(PlayedRecorder(next))
        #expect(Self.state(replayed) == Self.state(recorder))
        #expect(replayed.events == 3 && replayed.inputs == 1)
        #expect(next.total("lkpush_event_deaths_total") == 0 && next.total("lkpush_events_set_aside_total") == 0)
        #expect(next.inbox.deadLetters.kept == 1)

        // A repetition of the event that was left out is a duplicate, and not another death.
        #expect(next.post(2) == 200)
        replayed.apply(JournalFixture.event(2))
        #expect(next.total("lk_webhook_duplicates_total") == 1 && next.total("lk_rooms_started_total") == 2)

        // Life goes on with the next numbers, with inputs and rows, and is replayed as it was.
        #expect(next.post(4) == 200)
        replayed.apply(JournalFixture.event(4))
        replayed.tick()
        replayed.emit(JournalFixture.row(1))
        replayed.handOver()
        #expect(eventually { next.rows.count == 1 })
        let last = JournalFixture(next.crash())
        let restored = try #require(PlayedRecorder(last))
        #expect(restored.events == 5 && restored.inputs == 2)
        #expect(last.total("lk_rooms_started_total") == 3)
    }

    @Test func `deaths of different events set nothing aside`() throws {
        let fixtures = try start(afterDeathsOf: 1, 2, 3, 1, 2, 3)
        let fixture = fixtures[fixtures.count - 1]
        _ = try #require(PlayedRecorder(fixture))
        #expect(fixture.total("lkpush_events_set_aside_total") == 0)
        #expect(fixture.total("lk_rooms_started_total") == 3)
    }

    @Test func `a death is counted once`() throws {
        let fixtures = try start(afterDeathsOf: 2)
        let fixture = fixtures[fixtures.count - 1]
        _ = try #require(PlayedRecorder(fixture))
        #expect(fixture.total("lkpush_event_deaths_total") == 1)
        let next = JournalFixture(fixture.crash())
        _ = try #require(PlayedRecorder(next))
        #expect(next.total("lkpush_event_deaths_total") == 0)
    }

    @Test func `an event that had been applied before takes the totals with it, once`() throws {
        let fixtures = try start(afterDeathsOf: 2, 2, 2, tick: true)
        let fixture = fixtures[fixtures.count - 1]
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.total("lkpush_events_set_aside_total") == 1)
        #expect(recorder.events == 3 && recorder.inputs == 2)
        #expect(fixture.total("lk_rooms_started_total") == 0)
        #expect(fixture.takeSnapshotRequest()?.isForced == true)
        #expect(recorder.save())
        let next = JournalFixture(fixture.crash())
        #expect(try #require(PlayedRecorder(next)).events == 3)
        #expect(next.takeSnapshotRequest() == nil)
    }

    @Test func `a death of what a snapshot stands for counts nothing`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        recorder.apply(JournalFixture.event(1))
        #expect(recorder.save())
        let directory = fixture.crash()
        try die(of: 1, in: directory)
        let next = JournalFixture(directory)
        _ = try #require(PlayedRecorder(next))
        #expect(next.total("lkpush_event_deaths_total") == 0)
        #expect(next.total("lk_rooms_started_total") == 1)
    }

    @Test func `a death of an event that was never committed counts nothing`() throws {
        let fixtures = try start(afterDeathsOf: 4)
        let fixture = fixtures[fixtures.count - 1]
        _ = try #require(PlayedRecorder(fixture))
        #expect(fixture.total("lkpush_event_deaths_total") == 0)
    }

    @Test func `without a usable file the start goes on`() throws {
        let (first, directory) = try stateOfThree()
        defer { withExtendedLifetime(first) {} }
        let path = "\(directory)/\(EventInHand.fileName)"
        try Folder.move(path, to: path + ".old")
        try FileStore.makeDirectory(path)
        let fixture = JournalFixture(directory)
        let start = try #require(fixture.journal.awaitStart())
        #expect(start.hand == nil && start.events == 3)
        #expect(fixture.post(4) == 200)
    }

    @Test func `a process that journals no events has none in hand`() throws {
        let fixture = JournalFixture(durability: .memory)
        #expect(try #require(fixture.journal.awaitStart()).hand == nil)
    }

    @Test func `deaths that others have noted set an event aside in any engine`() throws {
        let disk = MemoryStateJournal.Disk()
        let first = JournalFixture(open: disk.opener)
        _ = try #require(PlayedRecorder(first))
        for id in 1...3 { #expect(first.post(id) == 200) }
        disk.contents.change { $0.numbers.deaths = [1: 2, 3: 5] }
        let next = JournalFixture(open: disk.opener)
        let recorder = try #require(PlayedRecorder(next))
        #expect(recorder.events == 3 && recorder.inputs == 1)
        #expect(next.total("lkpush_events_set_aside_total") == 1)
        #expect(next.total("lk_rooms_started_total") == 2)
        #expect(next.inbox.deadLetters.last.map(\.reason).first?.contains("\"event\":3") == true)
    }

    @Test func `an event that cannot be read is set aside all the same`() throws {
        let disk = MemoryStateJournal.Disk()
        let first = JournalFixture(open: disk.opener)
        _ = try #require(PlayedRecorder(first))
        for id in 1...2 { #expect(first.post(id) == 200) }
        disk.contents.change { contents in
            contents.numbers.deaths = [2: 3]
            contents.events[1].bytes = [0xFF]
        }
        let next = JournalFixture(open: disk.opener)
        #expect(try #require(PlayedRecorder(next)).events == 2)
        #expect(next.inbox.deadLetters.last.map(\.reason).first?.hasSuffix("{\"event\":2}") == true)
    }

    // MARK: The file

    @Test func `the file tells what was in hand, to the same journal only, and once`() throws {
        let path = folder.file("hand")
        let one = String(repeating: "0123456789abcdef", count: 2)
        let other = String(repeating: "0123456789abcde0", count: 2)
        #expect(try EventInHand(path: path).begin(one) == nil)
        for (log, asked, expected) in [(one, one, 7 as Int64?), (one, other, nil), (other, other, 7)] {
            let hand = try EventInHand(path: path)
            hand.use(log)
            hand.take(7)
            #expect(try EventInHand(path: path).begin(asked) == expected)
            #expect(try EventInHand(path: path).begin(asked) == nil)
        }
        let hand = try EventInHand(path: path)
        hand.take(8)
        hand.putDown()
        #expect(try EventInHand(path: path).begin(other) == nil)
        try FileStore.replace(path, with: [UInt8](repeating: 0x41, count: 4_096))
        #expect(try EventInHand(path: path).begin(other) == nil)
    }

    @Test func `an entry that sets an event aside is passed time to programs that do not know it`() throws {
        let entry = InputEntry(settingAside: 9, receivedAt: Timestamp(seconds: 5), after: 8)
        var writer = MessageWriter()
        entry.encode(into: &writer)
        var reader = MessageReader(writer.bytes)
        let read = try InputEntry(from: &reader)
        #expect(read.setAside == 9 && read.after == 8)
        guard case .time(Timestamp(seconds: 5)) = read.input else {
            Issue.record("\(read.input)")
            return
        }
    }

    @Test func `the recorder leaves out an event that was set aside before it was read, and keeps its number`() throws {
        let fixture = JournalFixture()
        var start = try #require(fixture.journal.awaitStart())
        start.setAside = [2]
        let recorder = RecorderThread(
            fixture.recorderInbox, start: start, reservations: fixture.intake, journal: fixture.inbox,
            store: fixture.storeInbox)
        for id in 1...3 { #expect(fixture.post(id) == 200) }
        #expect(eventually { fixture.total("lk_rooms_started_total") == 2 })
        fixture.intake.close()
        fixture.inbox.close()
        #expect(eventually { recorder.stop(by: SystemTime().monotonic()) })
        // The snapshot of the stop has the numbers of all three.
        #expect(try #require(PlayedRecorder(JournalFixture(fixture.crash()))).events == 3)
    }
}
