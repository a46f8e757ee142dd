import Wire

/// The message `livekit.Room` of an event.
struct RoomMessage: Sendable {
    /// The completeness of a room in an event.
    enum Detail: Sendable {
        /// For `room_` and `participant_` events.
        case full(FullRoom)
        /// For `track_` and `egress_` events: SID and name.
        case brief
        /// For `ingress_` events: only the name.
        case nameOnly
    }

    struct FullRoom: Sendable {
        var createdAt: Timestamp
        var organization: String
        var participants: Int
        var publishers: Int
        var isRecorded: Bool
    }

    var sid: String
    var name: String
    var detail: Detail

    private static let codecs = [
        "audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/AV1", "video/rtx",
    ]
    /// Nobody's real secret. It stands where LiveKit puts a password, so that tests can look for it in output.
    static let turnPassword = "9sOfCoL9M0Zz8gYxyeHojVivsI2wGxXhLvQAhlydHEO"

    func write(to json: inout ProtoJSON, shift: TimeShift) {
        switch detail {
        case .nameOnly:
            json.string("name", name)
        case .brief:
            json.string("sid", sid)
            json.string("name", name)
        case .full(let room):
            json.string("sid", sid)
            json.string("name", name)
            json.int("emptyTimeout", 300)
            json.int("departureTimeout", 20)
            json.int("maxParticipants", 0)
            json.long("creationTime", shift.seconds(room.createdAt))
            json.long("creationTimeMs", shift.milliseconds(room.createdAt))
            json.string("turnPassword", Self.turnPassword)
            json.objects("enabledCodecs", Self.codecs) { $1.string("mime", $0) }
            json.string("metadata", #"{"org_id": "\#(room.organization)"}"#)
            json.int("numParticipants", room.participants)
            json.int("numPublishers", room.publishers)
            json.flag("activeRecording", room.isRecorded)
            json.absent("version")
        }
    }
}
