import Foundation
import Testing

/// An independent and very simple reading of the same webhooks: their sum according to the specification.
///
/// It shares no code with the product: it has its own JSON, state, names and bounds. It knows the rules that a day
/// needs: ids and facts count once, an end may overtake its start, and the end of a room ends its participants.
struct Reduction {
    /// The rooms, participants, tracks and jobs, as their events describe them.
    private struct Room {
        let organization: String
    }

    private struct Person {
        let room: String
        let organization: String
        let identity: String
        let joined_ms: Double
        /// In lower case, as a label value.
        let kind: String
        /// In lower case. Only a leave tells it.
        let reason: String
        /// The agent whose job this is, or nil.
        let agent: String?
        /// For a call.
        let direction: String

        var isStandard: Bool { kind == "standard" }
    }

    private struct Publication {
        let participant: String
        let room: String
        let labels: [String: String]
    }

    struct Session: Hashable {
        let organization: String
        let identity: String
        /// Days since 1970.
        let day: Int
    }

    struct Recording: Equatable {
        let organization: String
        let requestType: String
        let isCompleted: Bool
        let seconds: Double?
        let size: Int64
    }

    private let region: String
    /// The organization of all events, if there is only one.
    private let only: String?
    /// Organizations by the room's name. They are learned from metadata if they are not given.
    private var organizations: [String: String]

    private var ids: Set<String> = []
    private var once: Set<String> = []
    private var rooms: [String: Room] = [:]
    private var people: [String: Person] = [:]
    private var tracks: [String: Publication] = [:]
    private var jobs: [String: (family: String, labels: [String: String])] = [:]

    private(set) var samples: [String: Double] = [:]
    private(set) var sessions: [Session: (count: Int, seconds: Double)] = [:]
    private(set) var recordings: [String: Recording] = [:]
    /// Events of rooms whose organization was not known yet.
    private(set) var unresolved = 0

    init(region: String, organizations: [String: String] = [:], only: String? = nil) {
        self.region = region
        self.only = only
        self.organizations = organizations
    }

    // MARK: Counting

    private mutating func add(_ name: String, _ labels: [String: String], _ amount: Double = 1) {
        samples[Exposition.key(name, labels), default: 0] += amount
    }

    private func shared(_ organization: String, _ more: [String: String] = [:]) -> [String: String] {
        more.merging(["org_id": organization, "project": "default", "region": region]) { $1 }
    }

    private mutating func observe(_ name: String, _ labels: [String: String], _ bounds: [Int], _ value: Double) {
        add(name + "_count", labels)
        add(name + "_sum", labels, value)
        for bound in bounds where value <= Double(bound) {
            add(name + "_bucket", labels.merging(["le": "\(bound)"]) { $1 })
        }
        add(name + "_bucket", labels.merging(["le": "+Inf"]) { $1 })
    }

    /// Returns true the first time that a fact is told.
    private mutating func isNew(_ fact: String) -> Bool { once.insert(fact).inserted }
    private func isTold(_ fact: String) -> Bool { once.contains(fact) }

    /// The participants that are still there.
    var present: Set<String> { Set(people.filter { $0.value.isStandard }.keys) }

    /// The samples, including the gauges of entities that are still open.
    var all: [String: Double] {
        var result = self
        for room in rooms.values { result.add("lk_room_active", shared(room.organization)) }
        for person in people.values {
            if person.isStandard { result.add("lk_participants_active", shared(person.organization)) }
            result.add("lk_connections_active", shared(person.organization, ["kind": person.kind]))
            if person.kind == "sip" {
                result.add("lk_sip_calls_active", shared(person.organization, ["direction": person.direction]))
            }
            if let agent = person.agent {
                result.add("lk_agent_jobs_active", shared(person.organization, ["agent_name": agent]))
            }
        }
        for track in tracks.values { result.add("lk_tracks_active", track.labels) }
        for job in jobs.values { result.add("lk_\(job.family)_active", job.labels) }
        return result.samples
    }

    // MARK: Reading

    private typealias Object = [String: Any]

    private static func number(_ object: Object?, _ name: String) -> Double {
        (object?[name] as? String).flatMap(Double.init) ?? object?[name] as? Double ?? 0
    }

    /// A time or a duration in nanoseconds. A `Double` could not hold it exactly.
    private static func nanoseconds(_ object: Object?, _ name: String) -> Int64 {
        (object?[name] as? String).flatMap { Int64($0) } ?? 0
    }

    private static func text(_ object: Object?, _ name: String) -> String { object?[name] as? String ?? "" }

    /// Takes an accepted webhook.
    mutating func take(_ body: [UInt8]) throws {
        let event = try #require(JSONSerialization.jsonObject(with: Data(body)) as? Object)
        let name = Self.text(event, "event")
        guard ids.insert(Self.text(event, "id")).inserted else {
            return add("lk_webhook_duplicates_total", ["event": name])
        }
        add("lk_webhook_events_total", ["event": name])
        add("lk_webhook_delivery_lag_seconds_count", ["event": name])
        let room = event["room"] as? Object
        let at = Self.number(event, "createdAt")
        let organization = resolve(room)
        switch name {
        case "room_started", "room_finished": take(room: room, of: organization, hasEnded: name == "room_finished", at)
        case "participant_joined", "participant_left":
            take(event["participant"] as? Object, room, of: organization, hasLeft: name == "participant_left", at)
        case "participant_connection_aborted": abort(event["participant"] as? Object, room, of: organization)
        case "track_published", "track_unpublished": take(track: event, of: organization)
        case "egress_started", "egress_ended": take(egress: event, of: organization)
        case "ingress_started", "ingress_ended": take(ingress: event, of: organization)
        default: break
        }
    }

    private mutating func resolve(_ room: Object?) -> String {
        if let only { return only }
        let name = Self.text(room, "name")
        let metadata = Data(Self.text(room, "metadata").utf8)
        if let said = try? JSONSerialization.jsonObject(with: metadata) as? Object, let id = said["org_id"] as? String {
            organizations[name] = id
        }
        if organizations[name] == nil { unresolved += 1 }
        return organizations[name] ?? "unknown"
    }

    private mutating func take(room: Object?, of organization: String, hasEnded: Bool, _ at: Double) {
        let sid = Self.text(room, "sid")
        let start_ms = Self.number(room, "creationTimeMs")
        let labels = shared(organization)
        if !hasEnded {
            guard isNew("started \(sid)") else { return }
            add("lk_rooms_started_total", labels)
            if !isTold("finished \(sid)") { rooms[sid] = Room(organization: organization) }
            return
        }
        guard isNew("finished \(sid)") else { return }
        add("lk_rooms_finished_total", labels)
        observe("lk_room_duration_seconds", labels, Self.roomBounds, max(0, at * 1_000 - start_ms) / 1_000)
        rooms[sid] = nil
        for (id, person) in people where person.room == sid { leave(id, person, at, reason: "room_closed") }
        tracks = tracks.filter { $0.value.room != sid }
    }

    private mutating func leave(_ sid: String, _ person: Person, _ at: Double, reason: String) {
        people[sid] = nil
        tracks = tracks.filter { $0.value.participant != sid }
        guard isNew("left \(sid)") else { return }
        let seconds = max(0, at * 1_000 - person.joined_ms) / 1_000
        add("lk_connections_ended_total", shared(person.organization, ["kind": person.kind, "reason": reason]))
        if let agent = person.agent {
            let result = reason == "agent_error" ? "failed" : "success"
            let job = ["agent_name": agent, "reason": reason, "result": result]
            add("lk_agent_jobs_ended_total", shared(person.organization, job))
        }
        guard person.isStandard else { return }
        observe("lk_participant_lifetime_seconds", shared(person.organization), Self.lifetimeBounds, seconds)
        guard !person.identity.isEmpty, person.organization != "unknown" else { return }
        let session = Session(
            organization: person.organization, identity: person.identity, day: Int(at) / 86_400)
        sessions[session, default: (0, 0)].count += 1
        sessions[session, default: (0, 0)].seconds += seconds
    }

    private mutating func take(
        _ participant: Object?, _ room: Object?, of organization: String, hasLeft: Bool, _ at: Double
    ) {
        let (sid, roomSID) = (Self.text(participant, "sid"), Self.text(room, "sid"))
        let person = person(participant, in: roomSID, of: organization)
        if hasLeft {
            leave(sid, person, at, reason: person.reason)
            once.insert("gone \(sid)")
            return
        }
        guard isNew("joined \(sid)") else { return }
        if person.isStandard { add("lk_participant_sessions_total", shared(organization)) }
        add("lk_connections_total", shared(organization, ["kind": person.kind]))
        if person.kind == "sip" { add("lk_sip_calls_total", shared(organization, ["direction": person.direction])) }
        if let agent = person.agent { add("lk_agent_jobs_started_total", shared(organization, ["agent_name": agent])) }
        guard !isTold("gone \(sid)"), !isTold("finished \(roomSID)") else { return }
        for (id, other) in people where other.room == roomSID && other.identity == person.identity {
            people[id] = nil
            tracks = tracks.filter { $0.value.participant != id }
        }
        people[sid] = person
    }

    /// An attempt that never became a presence.
    private mutating func abort(_ participant: Object?, _ room: Object?, of organization: String) {
        let sid = Self.text(participant, "sid")
        let person = person(participant, in: Self.text(room, "sid"), of: organization)
        guard people[sid] == nil, !isTold("gone \(sid)"), isNew("aborted \(sid)") else { return }
        let labels = ["kind": person.kind, "reason": person.reason]
        add("lk_connections_aborted_total", shared(organization, labels))
        once.insert("gone \(sid)")
    }

    private func person(_ participant: Object?, in room: String, of organization: String) -> Person {
        let attributes = participant?["attributes"] as? Object
        let (kind, reason) = (Self.text(participant, "kind"), Self.text(participant, "disconnectReason"))
        let agent = Self.text(attributes, "lk.agent.name")
        return Person(
            room: room, organization: organization, identity: Self.text(participant, "identity"),
            joined_ms: Self.number(participant, "joinedAtMs"), kind: kind.isEmpty ? "standard" : kind.lowercased(),
            reason: reason.isEmpty ? "unknown" : reason.lowercased(),
            agent: kind != "AGENT" ? nil : agent.isEmpty ? "default" : agent,
            direction: attributes?["sip.ruleID"] != nil
                ? "inbound" : attributes?["sip.callID"] != nil ? "outbound" : "unknown")
    }

    private mutating func take(track event: Object, of organization: String) {
        let track = event["track"] as? Object
        let sid = Self.text(track, "sid")
        let participant = Self.text(event["participant"] as? Object, "sid")
        let room = Self.text(event["room"] as? Object, "sid")
        guard Self.text(event, "event") == "track_published" else {
            once.insert("unpublished \(sid)")
            tracks[sid] = nil
            return
        }
        guard isNew("published \(sid)") else { return }
        let source = Self.text(track, "source").lowercased()
        let type = Self.text(track, "type").lowercased()
        let labels = shared(
            organization, ["source": source.isEmpty ? "unknown" : source, "type": type.isEmpty ? "audio" : type])
        add("lk_tracks_published_total", labels)
        guard !["unpublished \(sid)", "gone \(participant)", "finished \(room)"].contains(where: isTold) else { return }
        tracks[sid] = Publication(participant: participant, room: room, labels: labels)
    }

    // MARK: Jobs

    private static let requests = [
        "roomComposite": "room_composite", "web": "web", "participant": "participant", "track": "track",
        "trackComposite": "track_composite", "replay": "replay",
    ]

    private mutating func take(egress event: Object, of organization: String) {
        let egress = event["egressInfo"] as? Object
        let own = Self.text(egress, "egressId")
        let id = own.isEmpty ? Self.text(event, "id") : own
        let unified = egress?["egress"] as? Object
        let type =
            ["template", "web", "media"].first { unified?[$0] != nil }
            ?? Self.requests.first { egress?[$0.key] != nil }?.value ?? "unknown"
        let labels = shared(organization, ["request_type": type])
        guard Self.text(event, "event") == "egress_ended" else {
            return start(family: "egress", id, labels)
        }
        let status = Self.text(egress, "status")
        let isCompleted = ["EGRESS_COMPLETE", "EGRESS_LIMIT_REACHED"].contains(status)
        let file = (egress?["fileResults"] as? [Object])?.first
        let media = Self.nanoseconds(file, "duration")
        let (from, to) = (Self.nanoseconds(egress, "startedAt"), Self.nanoseconds(egress, "endedAt"))
        let length = media > 0 ? media : from > 0 && to > 0 ? to - from : nil
        let seconds = length.map { Double($0) / 1e9 }
        guard end(family: "egress", id, labels, isCompleted, seconds) else { return }
        let result = status.lowercased().replacingOccurrences(of: "egress_", with: "")
        add("lk_egress_results_total", labels.merging(["status": result]) { $1 })
        if !isCompleted {
            let code = Int(Self.number(egress, "errorCode"))
            let codeClass = [4, 5].contains(code / 100) ? "\(code / 100)xx" : "none"
            add("lk_egress_errors_total", labels.merging(["code": codeClass]) { $1 })
        }
        let size = Self.number(file, "size")
        if size > 0 { add("lk_egress_bytes_total", labels, size) }
        recordings[id] = Recording(
            organization: organization, requestType: type, isCompleted: isCompleted, seconds: seconds,
            size: Int64(size))
    }

    private mutating func take(ingress event: Object, of organization: String) {
        let ingress = event["ingressInfo"] as? Object
        let state = ingress?["state"] as? Object
        let type = Self.text(ingress, "inputType")
        let labels = shared(
            organization,
            ["input_type": type.isEmpty ? "rtmp" : type.lowercased().replacingOccurrences(of: "_input", with: "")])
        let id = Self.text(state, "resourceId")
        guard Self.text(event, "event") == "ingress_ended" else { return start(family: "ingress", id, labels) }
        let hasFailed = !Self.text(state, "error").isEmpty || Self.text(state, "status") == "ENDPOINT_ERROR"
        let seconds = Double(Self.nanoseconds(state, "endedAt") - Self.nanoseconds(state, "startedAt")) / 1e9
        _ = end(family: "ingress", id, labels, !hasFailed, seconds)
    }

    private mutating func start(family: String, _ id: String, _ labels: [String: String]) {
        guard isNew("\(family) started \(id)") else { return }
        add("lk_\(family)_started_total", labels)
        if !isTold("\(family) ended \(id)") { jobs["\(family) \(id)"] = (family, labels) }
    }

    private mutating func end(
        family: String, _ id: String, _ labels: [String: String], _ hasSucceeded: Bool, _ seconds: Double?
    ) -> Bool {
        guard isNew("\(family) ended \(id)") else { return false }
        jobs["\(family) \(id)"] = nil
        let ended = labels.merging(["result": hasSucceeded ? "success" : "failed"]) { $1 }
        add("lk_\(family)_ended_total", ended)
        if let seconds { observe("lk_\(family)_duration_seconds", ended, Self.jobBounds, seconds) }
        return true
    }

    private static let roomBounds = [30, 54, 97, 175, 315, 567, 1020, 1837, 3307, 5953, 7200, 14400, 28800]
    private static let lifetimeBounds = [15, 27, 48, 87, 157, 283, 509, 916, 1649, 2969, 7200, 14400, 28800]
    private static let jobBounds = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400]
}
