import Journal
import JournalSQLite
import LiveKit
import Metrics
import Platform
import Recording
import Storage
import StorageSQLite
import TestSupport
import Wire

@testable import Pipeline
@testable import HTTPServing

extension SQLiteJournal {
    /// Opens the journal in a folder.
    static func opener(_ directory: String) -> OpenJournal {
        { now throws(JournalError) in
            try open(directory: directory, snapshotFormat: JournalThread.snapshotFormat, now: now)
        }
    }
}

/// A journal thread on a folder, with a store thread beside it. The test plays the listener and the recorder.
final class JournalFixture {
    let directory: String
    let registry = Registry(maxSeries: 10_000)
    let readiness = Readiness()
    let inbox: JournalInbox
    let recorderInbox = RecorderInbox(capacity: 100)
    let intake: WebhookIntake
    let storeInbox: StoreInbox
    let store: StoreThread
    let journal: JournalThread
    /// Holds the copies of the state folder, and the state folder itself where none was given.
    private let folder = TemporaryFolder()

    /// - Parameters:
    ///   - directory: the state folder; a new one where it is nil.
    ///   - open: opens another engine than that of the folder.
    ///   - database: the file of the database; nil where the database never answers.
    ///   - destinations: the names of those that are configured.
    init(
        _ directory: String? = nil, open: OpenJournal? = nil, durability: JournalSettings.Durability = .commit,
        database: String? = nil, destinations: Set<String> = ["default"],
        settings: RecorderSettings = RecorderSettings(organizationSource: .fixed(id: "one", name: "One")) { _ in 0 }
    ) {
        self.directory = directory ?? folder.file("state")
        let answers = WebhookAnswers(accepted: Response(status: 200)) { _ in Response(status: 503) }
        let log = Log(level: .error, format: .text, file: -1)
        inbox = JournalInbox(answers: answers)
        intake = WebhookIntake(
            answers: answers, journal: durability == .commit ? inbox : nil, recorder: recorderInbox)
        storeInbox = StoreInbox(StoreSettings(), registry: registry, log: log)
        store = StoreThread(
            storeInbox, settings: StoreSettings(),
            open: { () throws(StoreError) in
                guard let database else { throw StoreError(.connectionLost, operation: "open", text: "it is away") }
                return try SQLiteDatabase(path: database)
            }, log: log, answer: { _ in }, progress: { [inbox] in inbox.note($0) })
        journal = JournalThread(
            inbox,
            settings: JournalSettings(
                open: open ?? SQLiteJournal.opener(self.directory), durability: durability, destinations: destinations,
                directory: self.directory),
            store: storeInbox, events: recorderInbox, reservations: intake,
            restoration: JournalThread.Restoration(
                settings, Catalog(in: registry, longBuckets: false, project: "p", region: "r")), registry: registry,
            readiness: readiness, log: log)
    }

    deinit {
        inbox.noteRecorderDone()
        _ = store.stop(by: soon)
        _ = journal.stop(by: soon)
    }

    var soon: MonotonicTime { Waits.end }

    /// Returns a copy of the state folder, as a crash at this moment would leave it.
    func crash() -> String {
        var copy = ""
        // A snapshot may get its name while the folder is copied: then once more.
        let isCopied = eventually {
            copy = folder.file("crash-\(RandomID.make())")
            return ChildProcess.run("/bin/cp", ["-r", directory, copy]).status == 0
        }
        precondition(isCopied, "the state cannot be copied")
        return copy
    }

    // MARK: Listener

    static func event(_ id: Int) -> AcceptedEvent {
        AcceptedEvent(
            event: Event(
                id: "EV_\(id)", createdAt: 1, room: Room(sid: "RM_\(id)", name: "room \(id)"), body: .roomStarted),
            receivedAt: SystemTime().now())
    }

    /// Offers an event and waits for the answer: 200 or 503; 0 where none comes.
    func post(_ id: Int) -> Int {
        switch intake.offer(Self.event(id), now: SystemTime().monotonic()) {
        case .accepted: return 200
        case .refused: return 503
        case .waiting(let pending):
            _ = eventually { pending.answer != nil }
            return pending.answer.map { Int($0.status) } ?? 0
        }
    }

    /// The ids of the events that were delivered to the recorder and not taken yet.
    func drain() -> [String] { recorderInbox.takeAll(for: intake).map(\.event.id) }

    /// The request of the journal for a snapshot since the last call; nil where there is none.
    func takeSnapshotRequest() -> RecorderInbox.SnapshotRequest? { recorderInbox.takeSnapshotRequest() }

    // MARK: Rows

    static func row(_ number: Int) -> StoreRow { .absent(participantSID: "PA_\(number)") }

    /// The rows that the store has in memory.
    var rows: [StoreRow] { storeInbox.rows(after: 0).map(\.row) }
    var rowNumbers: [Int64] { storeInbox.rows(after: 0).map(\.number) }

    // MARK: Metrics

    /// The sum of a family of counters over all series, or over those with a label value.
    func total(_ family: String, of value: String? = nil) -> Double {
        registry.snapshot().filter { $0.family.name == family }.flatMap(\.series).reduce(0) { sum, series in
            if let value, !series.labelValues.contains(value) { return sum }
            return if case .counter(let counter) = series.instrument { sum + counter.value } else { sum }
        }
    }
}

/// A recorder that a test drives by hand.
final class PlayedRecorder {
    private(set) var recorder: Recorder
    private(set) var events: Int64
    private(set) var inputs: Int64
    private(set) var rows: Int64
    private var turn = RecorderTurn()
    private let fixture: JournalFixture

    /// Waits for the state; nil where none comes.
    init?(_ fixture: JournalFixture) {
        guard let start = fixture.journal.awaitStart() else { return nil }
        self.fixture = fixture
        recorder = start.recorder
        (events, inputs, rows) = (start.events, start.inputs, start.rows)
    }

    /// Applies an event as if the journal had delivered it.
    func apply(_ event: AcceptedEvent) {
        events += 1
        var actions: [Action] = []
        recorder.apply(.event(event.event, receivedAt: event.receivedAt), into: &actions)
    }

    func tick() {
        inputs += 1
        let input = Input.time(at: SystemTime().now())
        turn.inputs.append(InputEntry(input: input, after: events))
        var actions: [Action] = []
        recorder.apply(input, into: &actions)
    }

    /// Applies an input that is as long as a room's name.
    func find(_ name: String) {
        inputs += 1
        let input = Input.answer(room: name, .failure(.room_not_found), at: SystemTime().now())
        turn.inputs.append(InputEntry(input: input, after: events))
    }

    func emit(_ row: StoreRow) {
        rows += 1
        turn.rows.append(NumberedRow(number: rows, row: row))
    }

    func takeSnapshot(isLast: Bool = false) {
        let withAllIDs = fixture.takeSnapshotRequest()?.withAllIDs ?? false
        turn.snapshot = RecorderSnapshot(
            of: &recorder, events: events, inputs: inputs, rows: rows, withAllIDs: withAllIDs, isLast: isLast,
            expected_bytes: 0, SystemTime())
    }

    /// The turn since the last call.
    func takeTurn() -> RecorderTurn {
        defer { turn = RecorderTurn() }
        return turn
    }

    func handOver() { fixture.inbox.take(takeTurn()) }

    /// Makes a snapshot and waits until it is on disk.
    func save(isLast: Bool = false) -> Bool {
        let saved = fixture.total("lkpush_snapshots_total", of: "done")
        takeSnapshot(isLast: isLast)
        handOver()
        return eventually {
            fixture.total("lkpush_snapshots_total", of: "done") > saved
        }
    }
}

extension JournalFixture {
    /// The highest number of a snapshot on disk.
    var snapshotNumber: Int {
        let names = ChildProcess.run("/bin/ls", [directory]).output.split(separator: "\n")
        return names.compactMap { $0.hasPrefix("snapshot.") ? Int($0.dropFirst(9)) : nil }.max() ?? 0
    }
}
