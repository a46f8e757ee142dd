import LiveKit
import Wire

/// The message `livekit.TrackInfo` of an event.
struct TrackMessage: Sendable {
    var sid: String
    var source: Track.Source
    /// The time of the track's last change, which gives its `version`.
    var changedAt: Timestamp

    /// Returns the type that LiveKit gives a track of this source.
    static func medium(of source: Track.Source) -> Track.Medium {
        switch source {
        case .microphone, .screen_share_audio: .audio
        case .camera, .screen_share, .unknown: .video
        }
    }

    private struct Layer {
        let quality: String?
        let divisor: Int
        let bitrate: Int
        let index: Int
        let rid: String
    }

    private static let layers = [
        Layer(quality: nil, divisor: 4, bitrate: 150_000, index: 0, rid: "q"),
        Layer(quality: "MEDIUM", divisor: 2, bitrate: 500_000, index: 1, rid: "h"),
        Layer(quality: "HIGH", divisor: 1, bitrate: 1_700_000, index: 2, rid: "f"),
    ]

    func write(to json: inout ProtoJSON, shift: TimeShift) {
        let isAudio = Self.medium(of: source) == .audio
        let (width, height) = source == .camera ? (1_280, 720) : (1_920, 1_080)
        let mime = isAudio ? "audio/red" : "video/VP8"
        let mid = isAudio ? "1" : "2"
        let write = { (layer: Layer, json: inout ProtoJSON) in
            json.name("quality", layer.quality, zero: "LOW")
            json.int("width", width / layer.divisor)
            json.int("height", height / layer.divisor)
            json.int("bitrate", layer.bitrate)
            json.int("ssrc", 1_000 + layer.index)
            json.int("spatialLayer", layer.index)
            json.string("rid", layer.rid)
        }
        json.string("sid", sid)
        json.name("type", isAudio ? nil : "VIDEO", zero: "AUDIO")
        if !isAudio {
            json.int("width", width)
            json.int("height", height)
            json.flag("simulcast", true)
        }
        json.name("source", source == .unknown ? nil : source.rawValue.uppercased(), zero: "UNKNOWN")
        if !isAudio { json.objects("layers", Self.layers, write) }
        json.string("mimeType", mime)
        json.string("mid", mid)
        json.objects("codecs", [mime]) { mime, json in
            json.string("mimeType", mime)
            json.string("mid", mid)
            json.string(
                "cid", isAudio ? "a769975c-cf87-480a-b18a-4c4732cfacae" : "5c1e2a9b-0f27-4a55-9a52-0d3c07f6c1d1")
            if !isAudio { json.objects("layers", Self.layers, write) }
        }
        json.string("stream", source == .camera || source == .microphone ? "camera" : "screen_share")
        json.object("version") { $0.long("unixMicro", shift.milliseconds(changedAt) * 1_000) }
        if isAudio {
            json.names("audioFeatures", ["TF_AUTO_GAIN_CONTROL", "TF_ECHO_CANCELLATION", "TF_NOISE_SUPPRESSION"])
        }
    }
}
