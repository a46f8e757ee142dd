import LiveKit
import Metrics
import Recording
import Storage
import Testing
import Wire

/// A recorder with its page: takes events as a test tells them, and answers with series and actions.
///
/// Times are in seconds after the fixture opened, `createdAt` of an event being when it is received unless told
/// otherwise. Series are named without `project` and `region`, and without `org_id` where it is `acme`.
struct RecorderFixture {
    /// 2026-09-28T00:00:00Z, a whole UTC day.
    static let opening_s: Int64 = 1_790_553_600

    private let registry: Registry
    private(set) var recorder: Recorder
    private(set) var actions: [Action] = []
    private var events = 0
    /// Checks the invariants after every input.
    var isChecking = true
    /// The rules that inputs are applied under.
    var rules = Recorder.rules

    init(_ settings: RecorderSettings = .test(), maxSeries: Int = 100_000, longBuckets: Bool = false) {
        registry = Registry(maxSeries: maxSeries)
        let catalog = Catalog(in: registry, longBuckets: longBuckets, project: "p", region: "r")
        recorder = Recorder(settings: settings, catalog: catalog)
    }

    // MARK: In

    mutating func apply(_ input: Input, _ location: SourceLocation = #_sourceLocation) {
        recorder.apply(input, rules: rules, into: &actions)
        recorder.takeUsageReading().publish()
        guard isChecking else { return }
        let faults = recorder.checkInvariants()
        #expect(faults.isEmpty, sourceLocation: location)
    }

    /// Receives an event; every one has its own id unless told otherwise.
    mutating func receive(
        _ body: Event.Body, in room: Room = .office, at second: Int64, received: Double? = nil, id: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) {
        events += 1
        let event = Event(
            id: id ?? "EV_\(events)", createdAt: second == .min ? 0 : Self.opening_s + second, room: room, body: body)
        let received_ms = Int64((received ?? Double(second)) * 1_000)
        apply(.event(event, receivedAt: Self.time(milliseconds: received_ms)), location)
    }

    mutating func pass(to second: Int64, _ location: SourceLocation = #_sourceLocation) {
        apply(.time(at: Self.time(milliseconds: second * 1_000)), location)
    }

    mutating func answer(
        _ room: String, _ result: Result<Organization, LookupError>, at second: Int64,
        _ location: SourceLocation = #_sourceLocation
    ) {
        apply(.answer(room: room, result, at: Self.time(milliseconds: second * 1_000)), location)
    }

    mutating func report(_ report: Report, at second: Int64, _ location: SourceLocation = #_sourceLocation) {
        apply(.report(report, at: Self.time(milliseconds: second * 1_000)), location)
    }

    mutating func stop(at second: Int64) {
        recorder.giveUpWaiting(at: Self.time(second), into: &actions)
        #expect(recorder.checkInvariants().isEmpty)
    }

    mutating func rebuildSessions() { recorder.rebuildSessions() }
    mutating func doubtEnds() { recorder.doubtEnds() }

    // MARK: Out

    /// The whole page, shortened as described, without comments and buckets.
    var series: [String: Double] {
        var page: [UInt8] = []
        Exposition.append(registry, to: &page)
        var series: [String: Double] = [:]
        for line in String(decoding: page, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " ") else { continue }
            let name = Self.short(String(line[..<blank]))
            if name.contains("_bucket") { continue }
            series[name] = Double(line[line.index(after: blank)...])
        }
        return series
    }

    /// The value of one series, nil where there is none.
    subscript(name: String) -> Double? { series[name] }

    /// Names of the series that begin with `prefix`, sorted.
    func names(_ prefix: String) -> [String] { series.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    /// The actions since the last call.
    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// The rows since the last call.
    mutating func takeRows() -> [StoreRow] {
        takeActions().compactMap { if case .store(let row) = $0 { row } else { nil } }
    }

    static func time(milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: opening_s * 1_000 + milliseconds)
    }

    static func time(_ second: Int64) -> Timestamp { time(milliseconds: second * 1_000) }

    private static func short(_ name: String) -> String {
        // Its labels are what it is about.
        if name.hasPrefix("lk_org_info") { return name }
        var text = name
        for (long, brief) in [
            ("project=\"p\",region=\"r\",", ""), ("{org_id=\"acme\"}", ""), ("org_id=\"acme\",", ""),
        ] {
            text = text.replacing(long, with: brief)
        }
        return text
    }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
    }
}

extension RecorderSettings {
    /// Usual settings, with a digest that a test can foresee.
    static func test(
        _ source: OrganizationSource = .fixed(id: "acme", name: "Acme"), waitingEvents: Int = 1_000
    ) -> RecorderSettings {
        RecorderSettings(
            organizationSource: source, dedupTTL: .seconds(600), rememberedIDs: 1_000_000,
            seriesTTL: .seconds(24 * 3_600),
            stateMaxSilence: .seconds(48 * 3_600), organizationCacheTTL: .seconds(600),
            recordingRetention: .seconds(30 * 86_400), waitingEvents: waitingEvents, isSingleSession: false
        ) { UInt64($0.utf8.count) }
    }
}

extension Room {
    /// A room that began when the fixture opened.
    static let office = Room(sid: "RM_1", name: "office", creationTime_ms: RecorderFixture.opening_s * 1_000)

    /// As track and egress events carry it.
    static let officeByName = Room(sid: "RM_1", name: "office")

    static func named(_ name: String, sid: String, start: Int64? = nil, organization: String? = nil) -> Room {
        Room(
            sid: sid, name: name, creationTime_ms: start.map { (RecorderFixture.opening_s + $0) * 1_000 } ?? 0,
            metadataOrganization: organization)
    }
}

extension Participant {
    static func person(
        _ sid: String, _ identity: String? = nil, kind: Kind = .standard, joined second: Int64? = nil
    ) -> Participant {
        Participant(
            sid: sid, identity: identity ?? sid, kind: kind,
            joinedAt_ms: second.map { (RecorderFixture.opening_s + $0) * 1_000 } ?? 0)
    }
}

extension Egress {
    static func job(
        _ id: String, status: Status = .active, started: Int64? = nil, ended: Int64? = nil, retry: Int64 = 0,
        media_s: Int64 = 0
    ) -> Egress {
        Egress(
            id: id, requestType: .room_composite, status: status, startedAt_ns: RecorderFixture.nanoseconds(started),
            endedAt_ns: RecorderFixture.nanoseconds(ended), retryCount: retry, media_ns: media_s * 1_000_000_000,
            size_bytes: 1_234, location: "s3://bucket/1.mp4")
    }
}

extension Ingress {
    static func stream(
        _ resource: String, started: Int64? = nil, ended: Int64? = nil, hasFailed: Bool = false
    ) -> Ingress {
        Ingress(
            id: "IN_1", resourceID: resource, inputType: .whip, startedAt_ns: RecorderFixture.nanoseconds(started),
            endedAt_ns: RecorderFixture.nanoseconds(ended), hasFailed: hasFailed)
    }
}

extension RecorderFixture {
    static func nanoseconds(_ second: Int64?) -> Int64 { second.map { (opening_s + $0) * 1_000_000_000 } ?? 0 }
}
