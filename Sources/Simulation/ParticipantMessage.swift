import LiveKit
import Wire

/// The message `livekit.ParticipantInfo` of an event.
struct ParticipantMessage: Sendable {
    /// The completeness of a participant in an event.
    enum Detail: Sendable {
        /// For `participant_` events.
        case full(FullParticipant)
        /// For `track_` events: SID and identity only, so no kind.
        case brief
    }

    struct FullParticipant: Sendable {
        var joinedAt: Timestamp
        var kind: Participant.Kind
        var name: String
        var isPublisher: Bool
        /// Nil while connected.
        var disconnectReason: DisconnectReason?
        /// The participant connected on its own: it moved to another room, or it is still here.
        var isActive: Bool
        /// In order of their names.
        var attributes: [(name: String, value: String)] = []
    }

    var sid: String
    var identity: String
    var detail: Detail
    /// Events leave them out; the server API lists them.
    var tracks: [Told<TrackMessage>] = []

    func write(to json: inout ProtoJSON, shift: TimeShift) {
        json.string("sid", sid)
        json.string("identity", identity)
        guard case .full(let person) = detail else { return }
        json.name("state", person.isActive ? "ACTIVE" : "DISCONNECTED")
        json.objects("tracks", tracks) { $0.message.write(to: &$1, shift: $0.shift) }
        json.string("metadata", "")
        let joinedAt = person.isActive ? shift.arrival(person.joinedAt) : shift(person.joinedAt)
        json.long("joinedAt", TimeShift.second(joinedAt))
        json.long("joinedAtMs", joinedAt.milliseconds)
        json.string("name", person.name)
        json.int("version", person.isActive ? 2 : 9)
        let isRecorder = person.kind == .egress
        json.object("permission") { json in
            json.flag("canSubscribe", true)
            json.flag("canPublish", !isRecorder)
            json.flag("canPublishData", !isRecorder)
            json.flag("hidden", isRecorder)
            json.flag("recorder", isRecorder)
            json.flag("agent", person.kind == .agent)
        }
        json.flag("isPublisher", person.isPublisher)
        json.name("kind", Self.name(of: person.kind), zero: "STANDARD")
        let attributes = person.kind == .standard ? [("team", "core")] : person.attributes
        if !attributes.isEmpty {
            json.object("attributes") { json in for (name, value) in attributes { json.entry(name, value) } }
        }
        let reason = person.disconnectReason.flatMap { $0 == .unknown ? nil : $0.rawValue.uppercased() }
        json.name("disconnectReason", reason, zero: "UNKNOWN_REASON")
        json.names("kindDetails", Self.details(of: person.kind))
        json.int("clientProtocol", 1)
    }

    /// Returns the name of a `ParticipantInfo.Kind`; nil for the zero value.
    private static func name(of kind: Participant.Kind) -> String? {
        switch kind {
        case .standard, .other: nil
        case .ingress: "INGRESS"
        case .egress: "EGRESS"
        case .sip: "SIP"
        case .agent: "AGENT"
        case .connector: "CONNECTOR"
        case .bridge: "BRIDGE"
        }
    }

    private static func details(of kind: Participant.Kind) -> [String] {
        switch kind {
        case .agent: ["CLOUD_AGENT"]
        case .connector: ["CONNECTOR_WHATSAPP"]
        case .bridge: ["BRIDGE_RTSP"]
        case .standard, .ingress, .egress, .sip, .other: []
        }
    }
}
