import LiveKit
import Matching
import Metrics
import Recording
import Storage
import Wire

/// Anything that can happen to the recorder, in any order: its invariants hold after each input, and in the end all is
/// given up.
struct RecorderFuzzer: Fuzzer {
    static let name = "recorder"

    func run(_ bytes: [UInt8]) {
        var bytes = Bytes(bytes)
        var fixture = FuzzFixture(&bytes)
        var inputs = 0
        while !bytes.isEmpty && inputs < 400 {
            fixture.step(&bytes)
            inputs += 1
        }
        fixture.fallSilent()
    }
}

/// A recorder, and a small world for it: few names, so that everything meets everything.
private struct FuzzFixture {
    static let pattern = try? Pattern("^(?<org>[^~]*)~(?<name>.*)$")

    let registry: Registry
    let metadata: Bool
    var recorder: Recorder
    var now = Timestamp(seconds: 1_790_000_000)
    var events = 0

    init(_ bytes: inout Bytes) {
        registry = Registry(maxSeries: bytes.bool() ? 100_000 : 300)
        let sources: [OrganizationSource] = [
            .fixed(id: "acme", name: "Acme"), Self.pattern.map { .roomName($0) } ?? .metadata, .metadata, .database,
        ]
        let choice = bytes.below(4)
        metadata = choice == 2
        let settings = RecorderSettings.usual(sources[choice], waitingEvents: 1 + bytes.below(8))
        let catalog = Catalog(in: registry, longBuckets: bytes.bool(), project: "p", region: "r")
        recorder = Recorder(settings: settings, catalog: catalog)
    }

    mutating func step(_ bytes: inout Bytes) {
        switch bytes.below(8) {
        case 0...4: apply(.event(event(&bytes), receivedAt: now))
        case 5: apply(.time(at: now))
        case 6: apply(.answer(room: roomName(&bytes), answer(&bytes), at: now))
        default: apply(.report(report(&bytes), at: now))
        }
        switch bytes.below(16) {
        case 0...9: now = now + .milliseconds(Int64(bytes.below(256)) * 20)
        case 10, 11: now = now + .seconds(Int64(bytes.below(256)))
        case 12: now = now + .seconds(Int64(bytes.below(256)) * 600)
        // A clock that is set back.
        case 13: now = now - .milliseconds(Int64(bytes.below(256)) * 20)
        default: break
        }
    }

    mutating func apply(_ input: Input) {
        var actions: [Action] = []
        recorder.apply(input, into: &actions)
        check(actions)
    }

    private func check(_ actions: [Action]) {
        let faults = recorder.checkInvariants()
        require(faults.isEmpty, faults.joined(separator: "; "))
        for case .store(let row) in actions {
            switch row {
            case .session(let row): require((0...604_800).contains(row.duration_seconds), "a session is believable")
            case .recording(let row):
                require(row.duration_seconds.map { $0.isFinite && $0 >= 0 } ?? true, "a recording is believable")
                require(["completed", "failed"].contains(row.status), "a recording's status is one of two")
            case .present(let row): require(!row.participantSID.isEmpty, "nobody is present")
            case .absent(let sid): require(!sid.isEmpty, "nobody is absent")
            }
        }
    }

    /// Nothing more is heard of anybody: every gauge comes back to zero, and nothing waits.
    mutating func fallSilent() {
        var actions: [Action] = []
        recorder.giveUpWaiting(at: now, into: &actions)
        check(actions)
        require(recorder.waitingEvents == 0, "nothing waits after the end")
        for _ in 0..<4 {
            now = now + .seconds(86_400)
            apply(.time(at: now))
        }
        for (family, series) in registry.snapshot() {
            for series in series {
                guard case .gauge(let gauge) = series.instrument else { continue }
                let isEmpty = gauge.value == 0 || !family.name.hasSuffix("_active")
                require(isEmpty, "\(family.name) is \(gauge.value) after the end")
            }
        }
    }

    // MARK: What happens

    private mutating func event(_ bytes: inout Bytes) -> Event {
        events += 1
        let id = bytes.below(8)
        let room = room(&bytes)
        let body = body(&bytes)
        let created = bytes.below(8)
        let createdAt =
            switch created {
            case 0...5: now.milliseconds / 1_000 - Int64(bytes.below(64))
            case 6: Int64(0)
            default: min(max(bytes.integer(), 0), EventDecoder.Limits.time_s_max)
            }
        let endReason = RoomEndReason.allCases.first { _ in bytes.below(8) == 1 }
        return Event(
            id: id == 0 ? "" : id == 1 ? "EV_again" : "EV_\(events)", createdAt: createdAt, room: room,
            endReason: endReason, body: body)
    }

    private func roomName(_ bytes: inout Bytes) -> String {
        bytes.one(of: ["acme~one", "acme~two", "other~one", "", "nobody's"])
    }

    private func room(_ bytes: inout Bytes) -> Room {
        Room(
            sid: bytes.one(of: ["RM_1", "RM_2", "RM_3", "", "RM_4"]), name: roomName(&bytes),
            creationTime_ms: time_ms(&bytes), creationTime_s: 0,
            metadataOrganization: metadata ? bytes.one(of: [nil, "acme", "other", "third"]) : nil)
    }

    private func time_ms(_ bytes: inout Bytes) -> Int64 {
        switch bytes.below(8) {
        case 0...3: 0
        case 4...6: now.milliseconds - Int64(bytes.below(256)) * 1_000
        default: min(max(bytes.integer(), 0), EventDecoder.Limits.time_s_max * 1_000)
        }
    }

    private func time_ns(_ bytes: inout Bytes) -> Int64 {
        let time = time_ms(&bytes).multipliedReportingOverflow(by: 1_000_000)
        return time.overflow ? .max : time.partialValue
    }

    private func participant(_ bytes: inout Bytes) -> Participant {
        Participant(
            sid: bytes.one(of: ["PA_1", "PA_2", "PA_3", "PA_4", ""]), identity: bytes.one(of: ["ann", "bob", "7", ""]),
            kind: bytes.one(of: [.standard, .standard, .agent, .sip, .other]), joinedAt_ms: time_ms(&bytes),
            reason: bytes.one(of: DisconnectReason.allCases), agentName: bytes.one(of: ["", "notes", "calls"]),
            direction: bytes.one(of: CallDirection.allCases))
    }

    private func track(_ bytes: inout Bytes) -> Track {
        Track(
            sid: bytes.one(of: ["TR_1", "TR_2", "TR_3", ""]), source: bytes.one(of: Track.Source.allCases),
            type: bytes.one(of: Track.Medium.allCases))
    }

    private func egress(_ bytes: inout Bytes) -> Egress {
        Egress(
            id: bytes.one(of: ["EG_1", "EG_2", "EG_3", ""]), requestType: bytes.one(of: [.room_composite, .web]),
            status: bytes.one(of: Egress.Status.allCases), startedAt_ns: time_ns(&bytes), endedAt_ns: time_ns(&bytes),
            retryCount: max(0, bytes.integer()), media_ns: max(0, bytes.integer()), size_bytes: max(0, bytes.integer()),
            errorCode: bytes.one(of: [0, 403, 500, .max]))
    }

    private func ingress(_ bytes: inout Bytes) -> Ingress {
        Ingress(
            id: bytes.one(of: ["IN_1", "IN_2", ""]), resourceID: bytes.one(of: ["", "RS_1", "RS_2"]),
            inputType: bytes.one(of: Ingress.InputType.allCases), startedAt_ns: time_ns(&bytes),
            endedAt_ns: time_ns(&bytes), hasFailed: bytes.bool())
    }

    private func job(_ bytes: inout Bytes) -> AgentJob {
        AgentJob(
            id: bytes.one(of: ["AJ_1", "AJ_2", ""]), agentName: bytes.one(of: ["notes", "calls", ""]),
            status: bytes.one(of: AgentJob.Status.allCases), reason: bytes.one(of: ["", "no_capacity"]),
            startedAt_ns: time_ns(&bytes), endedAt_ns: time_ns(&bytes), updatedAt_ns: time_ns(&bytes))
    }

    private func body(_ bytes: inout Bytes) -> Event.Body {
        switch bytes.below(16) {
        case 0: .roomStarted
        case 1: .roomFinished
        case 2: .participantJoined(participant(&bytes))
        case 3: .participantLeft(participant(&bytes))
        case 4: .participantConnectionAborted(participant(&bytes))
        case 5: .trackPublished(track(&bytes), by: participant(&bytes))
        case 6: .trackUnpublished(track(&bytes), by: participant(&bytes))
        case 7: .egressStarted(egress(&bytes))
        case 8: .egressUpdated(egress(&bytes))
        case 9: .egressEnded(egress(&bytes))
        case 10: .ingressStarted(ingress(&bytes))
        case 11: .ingressEnded(ingress(&bytes))
        case 12: .agentJobPending(job(&bytes))
        case 13: .agentJobStarted(job(&bytes))
        case 14: .agentJobEnded(job(&bytes))
        default: .other
        }
    }

    // MARK: What the database says

    private func organization(_ bytes: inout Bytes) -> Organization {
        Organization(
            id: bytes.one(of: ["acme", "other", "third", "", "unknown"]), name: bytes.one(of: ["A", "B", ""]),
            key: bytes.one(of: [.integer(1), .text("k"), nil]),
            recordingLimit_minutes: bytes.one(of: [nil, 0, 60, 0.5]))
    }

    private func answer(_ bytes: inout Bytes) -> Result<Organization, LookupError> {
        let failure = bytes.below(8)
        if failure < LookupError.allCases.count { return .failure(LookupError.allCases[failure]) }
        return .success(organization(&bytes))
    }

    private func report(_ bytes: inout Bytes) -> Report {
        let kind = bytes.below(6)
        let window = bytes.one(of: Report.Window.allCases)
        let organizations = (0..<bytes.below(4)).map { _ in organization(&bytes) }
        let counts = Dictionary(organizations.map { ($0.id, Int(bytes.byte())) }) { $1 }
        switch kind {
        case 0: return .activity(window, counts.mapValues { .init(uniqueUsers: $0, online_seconds: Double($0)) })
        case 1: return .recordings(window, counts.mapValues { .init(completed: $0, duration_seconds: Double($0)) })
        case 2: return .presence(counts)
        case 3: return .licenses(organizations)
        case 4: return .usageTable(isUsable: bytes.bool())
        default: return .recent(Set(counts.keys))
        }
    }
}
