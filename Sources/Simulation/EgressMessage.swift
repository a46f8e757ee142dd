import LiveKit
import Wire

/// The message `livekit.EgressInfo` of an event.
struct EgressMessage: Sendable {
    /// The recorded file.
    struct File: Sendable {
        var startedAt: Timestamp
        /// Nil while it is being written.
        var endedAt: Timestamp?
        var size_bytes: Int64
    }

    /// The form of a job's result.
    enum Output: Sendable, CaseIterable { case file, segments, streams }

    /// Empty for a job that failed before it was made.
    var id: String
    var roomSID: String
    var roomName: String
    var requestType: Egress.RequestType
    var status: Egress.Status
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var updatedAt: Timestamp?
    var output: Output = .file
    var file: File?
    var error = ""
    var errorCode = 0
    var retryCount = 0
    var details = ""

    /// The location of the recording of a job.
    static func location(of id: String) -> String { "https://recordings.s3.eu-central-1.amazonaws.com/\(id).mp4" }
    /// The location of the playlist of a segmented job.
    static func playlist(of id: String) -> String { "https://recordings.s3.eu-central-1.amazonaws.com/\(id).m3u8" }

    func write(to json: inout ProtoJSON, shift: TimeShift) {
        json.string("egressId", id)
        json.string("roomId", roomSID)
        json.string("roomName", roomName)
        json.name("sourceType", isFromSDK ? "EGRESS_SOURCE_TYPE_SDK" : nil, zero: "EGRESS_SOURCE_TYPE_WEB")
        json.name("status", Self.name(of: status), zero: "EGRESS_STARTING")
        json.long("startedAt", shift.nanoseconds(startedAt))
        json.long("endedAt", shift.nanoseconds(endedAt))
        json.long("updatedAt", shift.nanoseconds(updatedAt))
        writeRequest(to: &json)
        writeResults(to: &json, shift: shift)
    }

    private var isFromSDK: Bool {
        switch requestType {
        case .participant, .track, .track_composite, .media: true
        case .room_composite, .web, .template, .replay, .unknown: false
        }
    }

    private static func name(of status: Egress.Status) -> String? {
        switch status {
        case .starting, .other: nil
        case .active: "EGRESS_ACTIVE"
        case .ending: "EGRESS_ENDING"
        case .complete: "EGRESS_COMPLETE"
        case .failed: "EGRESS_FAILED"
        case .aborted: "EGRESS_ABORTED"
        case .limitReached: "EGRESS_LIMIT_REACHED"
        }
    }

    // MARK: The request: one of eight members, and the three sources of the unified one.

    private func writeRequest(to json: inout ProtoJSON) {
        switch requestType {
        case .room_composite:
            json.object("roomComposite") { json in
                json.string("roomName", roomName)
                json.string("layout", "speaker")
                json.name("preset", "H264_1080P_30")
                writeFileOutputs(to: &json)
            }
        case .web:
            json.object("web") { json in
                json.string("url", "https://app.example.com/board")
                writeFileOutputs(to: &json)
            }
        case .participant:
            json.object("participant") { json in
                json.string("roomName", roomName)
                json.string("identity", "1001")
                writeFileOutputs(to: &json)
            }
        case .track_composite:
            json.object("trackComposite") { json in
                json.string("roomName", roomName)
                json.string("audioTrackId", "TR_AMaudio0000001")
                json.string("videoTrackId", "TR_VCvideo0000001")
                writeFileOutputs(to: &json)
            }
        case .track:
            json.object("track") { json in
                json.string("roomName", roomName)
                json.string("trackId", "TR_AMaudio0000001")
                json.object("file") { $0.string("filepath", "\(id).ogg") }
            }
        case .template, .media:
            json.object("egress") { json in
                json.string("roomName", roomName)
                if requestType == .template {
                    json.object("template") { $0.string("layout", "grid") }
                } else {
                    json.object("media") { json in
                        json.object("participantVideo") { $0.string("identity", "1001") }
                        json.object("audio") { $0.flag("captureAll", true) }
                    }
                }
                json.objects("outputs", [id]) { id, json in
                    json.object("file") { json in
                        json.name("fileType", "MP4")
                        json.string("filepath", "\(id).mp4")
                    }
                }
            }
        case .replay:
            json.object("replay") { json in
                json.string("replayId", "RP_abcdefghijkl")
                json.long("startOffsetMs", 1_000)
                json.long("endOffsetMs", 61_000)
                json.object("template") { $0.string("layout", "grid") }
            }
        case .unknown: break
        }
    }

    private func writeFileOutputs(to json: inout ProtoJSON) {
        json.objects("fileOutputs", [id]) { id, json in
            json.name("fileType", "MP4")
            json.string("filepath", "\(id).mp4")
            json.object("s3") { json in
                json.string("accessKey", "{access_key}")
                json.string("secret", "{secret}")
                json.string("region", "eu-central-1")
                json.string("bucket", "recordings")
            }
        }
    }

    // MARK: What came of it.

    private func writeResults(to json: inout ProtoJSON, shift: TimeShift) {
        let files = { (form: Output) in output == form ? file.map { [$0] } ?? [] : [] }
        json.objects("streamResults", files(.streams)) { file, json in
            json.string("url", "rtmp://live.example.com/app/{str...key}")
            json.long("startedAt", shift.nanoseconds(file.startedAt))
            json.long("endedAt", shift.nanoseconds(file.endedAt))
            json.long("duration", file.duration_ns)
            json.name("status", file.endedAt == nil ? nil : "FINISHED", zero: "ACTIVE")
        }
        json.objects("fileResults", files(.file)) { write($0, to: &$1, shift: shift) }
        json.objects("segmentResults", files(.segments)) { file, json in
            json.string("playlistName", "\(id).m3u8")
            json.long("duration", file.duration_ns)
            json.long("size", file.size_bytes)
            json.string("playlistLocation", file.endedAt == nil ? "" : Self.playlist(of: id))
            json.long("segmentCount", file.duration_ns / 6_000_000_000)
            json.long("startedAt", shift.nanoseconds(file.startedAt))
            json.long("endedAt", shift.nanoseconds(file.endedAt))
        }
        json.string("error", error)
        json.int("errorCode", errorCode)
        json.string("details", details)
        json.string("manifestLocation", "")
        json.flag("backupStorageUsed", false)
        json.int("retryCount", retryCount)
        // The deprecated member, which the egress service still fills.
        if let file, output == .file { json.object("file") { write(file, to: &$0, shift: shift) } }
    }

    private func write(_ file: File, to json: inout ProtoJSON, shift: TimeShift) {
        json.string("filename", "\(id).mp4")
        json.long("startedAt", shift.nanoseconds(file.startedAt))
        json.long("endedAt", shift.nanoseconds(file.endedAt))
        json.long("duration", file.duration_ns)
        json.long("size", file.size_bytes)
        json.string("location", file.endedAt == nil ? "" : Self.location(of: id))
    }
}

extension EgressMessage.File {
    /// The length of the medium; 0 while it is being written.
    var duration_ns: Int64 { endedAt.map { max(0, $0.milliseconds - startedAt.milliseconds) * 1_000_000 } ?? 0 }
}
