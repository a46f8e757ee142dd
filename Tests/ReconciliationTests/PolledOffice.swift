import LiveKit
import Metrics
import Platform
import Recording
import Simulation
import Storage
import Wire

@testable import Reconciliation

/// A day of a simulated office with a recorder that gets its webhooks, and polls of its API, all in one thread and with
/// the office's own time.
struct PolledOffice {
    struct Setup {
        var size = OfficeSize(organizations: 2, rooms: 4, users: 24, length: .seconds(5 * 3_600))
        var seed: UInt64 = 1
        var lies: Set<APILie> = []
        /// The share of webhooks that are lost.
        var loss = 0.0
        /// The time in which no webhook arrives, in seconds since the beginning.
        var outage: Range<Int64>?
        var polls = true
        /// The number of kills, at random times.
        var kills = 0
    }

    /// The time between two polls.
    static let interval = Duration.seconds(60)

    private let setup: Setup
    private var office: Office
    private var api: OfficeAPI
    /// The same without lies.
    private var witness: OfficeAPI
    private let loss: WebhookLoss
    private(set) var truth = WorldTruth()
    private(set) var life: RecorderLife
    private var poll = Poll()
    private var deliveries = Deliveries()
    private(set) var calls = 0
    private(set) var corrections: [PollResult.Correction] = []
    /// The polls for which each entity has been wrong, by the poll of the witness.
    private var wrong: [String: Int] = [:]
    /// The longest of those.
    private(set) var longestWrong = 0
    /// The gauges after each poll.
    private(set) var gauges: [[String: Double]] = []

    init(_ setup: Setup) {
        self.setup = setup
        office = Office(size: setup.size, seed: setup.seed)
        let timeline = Timeline(startedAt: Office.epoch, speed: 1)
        api = OfficeAPI(timeline: timeline, lies: setup.lies, seed: setup.seed)
        witness = OfficeAPI(timeline: timeline)
        loss = WebhookLoss(share: setup.loss, seed: setup.seed)
        life = RecorderLife()
    }

    /// Lives through the day, and for some polls after it.
    mutating func live() throws {
        var random = SplitMix(seed: setup.seed)
        let end = Office.epoch + setup.size.length
        var kills = (0..<setup.kills).map { _ in
            Office.epoch + .milliseconds(Int64(random.next() % UInt64(setup.size.length.milliseconds)))
        }.sorted()
        var nextPoll = Office.epoch + .milliseconds(7_300)
        var nextTick = Office.epoch + .seconds(1)
        var occurrence = office.nextOccurrence()
        while true {
            let now = [occurrence?.at, deliveries.next, nextPoll, nextTick].compactMap { $0 }.min() ?? end
            if let kill = kills.first, kill <= now {
                kills.removeFirst()
                try life.kill()
                poll = Poll()
            }
            if let due = occurrence, due.at <= now {
                happen(due)
                occurrence = office.nextOccurrence()
            } else if let webhook = deliveries.take(at: now) {
                try life.receive(webhook.message.body(shift: TimeShift(seconds: 0)), at: now)
            } else if nextPoll <= now {
                if setup.polls { try pollOnce(at: now) }
                try observe(at: now)
                nextPoll = nextPoll + Self.interval
                if occurrence == nil && now > end + Self.interval * 6 { return }
            } else {
                life.apply(.time(at: now))
                nextTick = nextTick + .seconds(10)
            }
        }
    }

    private mutating func happen(_ occurrence: Occurrence) {
        api.take(occurrence)
        witness.take(occurrence)
        truth.take(occurrence)
        guard case .webhook(let webhook) = occurrence, !loss.takes(webhook) else { return }
        let arrival = webhook.at + webhook.delay + .milliseconds(40)
        let second = arrival.since(Office.epoch).milliseconds / 1_000
        if setup.outage?.contains(second) == true { return }
        deliveries.add(webhook, at: arrival)
    }

    // MARK: Polls

    private struct CutList: Error {}

    private mutating func pollOnce(at now: Timestamp) throws {
        let listing: Listing
        do {
            listing = Listing(
                rooms: try list(.listRooms(), at: now),
                egress: try list(.listEgress(poll.wantsEndedEgress ? .all : .active), at: now),
                ingress: try list(.listIngress(), at: now), hasEndedEgress: poll.wantsEndedEgress)
        } catch is CutList {
            return poll.fail()
        }
        guard case .ask(let questions) = poll.compare(listing, life.recorder.compare(listing), askedAt: now) else {
            return
        }
        var answers = Poll.Answers()
        for question in questions {
            switch question {
            case .participants(let room, let name):
                answers.members[room] = .some(try? list(.listParticipants(room: name), at: now))
            case .egress(let id):
                let jobs: [ListedEgress] = try list(.listEgress(.id(id)), at: now)
                answers.egress[id] = .some(jobs.first)
            case .ingress(let id):
                let jobs: [ListedIngress] = try list(.listIngress(id: id), at: now)
                answers.ingress[id] = .some(jobs.first { $0.ingress.id == id })
            }
        }
        let members = answers.members.compactMap { room, members in
            members.map { RoomMembers(room: room, participants: $0) }
        }
        let outcome = poll.finish(answers, members.compactMap { life.recorder.compare($0) })
        corrections += outcome.result.corrections
        life.apply(.poll(outcome.result, at: now))
    }

    private mutating func list<Element: ListedElement>(_ call: ServerCall, at now: Timestamp) throws -> [Element] {
        var elements: [Element] = []
        var next = call
        for _ in 0..<3 {
            calls += 1
            let answer = api.answer(next.path, body: next.body, at: now)
            if answer.status != 200 { throw CutList() }
            let page = try ListPage<Element>(answer.body.span)
            elements += page.elements
            guard let token = page.next else { return elements }
            next = next.next(token)
        }
        throw CutList()
    }

    // MARK: Watching

    private mutating func observe(at now: Timestamp) throws {
        func list<Element: ListedElement>(_ call: ServerCall) throws -> [Element] {
            try ListPage<Element>(witness.answer(call.path, body: call.body, at: now).body.span).elements
        }
        let listing = Listing(
            rooms: try list(.listRooms()), egress: try list(.listEgress(.active)), ingress: try list(.listIngress()))
        let comparison = life.recorder.compare(listing)
        var keys = comparison.absentRooms.map(\.sid)
        keys += comparison.unknownRooms.map { listing.rooms[$0.place].room.sid }
        keys += comparison.differingRooms.map { "number of \(listing.rooms[$0.place].room.sid)" }
        keys += (comparison.absentEgress + comparison.absentIngress).map(\.key)
        keys += comparison.unknownEgress.map { listing.egress[$0.place].egress.id }
        keys += comparison.unknownIngress.map { listing.ingress[$0.place].ingress.id }
        wrong = keys.reduce(into: [:]) { $0[$1] = (wrong[$1] ?? 0) + 1 }
        longestWrong = max(longestWrong, wrong.values.max() ?? 0)
        gauges.append(life.series.filter { $0.key.contains("_active") })
    }
}

/// Webhooks on their way.
struct Deliveries {
    private var waiting: [(at: Timestamp, webhook: SimulatedWebhook)] = []

    var next: Timestamp? { waiting.first?.at }

    mutating func add(_ webhook: SimulatedWebhook, at time: Timestamp) {
        let place = waiting.firstIndex { $0.at > time } ?? waiting.count
        waiting.insert((time, webhook), at: place)
    }

    mutating func take(at now: Timestamp) -> SimulatedWebhook? {
        guard let first = waiting.first, first.at <= now else { return nil }
        return waiting.removeFirst().webhook
    }
}

/// What really happened in the office.
struct WorldTruth {
    private var joins: [String: Timestamp] = [:]
    private(set) var sessions_seconds = 0.0
    private(set) var sessions = 0
    private(set) var recordings: Set<String> = []

    mutating func take(_ occurrence: Occurrence) {
        switch occurrence {
        case .crash(let crash): for sid in crash.participants { leave(sid, crash.at) }
        case .webhook(let webhook):
            for fact in webhook.facts {
                switch fact {
                case .joined(let visitor) where visitor.kind == .standard: joins[visitor.sid] = webhook.at
                case .left(let visitor, let at, _, _): leave(visitor.sid, at)
                case .recordingEnded(let recording): recordings.insert(recording.id)
                default: break
                }
            }
        }
    }

    private mutating func leave(_ sid: String, _ time: Timestamp) {
        guard let joined = joins.removeValue(forKey: sid) else { return }
        sessions += 1
        sessions_seconds += time.since(joined).inSeconds
    }
}

/// A recorder with what survives its kills: a state that was saved, and the inputs after it.
struct RecorderLife {
    private var registry = Registry(maxSeries: 100_000)
    private(set) var recorder: Recorder
    private var saved: [UInt8] = []
    private var segments: [IDSegment] = []
    private var inputs: [Input] = []
    private let decoder = EventDecoder()
    private var actions: [Action] = []
    /// Rows by their place, so that a replay writes each again into its own place.
    private(set) var rows: [StoreRow] = []
    private var rowsAtSave = 0

    static let settings = RecorderSettings(
        organizationSource: .fixed(id: "acme", name: "Acme"), dedupTTL: .seconds(600), rememberedIDs: 1_000_000,
        seriesTTL: .seconds(86_400),
        stateMaxSilence: .seconds(48 * 3_600), organizationCacheTTL: .seconds(600),
        recordingRetention: .seconds(30 * 86_400), waitingEvents: 1_000, isSingleSession: false
    ) { UInt64($0.utf8.count) }

    private let settings: RecorderSettings
    /// The rooms whose organizations were asked for since the last call of `takeLookups`.
    private var lookups: [String] = []

    init(_ settings: RecorderSettings = Self.settings) {
        self.settings = settings
        recorder = Recorder(settings: settings, catalog: Self.catalog(registry))
    }

    private static func catalog(_ registry: Registry) -> Catalog {
        Catalog(in: registry, longBuckets: true, project: "p", region: "r")
    }

    mutating func receive(_ body: [UInt8], at now: Timestamp) throws {
        apply(.event(try decoder.decode(body.span), receivedAt: now))
    }

    mutating func apply(_ input: Input) {
        inputs.append(input)
        take(input)
        if inputs.count >= 500 { save() }
    }

    private mutating func take(_ input: Input) {
        recorder.apply(input, into: &actions)
        recorder.takeUsageReading().publish()
        for action in actions {
            if case .store(let row) = action { rows.append(row) }
            if case .lookUp(let room) = action { lookups.append(room) }
        }
        actions = []
        recorder.takeUsageReading().publish()
    }

    private mutating func save() {
        segments += recorder.takeIDs()
        var writer = MessageWriter()
        recorder.encodeState(into: &writer)
        (saved, inputs, rowsAtSave) = (writer.bytes, [], rows.count)
    }

    /// Goes on from the last saved state and from the inputs as the journal has them.
    mutating func kill() throws {
        let replayed = try inputs.map { input in
            var writer = MessageWriter()
            input.encode(into: &writer)
            var reader = MessageReader(writer.bytes)
            return try Input(from: &reader)
        }
        registry = Registry(maxSeries: 100_000)
        if saved.isEmpty {
            recorder = Recorder(settings: settings, catalog: Self.catalog(registry))
        } else {
            recorder = try Recorder(
                restoring: MessageReader(saved), ids: segments, keepsTotals: true, settings: settings,
                catalog: Self.catalog(registry))
        }
        rows.removeLast(rows.count - rowsAtSave)
        let asked = lookups
        for input in replayed { take(input) }
        lookups = asked
    }

    mutating func takeLookups() -> [String] {
        defer { lookups = [] }
        return lookups
    }

    /// The series about LiveKit, without those of webhooks' ways.
    ///
    /// The time of tracks is left out. A counter of usage keeps what it showed before an end was known, so that of lost
    /// tracks depends on when polls came.
    var series: [String: Double] { series("lk_").filter { !$0.key.hasPrefix("lk_track_seconds_total") } }

    /// The series whose names begin like this.
    func series(_ prefix: String) -> [String: Double] {
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        var series: [String: Double] = [:]
        for line in String(decoding: page, as: UTF8.self).split(separator: "\n") where line.hasPrefix(prefix) {
            guard let blank = line.lastIndex(of: " ") else { continue }
            series[String(line[..<blank])] = Double(line[line.index(after: blank)...])
        }
        return series
    }

    var sessions_seconds: Double {
        rows.reduce(0) { sum, row in if case .session(let session) = row { sum + session.duration_seconds } else { sum }
        }
    }

    var recordings: [String] {
        rows.compactMap { if case .recording(let row) = $0 { row.egressID } else { nil } }
    }
}
