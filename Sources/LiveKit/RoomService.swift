import Wire

/// The one call of LiveKit's server API that we make, as Twirp wants it: a POST of JSON.
/// https://docs.livekit.io/reference/server/server-apis/
package enum RoomService {
    /// Below the server's URL. The bearer must administer the room (`TokenSigner.roomAdminToken`).
    package static let removeParticipantPath = "/twirp/livekit.RoomService/RemoveParticipant"

    /// What removes whoever has this identity in the room of this name.
    package static func removeParticipantBody(room: String, identity: String) -> [UInt8] {
        var body = Array(#"{"room":"#.utf8)
        JSONText.append(room, to: &body)
        body += #","identity":"#.utf8
        JSONText.append(identity, to: &body)
        body.append(UInt8(ascii: "}"))
        return body
    }

    /// The `code` of an answer that is an error, such as `not_found`; nil where it is none of Twirp's. Nothing else of
    /// it may be shown: its message may hold names.
    /// https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes
    package static func errorCode(in body: Span<UInt8>) -> String? {
        do throws(DecodingFault) {
            var reader = JSONReader()
            guard try reader.beginObject(body) else { return nil }
            while let key = try reader.nextKeyText(body) {
                guard key == "code" else {
                    try reader.skip(body)
                    continue
                }
                let code = try reader.readText(body) ?? ""
                let isCode = code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
                return isCode && (1...longestCode_bytes).contains(code.utf8.count) ? code : nil
            }
            return nil
        } catch {
            // What is cut or no JSON comes from something between us and LiveKit.
            return nil
        }
    }

    /// The longest of Twirp's codes has 19 letters.
    private static let longestCode_bytes = 32
}
