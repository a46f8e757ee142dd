import LiveKit
import Wire

/// The message `livekit.IngressInfo` of an event.
struct IngressMessage: Sendable {
    /// The state of an ingress in an event.
    enum State: Sendable {
        case publishing
        case ended
        case failed(String)
    }

    var id: String
    var resourceID: String
    var inputType: Ingress.InputType
    var roomSID: String
    var roomName: String
    var state: State
    var startedAt: Timestamp
    var endedAt: Timestamp?
    var updatedAt: Timestamp

    /// Nobody's real secret. It stands where LiveKit puts a stream key, so that tests can look for it in output.
    static let streamKey = "a8MZsyBtCzaW"

    func write(to json: inout ProtoJSON, shift: TimeShift) {
        json.string("ingressId", id)
        json.string("name", "studio")
        json.string("streamKey", inputType == .url ? "" : Self.streamKey)
        json.string("url", inputType == .rtmp ? "rtmps://my.livekit.cloud/x" : "https://my.livekit.cloud/w")
        json.name("inputType", inputTypeName, zero: "RTMP_INPUT")
        json.flag("enableTranscoding", inputType != .whip)
        json.string("roomName", roomName)
        json.string("participantIdentity", "studio")
        json.string("participantName", "Studio")
        json.flag("reusable", inputType != .url)
        json.object("state") { writeState(to: &$0, shift: shift) }
    }

    private func writeState(to json: inout ProtoJSON, shift: TimeShift) {
        json.name("status", statusName, zero: "ENDPOINT_INACTIVE")
        if case .failed(let error) = state { json.string("error", error) } else { json.string("error", "") }
        if case .publishing = state {
            json.object("video") { json in
                json.string("mimeType", "video/H264")
                json.int("averageBitrate", 2_600_000)
                json.int("width", 1_920)
                json.int("height", 1_080)
                json.double("framerate", 29.97)
            }
            json.object("audio") { json in
                json.string("mimeType", "audio/AAC")
                json.int("averageBitrate", 128_000)
                json.int("channels", 2)
                json.int("sampleRate", 48_000)
            }
        } else {
            json.absent("video")
            json.absent("audio")
        }
        json.string("roomId", roomSID)
        json.long("startedAt", shift.nanoseconds(startedAt))
        json.long("endedAt", shift.nanoseconds(endedAt))
        json.long("updatedAt", shift.nanoseconds(updatedAt))
        json.string("resourceId", resourceID)
    }

    private var inputTypeName: String? {
        switch inputType {
        case .rtmp, .unknown: nil
        case .whip: "WHIP_INPUT"
        case .url: "URL_INPUT"
        }
    }

    /// The name of the status. A reusable ingress returns to its zero value, INACTIVE, at its end; an ingress for a URL
    /// becomes COMPLETE.
    private var statusName: String? {
        switch state {
        case .publishing: "ENDPOINT_PUBLISHING"
        case .ended: inputType == .url ? "ENDPOINT_COMPLETE" : nil
        case .failed: "ENDPOINT_ERROR"
        }
    }
}
