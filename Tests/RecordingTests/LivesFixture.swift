import LiveKit
import Metrics
import Storage
import Testing
import Wire

@testable import Recording

/// The recorder or the plain model behind one interface: it takes events and returns figures. Specification, *Recorder*
/// and "Lives".
///
/// Times are those of `RecorderFixture`. The recorder's figures are read from its instruments, because a page for each
/// event would take longer than the event.
struct LivesFixture {
    enum Subject: CaseIterable { case model, recorder }

    private let subject: Subject
    private var model = LivesModel()
    private var recorder: LivesRecorder
    private var events = 0

    init(_ subject: Subject) {
        self.subject = subject
        recorder = LivesRecorder()
    }

    var figures: LivesFigures { subject == .model ? model.figures : recorder.figures }

    mutating func receive(
        _ body: Event.Body, in room: Room = .named("office", sid: "RM_1"), at second: Int64, received: Double? = nil
    ) {
        events += 1
        let event = Event(id: "EV_\(events)", createdAt: RecorderFixture.opening_s + second, room: room, body: body)
        let received_ms = Int64((received ?? Double(second)) * 1_000)
        apply(event, receivedAt: RecorderFixture.time(milliseconds: received_ms))
    }

    mutating func apply(_ event: Event, receivedAt: Timestamp) {
        switch subject {
        case .model: model.take(event, receivedAt: receivedAt)
        case .recorder: recorder.take(event, receivedAt: receivedAt)
        }
    }

    /// What is open: rooms, people, tracks.
    func expect(open: [Int64], _ location: SourceLocation = #_sourceLocation) {
        let figures = figures
        #expect([figures.rooms, figures.people, figures.tracks] == open, "\(subject)", sourceLocation: location)
    }

    /// What was counted: rooms started and finished, sessions, tracks published.
    func expect(counted: [Int64], _ location: SourceLocation = #_sourceLocation) {
        let figures = figures
        let found = [figures.roomsStarted, figures.roomsFinished, figures.sessions, figures.published]
        #expect(found == counted, "\(subject)", sourceLocation: location)
    }

    /// What was observed: number and seconds of rooms, number and seconds of people.
    func expect(observed: [Double], _ location: SourceLocation = #_sourceLocation) {
        let figures = figures
        let found = [
            Double(figures.roomDurations), Double(figures.room_ms) / 1_000, Double(figures.lifetimes),
            Double(figures.life_ms) / 1_000,
        ]
        #expect(found == observed, "\(subject)", sourceLocation: location)
        #expect(figures.rows.count == Int(figures.lifetimes), "\(subject)", sourceLocation: location)
    }
}

/// A recorder of one organization whose figures are read directly.
struct LivesRecorder {
    private var recorder: Recorder
    private var actions: [Action] = []
    private var rows: [LivesFigures.Session] = []
    private var present: Set<String> = []
    private let open: [Gauge]
    private let tracks: [Gauge]
    private let counters: [Counter]
    private let published: [Counter]
    private let implausible: [Counter]
    private let histograms: [Histogram]

    init() {
        let catalog = Catalog(in: Registry(maxSeries: 10_000), longBuckets: false, project: "p", region: "r")
        recorder = Recorder(settings: .test(), catalog: catalog)
        let prefix = ["p", "r", "acme"]
        func all<I>(_ metric: Metric<I>) -> [I] {
            metric.labels.combinations.indices.compactMap { metric.instrument(prefix: prefix, offset: $0) }
        }
        open = all(catalog.roomsActive) + all(catalog.participantsActive)
        tracks = all(catalog.tracksActive)
        counters = all(catalog.roomsStarted) + all(catalog.roomsFinished) + all(catalog.participantSessions)
        published = all(catalog.tracksPublished)
        histograms = all(catalog.roomDuration) + all(catalog.participantLifetime)
        let mistakes = catalog.implausibleDurations
        implausible = mistakes.labels.combinations.indices.compactMap { mistakes.instrument(prefix: [], offset: $0) }
    }

    mutating func take(_ event: Event, receivedAt: Timestamp) {
        recorder.apply(.event(event, receivedAt: receivedAt), into: &actions)
        for action in actions {
            switch action {
            case .store(.session(let row)):
                let took_ms = Int64((row.duration_seconds * 1_000).rounded())
                rows.append(LivesFigures.Session(user: row.userID, took_ms: took_ms))
            case .store(.present(let row)): present.insert(row.participantSID)
            case .store(.absent(let sid)): present.remove(sid)
            default: break
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// Sentences about what does not hold inside the recorder.
    var faults: [String] { recorder.checkInvariants().map { "\($0)" } }

    var figures: LivesFigures {
        func whole(_ value: Double) -> Int64 { Int64(value.rounded()) }
        func ms(_ sum: Double) -> Int64 { whole(sum * 1_000) }
        let room = histograms[0].current
        let life = histograms[1].current
        return LivesFigures(
            rooms: whole(open[0].value), people: whole(open[1].value),
            tracks: whole(tracks.reduce(0) { $0 + $1.value }), roomsStarted: whole(counters[0].value),
            roomsFinished: whole(counters[1].value), sessions: whole(counters[2].value),
            published: whole(published.reduce(0) { $0 + $1.value }), roomDurations: Int64(room.counts.reduce(0, +)),
            room_ms: ms(room.sum), lifetimes: Int64(life.counts.reduce(0, +)), life_ms: ms(life.sum),
            implausible: whole(implausible.reduce(0) { $0 + $1.value }), rows: rows.sorted(),
            present: present.sorted())
    }

    /// Forgets the rows, for the next sequence.
    mutating func forgetRows() {
        rows = []
        present = []
    }
}
