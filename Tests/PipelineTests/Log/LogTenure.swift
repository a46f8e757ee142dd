import HTTPServing
import Journal
import LiveKit
import Metrics
import Platform
import Recording
import RemoteWrite
import Storage
import TestSupport
import Wire

@testable import Pipeline
@testable import HTTPServing

/// The journal thread of a process that leads a shared log, with or without a recorder. The test plays the appending
/// replicas, the shipper and the database.
final class LogTenure {
    let epoch: Int64
    let registry: Registry
    let readiness = Readiness()
    let inbox: JournalInbox
    let recorderInbox: RecorderInbox
    let storeInbox: StoreInbox
    let journal: JournalThread
    /// The number of times that nothing more was to leave, and of readings that were held.
    let replaced = Monitor(0)
    let held = Monitor(0)
    private(set) var start: RecorderStart?
    private var recorder: RecorderThread?
    private var isEnded = false

    static let settings = RecorderSettings(
        organizationSource: .fixed(id: "one", name: "One"), dedupTTL: .seconds(600), rememberedIDs: 1_000_000,
        seriesTTL: .seconds(3_600),
        stateMaxSilence: .seconds(86_400), organizationCacheTTL: .seconds(600), recordingRetention: .seconds(86_400),
        waitingEvents: 1_000, isSingleSession: false, digest: { _ in 1 })

    static let storeSettings = StoreSettings(
        licenseRefresh: .seconds(60), activityRefresh: .seconds(60), egressRefresh: .seconds(60),
        presenceRefresh: .seconds(60), purgeInterval: .seconds(3_600), activityRetention: .seconds(86_400),
        isRetentionSet: false, lookup: .standard, asksForRooms: true)

    static func catalog(in registry: Registry) -> Catalog {
        Catalog(in: registry, longBuckets: false, project: "p", region: "r")
    }

    /// Takes the lease, and restores the state.
    ///
    /// - Parameter room: the most events that the recorder is given before it has taken them.
    init(_ shared: MemoryLog, room: Int = 1_000, durability: JournalSettings.Durability = .commit) {
        let epoch = shared.takeOver()
        self.epoch = epoch
        registry = Registry(maxSeries: 10_000)
        let answers = WebhookAnswers(accepted: Response(status: 200)) { _ in Response(status: 503) }
        let log = Log(level: .error, format: .text, file: -1)
        inbox = JournalInbox(
            answers: answers, noteHeld: { [held] in held.change { $0 += 1 } },
            noteReplaced: { [replaced] in replaced.change { $0 += 1 } })
        recorderInbox = RecorderInbox(capacity: room)
        storeInbox = StoreInbox(Self.storeSettings, registry: registry, log: log)
        var settings = JournalSettings(
            open: shared.opener(epoch), durability: durability, maxBytes: ByteCount(1 << 30),
            snapshotInterval: .seconds(3_600), destinations: ["default"], directory: nil)
        settings.share(room: room, snapshotInterval: .seconds(3_600), marks: nil, hand: nil)
        journal = JournalThread(
            inbox, settings: settings, store: storeInbox, events: recorderInbox, reservations: inbox,
            restoration: JournalThread.Restoration(Self.settings, Self.catalog(in: registry)), registry: registry,
            readiness: readiness, log: log)
        start = journal.awaitStart()
    }

    deinit { abandon() }

    /// Starts the recorder on the state that was restored.
    func startRecorder() {
        guard let start else { return }
        recorder = RecorderThread(
            recorderInbox, start: start, reservations: inbox, journal: inbox, store: storeInbox)
    }

    /// Ends it in order: everything in the log is applied and committed.
    func stop() -> Bool {
        isEnded = true
        inbox.close()
        if recorder == nil { inbox.noteRecorderDone() }
        let isRecorded = recorder?.stop(by: Waits.end) ?? true
        let isPublished = recorder == nil || inbox.waitForUsage(until: Waits.end)
        return journal.stop(by: Waits.end) && isRecorded && isPublished
    }

    /// Ends it as a process ends a tenure that it has lost.
    func abandon() {
        if isEnded { return }
        inbox.giveWay()
        _ = stop()
    }

    // MARK: The recorder, as the test plays it

    /// The ids of the events that were delivered and not taken yet.
    func takeEvents() -> [String] {
        var contents = RecorderInbox.Contents()
        recorderInbox.take(into: &contents, until: SystemTime().monotonic() + .milliseconds(20))
        inbox.free(contents.events.count)
        return contents.events.map(\.event.id)
    }

    /// Leaves a turn of events up to a number, with a row.
    func leaveTurn(applied event: Int64, row: Int64? = nil, inputs: Int = 0) {
        inbox.noteApplying(upTo: event, after: 0)
        var turn = RecorderTurn()
        let input = Input.time(at: SystemTime().now())
        turn.inputs = (0..<inputs).map { _ in InputEntry(input: input, after: event) }
        if let row { turn.rows = [NumberedRow(number: row, row: .absent(participantSID: "PA_\(row)"))] }
        inbox.take(turn)
    }

    // MARK: The database

    /// The rows that were handed over.
    var rows: [NumberedRow] { storeInbox.rows(after: 0) }
    var rowNumbers: [Int64] { rows.map(\.number) }

    // MARK: The shipper

    func read(at milliseconds: Int64) -> ReadingOutcome {
        inbox.commit(
            reading: Timestamp(milliseconds: milliseconds), destination: "default", labels: "", began: [], ended: [])
    }

    /// The lines of the page that tell what LiveKit did.
    var page: [String] { Self.page(of: registry) }

    static func page(of registry: Registry) -> [String] {
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        return String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("lk_") }
    }
}

extension ProducedGroup {
    /// Encodes events as a replica does.
    init(_ events: [AcceptedEvent], producer: String, number: Int64) {
        var group = Group(rules: Recorder.rules)
        for event in events { group.append { event.encode(into: &$0) } }
        self.init(producer: producer, number: number, count: events.count, bytes: group.bytes)
    }
}

extension AcceptedEvent {
    /// The start of a room of its own.
    static func started(_ id: Int) -> AcceptedEvent {
        AcceptedEvent(
            event: Event(
                id: "EV_\(id)", createdAt: 1, room: Room(sid: "RM_\(id)", name: "room \(id)"), body: .roomStarted),
            receivedAt: SystemTime().now())
    }
}
